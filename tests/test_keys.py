from __future__ import annotations

import json
import stat
import threading

import pytest

from yunjue import keys
from yunjue.errors import ConfigError, UsageError


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(tmp_path / "home"))
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_is_stored_at_first():
    assert keys.stored() == {}
    assert keys.key_for("openai") is None


def test_flag_before_stored_before_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    assert keys.key_for("openai") == "from-environment"
    keys.store("openai", " stored\n")
    assert keys.key_for("openai") == "stored"
    assert keys.key_for("openai", "flag") == "flag"


def test_a_provider_may_have_several_variables(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "second")
    assert keys.key_for("gemini") == "second"
    monkeypatch.setenv("GEMINI_API_KEY", "first")
    assert keys.key_for("gemini") == "first"


def test_only_the_owner_can_read_the_file():
    keys.store("openai", "secret")
    assert stat.S_IMODE(keys.path().stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.path().parent.stat().st_mode) == 0o700


def test_a_file_that_was_open_to_others_is_closed_by_the_next_write():
    keys.store("openai", "secret")
    keys.path().chmod(0o644)
    keys.path().parent.chmod(0o755)
    keys.store("groq", "other")
    assert stat.S_IMODE(keys.path().stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.path().parent.stat().st_mode) == 0o700


def test_remove():
    keys.store("openai", "secret")
    assert keys.remove("openai")
    assert not keys.remove("openai")
    assert keys.stored() == {}


@pytest.mark.parametrize("provider", ["", "Open AI", "../x", "x" * 65])
def test_a_wrong_provider_is_refused(provider):
    with pytest.raises(UsageError, match="provider"):
        keys.store(provider, "secret")


@pytest.mark.parametrize("key", ["", " \n", "two words", "tab\tinside", "clé", "a\x00b"])
def test_a_wrong_key_is_refused_and_not_repeated(key):
    with pytest.raises(UsageError) as caught:
        keys.store("openai", key)
    assert not key.strip() or key.strip() not in caught.value.message


@pytest.mark.parametrize("text", ["{", "[]", '{"openai": 1}', "\xff"])
def test_a_damaged_file_is_an_error_that_shows_none_of_it(text):
    keys.path().parent.mkdir()
    keys.path().write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        keys.stored()
    assert str(keys.path()) in caught.value.message
    with pytest.raises(ConfigError):
        keys.store("openai", "secret")


def test_writers_at_the_same_time_lose_nothing():
    names = [f"provider{n}" for n in range(12)]
    threads = [threading.Thread(target=keys.store, args=(name, "k" + name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(json.loads(keys.path().read_text())) == sorted(names)
    assert not list(keys.path().parent.glob("*.tmp"))

from __future__ import annotations

import pytest

from yunjue.config import Settings, load_settings
from yunjue.errors import ConfigError


def test_flags_beat_environment_beats_project_beats_user(tmp_path, own_home, monkeypatch):
    assert load_settings().top_k == 5
    own_home.mkdir()
    (own_home / "config.toml").write_text("top_k = 6\nmodel = 'user'\n")
    assert load_settings().top_k == 6
    (tmp_path / "yunjue.toml").write_text("top_k = 7\n")
    assert load_settings().top_k == 7
    monkeypatch.setenv("YUNJUE_TOP_K", "8")
    assert load_settings().top_k == 8
    assert load_settings(top_k=9).top_k == 9
    assert load_settings(top_k=None).top_k == 8
    assert load_settings().model == "user"


@pytest.mark.parametrize(
    ("text", "word"),
    [("nonsense = 1", "nonsense"), ("top_k = 0", "top_k"), ("top_k = ", "TOML")],
)
def test_wrong_settings_are_named(tmp_path, text, word):
    (tmp_path / "yunjue.toml").write_text(text)
    with pytest.raises(ConfigError, match=word):
        load_settings()


def test_settings_survive_json():
    settings = load_settings(library="x", roles={"author": "big"}, max_cost=1.5)
    assert Settings(**settings.model_dump(mode="json")) == settings


def test_every_setting_is_documented():
    from pathlib import Path

    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text()
    missing = [name for name in Settings.model_fields if f"`{name}`" not in page]
    assert missing == []


@pytest.mark.parametrize(
    "line",
    [
        "allow_unsafe = true",
        'allow_net = ["*"]',
        'grant_secrets = ["SHOP_KEY"]',
        'allow_origins = ["*"]',
        "allow_private = true",
        'web_secrets = ["SHOP_KEY=https://shop.example"]',
        'free_models = ["openai/dear"]',
        'image = "somebody/elses"',
        'runtime = "runc"',
    ],
)
def test_a_working_folder_grants_nothing(tmp_path, line):
    (tmp_path / "yunjue.toml").write_text(f"{line}\n")
    with pytest.raises(ConfigError, match=f"may not grant {line.split()[0]}"):
        load_settings()
    (tmp_path / "yunjue.toml").write_text("allow_unsafe = false\nallow_net = []\n")
    assert load_settings().allow_net == []

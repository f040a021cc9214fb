from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from yunjue.errors import DependencyError
from yunjue.sandbox import dependencies
from yunjue.sandbox.dependencies import install, parse
from yunjue.sandbox.uv import environment


def test_normal_form():
    assert parse(["Foo_Bar >= 1", "foo-bar>=1", "a[Y,x]==2; python_version > '3'"]) == [
        'a[Y,x]==2; python_version > "3"',
        "foo-bar>=1",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "roman @ https://example.org/roman.whl",
        "roman @ file:///etc/passwd",
        "./roman",
        "/tmp/roman-5.2-py3-none-any.whl",
        "https://example.org/roman.whl",
        "git+https://example.org/roman",
        "-r requirements.txt",
        "--index-url=https://example.org",
        "-e .",
        "roman; rm -rf /",
        "roman[a;b]",
        "roman[$(id)]",
        "roman && id",
        "roman\n--index-url=https://example.org",
        "roman\0",
        "r" * 300,
    ],
)
def test_refused(text):
    with pytest.raises(DependencyError):
        parse([text])


@given(st.text())
def test_any_text_is_refused_or_plain(text):
    try:
        [parsed] = parse([text])
    except DependencyError:
        return
    assert not parsed.startswith("-") and parsed.isprintable()
    assert Requirement(parsed).url is None


def test_too_many():
    with pytest.raises(DependencyError, match="21"):
        parse([f"p{number}" for number in range(21)])


def test_nothing_required(tmp_path):
    assert install([], tmp_path) is None
    assert not list(tmp_path.iterdir())


@pytest.fixture
def installed(monkeypatch):
    """Stands for the package index: writes one file, and counts."""
    seen = []

    def write(lock, folder, target, stop):
        seen.append((lock, target))
        (folder / "module.py").write_text("x = 1\n")

    monkeypatch.setattr(dependencies, "_resolve", lambda wanted, target, stop: "\n".join(wanted))
    monkeypatch.setattr(dependencies, "_fetch", write)
    return seen


def test_installed_once(installed, tmp_path):
    first = install(["a==1", "b"], tmp_path)
    assert first == install(["b", "A == 1"], tmp_path)
    assert first != install(["a==2"], tmp_path)
    other = dependencies.Target("3.9", "x86_64-unknown-linux-gnu")
    assert first != install(["a==1", "b"], tmp_path, target=other)
    assert len(installed) == 3


def test_damaged_folder_is_made_again(installed, tmp_path):
    folder = install(["a"], tmp_path)
    (folder / "module.py").write_text("")
    assert install(["a"], tmp_path) == folder
    assert (folder / "module.py").read_text() == "x = 1\n" and len(installed) == 2


def test_resolved_once(installed, monkeypatch, tmp_path):
    first = install(["a"], tmp_path)
    monkeypatch.setattr(dependencies, "_resolve", lambda *_: pytest.fail("resolved again"))
    assert install(["a"], tmp_path) == first


@pytest.mark.parametrize("damage", ["", "{}", '{"lock": "b==1", "sha256": "0"}', "[1]"])
def test_a_damaged_lock_is_made_again(installed, tmp_path, damage):
    first = install(["a"], tmp_path)
    [lock] = (tmp_path / "locks").iterdir()
    lock.write_text(damage)
    assert install(["a"], tmp_path) == first
    assert len(installed) == 1


def test_too_many_packages(installed, monkeypatch, tmp_path):
    many = "\n".join(f"p{number}==1 \\\n    --hash=sha256:00" for number in range(81))
    monkeypatch.setattr(dependencies, "_resolve", lambda *_: many)
    with pytest.raises(DependencyError, match="81 packages"):
        install(["a"], tmp_path)


def test_too_large(monkeypatch, tmp_path):
    def write(arguments, folder, target, stop):
        (folder / "large.bin").write_bytes(bytes(3 << 20))

    monkeypatch.setattr(dependencies, "_resolve", lambda *_: "a==1")
    monkeypatch.setattr(dependencies, "uv_pip", write)
    monkeypatch.setattr(dependencies, "MAX_MIB", 2)
    with pytest.raises(DependencyError, match="3 MiB"):
        install(["a"], tmp_path)
    assert not list(tmp_path.glob(".*.building.*"))


def test_failure_leaves_nothing(installed, monkeypatch, tmp_path):
    def fail(lock, folder, target, stop):
        (folder / "half").touch()
        raise DependencyError("no")

    monkeypatch.setattr(dependencies, "_fetch", fail)
    with pytest.raises(DependencyError):
        install(["a"], tmp_path)
    assert all(path.suffix == ".lock" or path.name == "locks" for path in tmp_path.iterdir())


def test_keys_of_models_stay_here(monkeypatch):
    for name in ("OPENAI_API_KEY", "UV_DEFAULT_INDEX", "https_proxy", "AWS_SECRET"):
        monkeypatch.setenv(name, "x")
    seen = environment()
    assert "OPENAI_API_KEY" not in seen and "AWS_SECRET" not in seen
    assert {"UV_DEFAULT_INDEX", "https_proxy", "PATH"} <= set(seen)

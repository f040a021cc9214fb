from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from yunjue.errors import DependencyError
from yunjue.sandbox import dependencies
from yunjue.sandbox.dependencies import install, parse


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

    def write(wanted, folder, target, stop):
        seen.append((wanted, target))
        (folder / "module.py").write_text("x = 1\n")

    monkeypatch.setattr(dependencies, "_uv", write)
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


def test_failure_leaves_nothing(monkeypatch, tmp_path):
    def fail(wanted, folder, target, stop):
        (folder / "half").touch()
        raise DependencyError("no")

    monkeypatch.setattr(dependencies, "_uv", fail)
    with pytest.raises(DependencyError):
        install(["a"], tmp_path)
    assert all(path.suffix == ".lock" for path in tmp_path.iterdir())


def test_keys_of_models_stay_here(monkeypatch):
    for name in ("OPENAI_API_KEY", "UV_DEFAULT_INDEX", "https_proxy", "AWS_SECRET"):
        monkeypatch.setenv(name, "x")
    seen = dependencies._environment()
    assert "OPENAI_API_KEY" not in seen and "AWS_SECRET" not in seen
    assert {"UV_DEFAULT_INDEX", "https_proxy", "PATH"} <= set(seen)

"""Names of files, which Chromium is taken, and what settings refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.browser import finder
from yunjue.browser.doing import explain
from yunjue.browser.downloads import safe_name
from yunjue.browser.session import ChromiumBrowser
from yunjue.browser.types import BrowserSettings
from yunjue.errors import BrowserUnavailable, ConfigError


@given(st.text())
def test_a_file_stays_in_its_folder(name):
    safe = safe_name(name)
    assert safe and (Path("/folder") / safe).resolve().parent == Path("/folder")
    assert len(safe) <= 100 and "\0" not in safe


def program(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_named_one_comes_before_the_systems_and_playwrights(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "own"))
    with pytest.raises(BrowserUnavailable) as raised:
        finder.find_chromium()
    assert "playwright install chromium" in raised.value.hint
    own = program(tmp_path / "own" / "chromium-1200" / "chrome-linux64" / "chrome")
    assert finder.find_chromium() == finder.Found(str(own), "Playwright's own")
    system = program(tmp_path / "bin" / "chromium")
    assert finder.find_chromium().path == str(system)
    named = program(tmp_path / "named")
    monkeypatch.setenv(finder.VARIABLE, str(named))
    assert finder.find_chromium().path == str(named)
    with pytest.raises(BrowserUnavailable, match="nowhere is not a program"):
        finder.find_chromium("nowhere")


@pytest.mark.parametrize(
    "secrets", [{"short": "12345"}, {"a b": "long enough"}, {"x]": "long enough"}]
)
def test_secrets_that_could_not_be_hidden_are_refused(secrets):
    with pytest.raises(ConfigError, match="cannot be used"):
        ChromiumBrowser(BrowserSettings(secrets=secrets))


def test_playwrights_log_does_not_reach_the_model():
    error = Exception('Locator.fill: Timeout 5000ms exceeded.\nCall log:\n - fill("hunter2")')
    assert explain(error, 5.0) == "It was not done within 5 seconds."
    assert "hunter2" not in explain(Exception('odd: fill("hunter2")'), 5.0)

"""`yunjue doctor` says which browser web tasks would use."""

from __future__ import annotations

from yunjue.cli.doctor import _browser


def program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_which_one_or_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setenv("YUNJUE_CHROMIUM", program(tmp_path / "good", "echo Chromium 156"))
    [check] = _browser(None)
    assert check.passed and "good" in check.detail and "Chromium 156" in check.detail
    monkeypatch.setenv("YUNJUE_CHROMIUM", program(tmp_path / "bad", "exit 3"))
    [check] = _browser(None)
    assert not check.passed and not check.needed and "apt-get install chromium" in check.mend
    monkeypatch.setenv("YUNJUE_CHROMIUM", "nowhere")
    [check] = _browser(None)
    assert not check.passed and "nowhere is not a program" in check.detail

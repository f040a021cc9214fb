"""Every test has a home of its own and no key, server or plugin of the user's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # story.py serves tests of several folders

KEPT = {"YUNJUE_LIVE_MODEL", "YUNJUE_LIVE_HOME"}


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """``YUNJUE_HOME`` in a temporary folder, and a working folder without settings."""
    for name in list(os.environ):
        if (name.endswith("_API_KEY") or name.startswith("YUNJUE_")) and name not in KEPT:
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    monkeypatch.setenv("YUNJUE_LOAD_PLUGINS", "")
    monkeypatch.chdir(tmp_path)
    return home

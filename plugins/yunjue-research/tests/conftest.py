"""Every test has a home of its own, which borrows the user's cache (the sandbox's base and the
wheel of pypdf), and the embedder that sees only words."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yunjue_research

from yunjue import config
from yunjue.config import Settings, load_settings
from yunjue.store.embedders.hashing import HashEmbedder

FILES = Path(yunjue_research.__file__).parent / "tasks" / "files"
CACHE = config.home() / "cache"


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch) -> Path:
    for name in list(os.environ):
        if name.startswith("YUNJUE_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    if CACHE.is_dir():
        (home / "cache").symlink_to(CACHE)
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    monkeypatch.setenv("YUNJUE_EMBEDDER", "hash")
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def settings(own_home) -> Settings:
    return load_settings()


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def with_bubblewrap() -> None:
    if shutil.which("bwrap") is None:
        if os.environ.get("CI"):
            pytest.fail("bwrap is not installed")
        pytest.skip("bwrap is not installed")

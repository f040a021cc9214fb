"""Every test has a home of its own, which borrows the user's cache (the sandbox's base and the
wheel of pytest), and one sandbox serves all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from yunjue import config
from yunjue.config import Settings, load_settings
from yunjue.errors import SandboxUnavailable
from yunjue.sandbox.bubblewrap import BubblewrapSandbox

CACHE = config.home() / "cache"


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    if CACHE.is_dir():
        (folder / "cache").symlink_to(CACHE)
    return folder


@pytest.fixture(autouse=True)
def own_home(home, tmp_path, monkeypatch) -> None:
    for name in list(os.environ):
        if name.startswith("YUNJUE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)


@pytest.fixture
def settings(own_home) -> Settings:
    return load_settings(sandbox="bubblewrap", embedder="hash")


@pytest.fixture
async def sandbox(own_home):
    opened = BubblewrapSandbox()
    try:
        await opened.prepare()
    except SandboxUnavailable as error:
        if os.environ.get("CI"):
            pytest.fail(error.message)
        pytest.skip(error.message)
    yield opened
    await opened.close()

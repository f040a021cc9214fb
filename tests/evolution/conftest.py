"""Evolutions of scripted models, with a sandbox that runs their code at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from stream_story import script

from yunjue.config import Settings, load_settings
from yunjue.plugins import plugins
from yunjue.testing.direct import DirectPlugin


@pytest.fixture
def direct():
    """``sandbox="direct"`` can be chosen."""
    plugin = DirectPlugin()
    plugins().manager.register(plugin)
    yield
    plugins().manager.unregister(plugin)


@pytest.fixture
def story(direct, tmp_path):
    """Makes the settings of an evolution of stream_story."""

    def make(first: Any = (), **flags: Any) -> Settings:
        return story_settings(tmp_path, first, **flags)

    return make


def story_settings(tmp_path: Path, first: Any = (), **flags: Any) -> Settings:
    chosen = {
        "model": script(tmp_path / "stream.json", first),
        "sandbox": "direct",
        "embedder": "hash",
        "min_similarity": -1.0,
        **flags,
    }
    return load_settings(**chosen)

"""The library that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from yunjue.config import Settings
from yunjue.library.library import Library
from yunjue.plugins import plugins

if TYPE_CHECKING:
    from yunjue.protocols import Embedder


def open_library(settings: Settings, warn: Callable[[str], None]) -> Library:
    """A :class:`Library` with the embedder of the settings, made when it is needed."""

    def make_embedder() -> Embedder:
        return plugins().choose("embedders", settings.embedder, settings)

    return Library(settings.library_dir, make_embedder, warn)

"""The bank of principles that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from yunjue.config import Settings
from yunjue.plugins import plugins
from yunjue.principles.principles import Principles

if TYPE_CHECKING:
    from yunjue.protocols import Embedder


def open_principles(settings: Settings, warn: Callable[[str], None]) -> Principles:
    """The bank in the folder of the library, with the embedder of the settings."""

    def make_embedder() -> Embedder:
        kind = settings.embedder.partition("/")[0]
        return plugins().choose("embedders", kind, settings)

    return Principles(settings.library_dir / "principles", make_embedder, warn)

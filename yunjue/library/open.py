"""The library that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from yunjue.config import Settings
from yunjue.library.library import Library
from yunjue.library.shelf import unmasked
from yunjue.plugins import plugins
from yunjue.store.calls import Redact

if TYPE_CHECKING:
    from yunjue.protocols import Embedder


def open_library(
    settings: Settings, warn: Callable[[str], None], redact: Redact = unmasked
) -> Library:
    """A :class:`Library` with the embedder of the settings, made when it is needed.

    ``litellm/MODEL`` and the like choose the embedder before the slash, which reads the rest
    from the settings.
    """

    def make_embedder() -> Embedder:
        kind = settings.embedder.partition("/")[0]
        return plugins().choose("embedders", kind, settings)

    return Library(settings.library_dir, make_embedder, warn, redact)

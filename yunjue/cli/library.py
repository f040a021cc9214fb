"""Opens the library for a command, and closes it after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yunjue.cli.output import say

if TYPE_CHECKING:
    from yunjue.config import Settings
    from yunjue.library.library import Library


@contextmanager
def opened_library(folder: Path | None, **flags: Any) -> Iterator[tuple[Settings, Library]]:
    """The settings with these flags, and their library."""
    from yunjue.config import load_settings
    from yunjue.library.open import open_library

    settings = load_settings(library=folder, **flags)
    library = open_library(settings, warn)
    try:
        yield settings, library
    finally:
        library.close()


def warn(message: str) -> None:
    """Say what is wrong but does not stop the command."""
    say(f"warning: {message}")

"""A lock that gives up in the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yunjue.errors import DatabaseLocked
from yunjue.files import locked


@contextmanager
def held(path: Path, seconds: float) -> Iterator[None]:
    """Hold ``path`` against other threads and processes, after waiting ``seconds`` at most.

    Raises:
        DatabaseLocked: another still held it then.
    """
    deadline = time.monotonic() + seconds

    def waiting() -> None:
        if time.monotonic() >= deadline:
            raise DatabaseLocked(f"Another process held {path} for {seconds:g} s.")

    with locked(path, waiting):
        yield

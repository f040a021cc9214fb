"""Has the weights of an embedded model on this machine, and shows how far it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from yunjue.config import home
from yunjue.models.local.catalog import Entry
from yunjue.weights import Progress, fetch, present


def folder() -> Path:
    """Where the weights of the embedded models are."""
    return home() / "models"


def is_pulled(entry: Entry) -> bool:
    """Whether the weights are here and were verified."""
    return present(entry.weight(), folder()) is not None


def pull(entry: Entry, directory: Path | None = None, progress: Progress | None = None) -> Path:
    """The verified weights of ``entry``, downloaded unless they are there.

    Args:
        directory: where to keep them; :func:`folder` if not given.
        progress: told of every step; by default the person, on stderr.

    Raises:
        DownloadError: they could not be had from anywhere.
        DiskFull: there is not enough room.
    """
    return fetch(entry.weight(), directory or folder(), progress or Display(entry))


class Display:
    """Progress on stderr: one changing line on a terminal, a line per tenth elsewhere.

    The first line says what is fetched and how big it is.
    """

    def __init__(self, entry: Entry) -> None:
        self._title = f"{entry.title}, {entry.size / 1e6:.0f} MB"
        self._animated = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._shown: tuple[str, int] | None = None

    def __call__(self, source: str, done: int, total: int) -> None:
        if self._shown is None:
            self._print(f"Getting the embedded model ready, once: {self._title}.")
        step = (100 if self._animated else 10) * done // max(total, 1)
        if self._shown == (source, step):
            return
        self._shown = (source, step)
        if source == "another process":
            self._print("Another process is fetching it; waiting.")
        elif source != "verification" or self._animated or done == total:
            line = f"{source}: {done / 1e6:.0f} of {total / 1e6:.0f} MB"
            self._print(line, end="\r" if self._animated and done < total else "\n")

    def _print(self, line: str, end: str = "\n") -> None:
        print(line.ljust(60) if self._animated else line, end=end, file=sys.stderr, flush=True)

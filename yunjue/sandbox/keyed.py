"""Folders that are built once per key, whole or not at all, by one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from yunjue.sandbox.session import check

MARKER = "complete.json"
Note = dict[str, Any]


def keyed_folder(
    parent: Path, key: str, build: Callable[[Path], Note], stop: threading.Event
) -> tuple[Path, Note]:
    """The folder ``parent/key/content``, built by ``build`` if it is absent or damaged.

    Args:
        build: fills the empty folder it is given; what it returns is kept with it.
        stop: gives up waiting for another process when set.

    Returns:
        The folder, and what ``build`` returned when it was built.
    """
    place = parent / key
    found = _intact(place)
    if found is not None:
        return place / "content", found
    parent.mkdir(parents=True, exist_ok=True)
    with _lock(parent / f".{key}.lock", stop):
        found = _intact(place)  # another process may have built it meanwhile
        if found is None:
            for stale in parent.glob(f".{key}.building.*"):
                shutil.rmtree(stale, ignore_errors=True)
            found = _build(place, build)
    return place / "content", found


def _build(place: Path, build: Callable[[Path], Note]) -> Note:
    temporary = Path(tempfile.mkdtemp(prefix=f".{place.name}.building.", dir=place.parent))
    try:
        content = temporary / "content"
        content.mkdir()
        note = build(content)
        _readable(content)
        with open(temporary / MARKER, "w", encoding="utf-8") as marker:
            json.dump({"note": note, "sizes": _sizes(content)}, marker)
            marker.flush()
            os.fsync(marker.fileno())
        temporary.chmod(0o755)
        if place.exists():
            os.replace(place, Path(f"{temporary}.damaged"))
        os.replace(temporary, place)
        return note
    finally:
        for rest in (temporary, Path(f"{temporary}.damaged")):
            shutil.rmtree(rest, ignore_errors=True)


def _intact(place: Path) -> Note | None:
    """What was noted at the build, or None if the folder is absent or not as it was."""
    try:
        marker = json.loads((place / MARKER).read_bytes())
        return marker["note"] if marker["sizes"] == _sizes(place / "content") else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _sizes(folder: Path) -> dict[str, int]:
    """Relative path -> size in bytes, of every file; links count with their targets' names."""
    sizes = {}
    for path, _, files in os.walk(folder):
        for name in files:
            full = os.path.join(path, name)
            sizes[os.path.relpath(full, folder)] = os.lstat(full).st_size
    return sizes


def _readable(folder: Path) -> None:
    """Let the sandbox's user, who is somebody else, read all of it, whatever the umask."""
    for path, _, files in os.walk(folder):
        os.chmod(path, 0o755)  # noqa: S103
        for name in files:
            full = os.path.join(path, name)
            if not os.path.islink(full):
                os.chmod(full, 0o755 if os.stat(full).st_mode & 0o100 else 0o644)


@contextlib.contextmanager
def _lock(path: Path, stop: threading.Event) -> Iterator[None]:
    with open(path, "w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                check(stop)
                time.sleep(0.05)
        yield

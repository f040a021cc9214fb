"""A folder of its own for what is being imported; gone at the end, whatever the end.

The system frees the lock on a folder whose process died, so the next import can tell an
abandoned folder from one in use, and removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from yunjue.files import writing
from yunjue.store.sweep import QUARANTINE


@contextmanager
def quarantine(library: Path) -> Iterator[Path]:
    """A new empty folder ``LIBRARY/quarantine/ID``; leaves nothing behind.

    Raises:
        DiskFull, YunjueError: it cannot be made.
    """
    parent = library / QUARANTINE
    existed = library.exists()
    _remove_abandoned(parent)
    with writing(parent):
        folder, handle = _new(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)
        with suppress(OSError):  # another import may be at work in it
            parent.rmdir()
            if not existed:
                library.rmdir()


def _new(parent: Path) -> tuple[Path, int]:
    """A folder that this process holds the lock of."""
    while True:
        folder = parent / uuid4().hex
        parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
        except FileNotFoundError:  # the end of another import took the parent away
            continue
        if (handle := _lock(folder)) is not None:
            if _is_at(handle, folder):
                return folder, handle
            os.close(handle)  # taken for abandoned before it was locked


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.iterdir() if parent.is_dir() else ():
        if folder.is_symlink() or not folder.is_dir():
            continue
        if (handle := _lock(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)


def _lock(folder: Path) -> int | None:
    """A handle that holds the lock of the folder, or None if another process has it."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _is_at(handle: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(folder))
    except FileNotFoundError:
        return False

"""Files that are whole or absent, a lock between processes, and paths that came as text."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from yunjue.errors import DiskFull, YunjueError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def no_room(error: OSError) -> bool:
    """Whether it says that the disk, or the user's share of it, is full.

    shutil gathers many errors into one that has no number, only their texts.
    """
    if error.errno is not None:
        return error.errno in _NO_ROOM
    return any(os.strerror(number) in str(error) for number in _NO_ROOM)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say which file could not be written, and whether the disk is full."""
    try:
        yield
    except OSError as error:
        if no_room(error):
            raise DiskFull(f"There is no room to write {path}.") from error
        raise YunjueError(
            f"{path} cannot be written: {error.strerror or error}.",
            hint="Check who owns the folder, or name another with YUNJUE_HOME.",
        ) from error


def write_whole(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``, readable by its owner only; a reader sees all or nothing.

    Raises:
        DiskFull: there is no room.
        YunjueError: the file cannot be written for another reason.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise


@contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold ``path`` against other processes and threads for the length of the block.

    The system frees the lock of a process that dies, so waiting ends.

    Args:
        path: an empty file, made if absent and never removed.
        waiting: called while another holds it, several times a second; may raise.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waiting()
                time.sleep(0.1)
        yield
    finally:
        os.close(handle)


def as_paths(files: Mapping[str, str]) -> dict[str, Path]:
    """name -> path; states and traces are plain JSON and hold paths as text."""
    return {name: Path(path) for name, path in files.items()}

"""What SQLite and the operating system say, as errors of our tree."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yunjue.errors import DatabaseDamaged, DatabaseLocked, DiskFull, LibraryError
from yunjue.files import no_room

# SQLite says FULL for a full disk, and an I/O error for a quota or a limit on file sizes.
_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE")
_LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_SHORT_READ")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn failures of the block, which reads or writes ``path``, into library errors."""
    try:
        yield
    except sqlite3.Error as error:
        raise _from_sqlite(error, path) from error
    except OSError as error:
        if no_room(error):
            raise _disk_full(path) from error
        name = error.filename or path
        raise LibraryError(f"{name}: {error.strerror or error}.") from error


def _from_sqlite(error: sqlite3.Error, path: Path) -> LibraryError:
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith(_LOCKED):
        return DatabaseLocked(f"{path} is locked by another process.")
    if code.startswith(_DAMAGED):
        return DatabaseDamaged(f"{path} is damaged or not a database: {error}.")
    if code.startswith(_FULL):
        return _disk_full(path)
    return LibraryError(f"{path}: {error}.", hint="`yunjue doctor` checks the library.")


def _disk_full(path: Path) -> DiskFull:
    return DiskFull(f"There is no room to write {path}.")

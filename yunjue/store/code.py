"""The tools' source files, each under the hash of its content: code/ab/abcdef….py."""

from __future__ import annotations

import os
from pathlib import Path

from yunjue.errors import LibraryError
from yunjue.files import write_whole
from yunjue.hashing import content_id
from yunjue.store.failures import translated

_RESTORE = "Restore the file from a backup: a tool runs only as it was proven."


class CodeFiles:
    """Source files under ``folder``; a file is written once and never changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, code_id: str) -> Path:
        return self.folder / code_id[:2] / f"{code_id}.py"

    def write(self, source: str) -> str:
        """Keep ``source``, byte for byte, and return its id. It is on disk on return.

        Raises:
            DiskFull: there is no room.
            LibraryError: the file cannot be written.
        """
        data = source.encode("utf-8", "surrogatepass")
        code_id = content_id(data)
        path = self.path(code_id)
        with translated(path):
            if not (path.exists() and path.read_bytes() == data):
                write_whole(path, data)
                for folder in (path.parent, self.folder):  # makes the new names last, too
                    _sync(folder)
        return code_id

    def read(self, code_id: str) -> str:
        """The source with that id.

        Raises:
            LibraryError: the file is missing or is no longer what was proven; names it.
        """
        path = self.path(code_id)
        try:
            with translated(path):
                data = path.read_bytes()
        except LibraryError as error:
            raise LibraryError(f"A tool's file is gone: {error.message}", hint=_RESTORE) from error
        if content_id(data) != code_id:
            raise LibraryError(f"The tool file {path} was changed.", hint=_RESTORE)
        return data.decode("utf-8", "surrogatepass")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""A bundle as a folder: the same entries as files, for version control and for reading."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from yunjue.bundle.archive import MAX_ARCHIVE, MAX_ENTRIES, check_name
from yunjue.errors import BundleRefused, UsageError
from yunjue.files import write_whole


def read_file(path: Path, most: int, follow: bool = True) -> bytes:
    """A plain file of at most ``most`` bytes; a device or a pipe is not waited for.

    Args:
        follow: whether ``path`` may be a link.

    Raises:
        BundleRefused: it is no plain file, or too large.
        UsageError: it cannot be read.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    if not follow and path.is_symlink():
        raise BundleRefused("link", f"{path.name!a} is a link.")
    try:
        handle = os.open(path, flags)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise BundleRefused("not-a-file", f"{path.name!a} is no plain file.")
            data = file.read(most + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.", hint="") from None
    if len(data) > most:
        raise BundleRefused("too-large", f"{path.name!a} has more than {most >> 10} KiB.")
    return data


def read_folder(folder: Path) -> dict[str, bytes]:
    """name -> content of every file; :func:`yunjue.bundle.archive.pack` makes the archive.

    Raises:
        BundleRefused: a link, a name that no bundle has, or too much.
    """
    entries: dict[str, bytes] = {}
    left = MAX_ARCHIVE
    for parent, folders, files in os.walk(folder, followlinks=False):
        # pip compiles the files of a package that it installs, tools as well.
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in [*folders, *files]:
            path = Path(parent, name)
            if path.is_symlink():
                raise BundleRefused("link", f"{name!a} is a link.")
            if name in folders:
                continue
            entry = path.relative_to(folder).as_posix()
            check_name(entry)
            if len(entries) == MAX_ENTRIES:
                raise BundleRefused("too-many-entries", f"More than {MAX_ENTRIES} files.")
            entries[entry] = read_file(path, left, follow=False)
            left -= len(entries[entry])
    return entries


def write_folder(folder: Path, entries: Mapping[str, bytes]) -> None:
    """Write the entries as files into a folder that is new or empty.

    Raises:
        UsageError: there is something in it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder.", hint="Name a new one with -o.")
    for name, content in entries.items():
        check_name(name)
        write_whole(folder / name, content)

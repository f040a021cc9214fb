"""A copy of a repository: plain files only, bounded, and nothing from outside it.

Links are neither followed nor copied: one may lead out, and what is written through one would
be written there.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from yunjue.errors import UsageError

MOST_FILES = 5_000
MOST_FILE = 2 << 20
MOST_BYTES = 64 << 20
DEEPEST = 40
LONGEST_PART = 255
"""Bytes of a file's name that disks take."""
LEFT_OUT = {".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", "venv", ".tox"}
LEFT_OUT |= {".mypy_cache", ".pytest_cache", ".ruff_cache", ".yunjue"}
"""Folders that no task changes."""


@dataclass
class Copied:
    """What was copied, and name -> why of what was not."""

    files: int = 0
    size: int = 0
    left_out: dict[str, str] = field(default_factory=dict)


def copy_repository(source: Path, target: Path) -> Copied:
    """Copy a folder or unpack an archive into ``target``, which is made.

    Raises:
        UsageError: it cannot be read, or is larger than is copied; nothing is left then.
    """
    copied = Copied()
    target.mkdir(parents=True)
    try:
        if source.is_dir():
            members = _of_folder(source, copied)
        elif source.suffix.lower() == ".zip":
            members = _of_zip(source, copied)
        else:
            members = _of_tar(source, copied)
        for name, file in members:
            with file:
                _write(name, file, target, copied)
        if not copied.files:
            raise UsageError(f"{source.name} has no file to work on.", hint="")
        return copied
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        shutil.rmtree(target, ignore_errors=True)
        raise UsageError(f"{source.name} is no whole archive ({error}).", hint="") from None
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def wanted(name: str) -> bool:
    """Whether a relative path is one that is copied."""
    parts = PurePosixPath(name).parts
    return not any(part in LEFT_OUT for part in parts) and not name.endswith(".pyc")


def inside(name: str) -> bool:
    """Whether the path of an archive's member, or of an action, stays in the copy."""
    path = PurePosixPath(name)
    plain = name and "\\" not in name and name.isprintable() and len(name) <= 400
    plain = plain and all(len(part.encode()) <= LONGEST_PART for part in path.parts)
    return bool(plain) and not path.is_absolute() and ".." not in path.parts


def _write(name: str, file: IO[bytes], target: Path, copied: Copied) -> None:
    data = file.read(MOST_FILE + 1)
    if len(data) > MOST_FILE:
        copied.left_out[name] = f"it has more than {MOST_FILE >> 20} MiB"
        return
    copied.files += 1
    copied.size += len(data)
    if copied.files > MOST_FILES or copied.size > MOST_BYTES:
        raise UsageError(
            f"The repository has more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB.",
            hint="Name the part of it that the task is about.",
        )
    path = target / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as new:
            new.write(data)
    except (FileExistsError, NotADirectoryError):
        copied.left_out[name] = "another member has its name"


def _of_folder(folder: Path, copied: Copied) -> Iterator[tuple[str, IO[bytes]]]:
    for parent, folders, names in os.walk(folder, followlinks=False):
        relative = Path(parent).relative_to(folder)
        deep = len(relative.parts) >= DEEPEST
        for name in sorted([*folders, *names]):
            path, shown = Path(parent, name), (relative / name).as_posix()
            if path.is_symlink():
                copied.left_out[shown] = "it is a link"
            elif name in names and wanted(shown) and not inside(shown):
                copied.left_out[ascii(shown)] = "its name is not plain"
            elif name in names and wanted(shown) and (file := _opened(path, shown, copied)):
                yield shown, file
        folders[:] = [] if deep else sorted(one for one in folders if one not in LEFT_OUT)


def _opened(path: Path, shown: str, copied: Copied) -> IO[bytes] | None:
    """The file, unless it has become something else; a pipe is not waited for."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = open(os.open(path, flags), "rb")  # noqa: SIM115 - the caller closes it
    except OSError as error:
        copied.left_out[shown] = f"it cannot be opened ({error.strerror})"
        return None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        copied.left_out[shown] = "it is no plain file"
        return None
    return file


def _of_tar(path: Path, copied: Copied) -> Iterator[tuple[str, IO[bytes]]]:
    try:
        archive = tarfile.open(path, "r|*")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(f"{path.name} cannot be opened ({error.strerror}).", hint="") from None
    with archive:
        for seen, member in enumerate(archive):
            name = member.name.removeprefix("./")
            if seen > 4 * MOST_FILES:
                raise UsageError(f"{path.name} has more than {4 * MOST_FILES} members.", hint="")
            if member.isdir():
                continue
            if not inside(name):
                copied.left_out[ascii(name)] = "it would lie outside"
            elif not member.isreg():
                copied.left_out[name] = "it is a link or no plain file"
            elif wanted(name) and (file := archive.extractfile(member)):
                yield name, file


def _of_zip(path: Path, copied: Copied) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        if len(archive.infolist()) > 4 * MOST_FILES:
            raise UsageError(f"{path.name} has more than {4 * MOST_FILES} members.", hint="")
        for member in archive.infolist():
            name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
            if member.is_dir():
                continue
            if not inside(name):
                copied.left_out[ascii(name)] = "it would lie outside"
            elif kind not in (0, stat.S_IFREG):
                copied.left_out[name] = "it is a link or no plain file"
            elif wanted(name):
                yield name, archive.open(member)

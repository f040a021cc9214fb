"""Copies of the files a job may read, in a folder that the sandbox mounts read-only."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from yunjue.errors import SandboxError

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]{0,199}\Z")
STALE_SECONDS = 86_400


@contextlib.contextmanager
def staged(files: Mapping[str, Path], parent: Path) -> Iterator[Path | None]:
    """Copy ``files`` (name -> host path) into a new folder under ``parent``, and remove it
    in the end. Copies, because the sandbox's user is not allowed to read a user's private
    files. Yields the folder, or None without files.

    Raises:
        SandboxError: a name could leave the folder, or a path is no regular file.
    """
    if not files:
        yield None
        return
    parent.mkdir(parents=True, exist_ok=True)
    for stale in parent.glob("job-*"):  # of a process that was killed
        with contextlib.suppress(OSError):
            if time.time() - stale.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(stale, ignore_errors=True)
    outer = Path(tempfile.mkdtemp(prefix="job-", dir=parent))
    try:
        folder = outer / "inputs"
        folder.mkdir()
        for name, path in files.items():
            _copy(name, Path(path), folder)
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def _copy(name: str, path: Path, folder: Path) -> None:
    hint = "Files for a tool need plain names, and must be regular files."
    if not NAME.match(name):
        raise SandboxError(f"{name!r} cannot be the name of an input file.", hint=hint)
    try:
        # Not blocking, so that a pipe in the place of a file is refused and not waited for.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as source:
            if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                raise SandboxError(f"{path} is no regular file.", hint=hint)
            with open(folder / name, "xb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
                os.fchmod(copy.fileno(), 0o644)
    except OSError as error:
        raise SandboxError(f"The file {path} cannot be given to a tool: {error}.") from error

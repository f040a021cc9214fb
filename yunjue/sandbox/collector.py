"""Reads the files a call left in ``outputs/``, inside the sandbox, when all its processes are
dead. The runner (:mod:`yunjue.sandbox.runner`) is sent the text of this file.

Only names and bytes leave the sandbox: no link, no device, no permission, no archive.
"""

from __future__ import annotations

import base64
import os
from typing import Any

FOLDER = "outputs"
DEEPEST = 8
MOST_ENTRIES = 1000
MOST_LEFT_OUT = 20
NAME_CHARS = 200


def prepare(scratch: str) -> None:
    """Make the folder for a call."""
    os.makedirs(os.path.join(scratch, FOLDER), exist_ok=True)


def collect(scratch: str, most_files: int, most_bytes: int) -> dict[str, Any]:
    """``files``: [name, base64] of regular files, names relative and in order; ``left_out``:
    [name, why] of others, the first :data:`MOST_LEFT_OUT`."""
    files: list[list[str]] = []
    left_out: list[list[str]] = []
    left = most_bytes
    for name, path, problem in walk(os.path.join(scratch, FOLDER)):
        if not problem and len(files) >= most_files:
            problem = f"a call may leave {most_files} files"
        if not problem:
            data, problem = read(path, left)
            if not problem:
                left -= len(data)
                files.append([name, base64.b64encode(data).decode()])
        if problem and len(left_out) < MOST_LEFT_OUT:
            left_out.append([ascii(name)[1:-1][:NAME_CHARS], problem])
    return {"files": files, "left_out": left_out}


def walk(top: str) -> list[tuple[str, str, str]]:
    """(name relative to ``top``, path, why it is left out or "") of what is below it."""
    if not os.path.isdir(top) or os.path.islink(top):
        return [(FOLDER, top, "it is no folder")] if os.path.lexists(top) else []
    found: list[tuple[str, str, str]] = []
    below = [("", top, 0)]
    while below:
        prefix, folder, depth = below.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            found.append((prefix, folder, f"it cannot be read: {error.strerror}"))
            continue
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if len(found) >= MOST_ENTRIES:
                found.append((name, entry.path, f"only {MOST_ENTRIES} entries are looked at"))
                return found
            if entry.is_symlink():
                found.append((name, entry.path, "it is a link"))
            elif entry.is_dir(follow_symlinks=False):
                if depth + 1 < DEEPEST:
                    below.append((f"{name}/", entry.path, depth + 1))
                else:
                    found.append((name, entry.path, f"it is more than {DEEPEST} folders deep"))
            else:
                found.append((name, entry.path, ""))
    return sorted(found)


def read(path: str, most: int) -> tuple[bytes, str]:
    """The bytes of a regular file, or why it is left out. Waits for nothing."""
    import stat

    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return b"", f"it cannot be read: {error.strerror}"
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return b"", "it is no regular file"
        data = file.read(most + 1)
    return (b"", "the files are larger than allowed") if len(data) > most else (data, "")

"""Which repository a task is about: an archive that comes with it, or a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from yunjue.errors import UsageError

VARIABLE = "YUNJUE_CODE_REPOSITORY"
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")


def fits(task: str, files: Sequence[str]) -> bool:
    """Whether a repository comes with the task, or one is set."""
    return any(name.lower().endswith(ARCHIVES) for name in files) or bool(_set())


def repository_for(files: Mapping[str, Path]) -> Path:
    """The archive or folder.

    The working folder counts if it is the root of a git repository: then the user has named the
    domain there.

    Raises:
        UsageError: there is none, or more than one.
    """
    archives = [path for name, path in files.items() if name.lower().endswith(ARCHIVES)]
    if len(archives) > 1:
        raise UsageError(f"{len(archives)} archives; a task is about one repository.", hint="")
    if archives:
        return archives[0]
    named = _set()
    if named:
        folder = Path(named).expanduser().absolute()
        if not folder.is_dir():
            raise UsageError(f"{VARIABLE} names {named}, which is no folder.", hint="")
        return folder
    if (Path.cwd() / ".git").exists():
        return Path.cwd()
    raise UsageError(
        "There is no repository to work on.",
        hint=f"Run in its root, name it in {VARIABLE}, or give an archive (.tar.gz, .zip) "
        "with --file.",
    )


def _set() -> str:
    return os.environ.get(VARIABLE, "").strip()

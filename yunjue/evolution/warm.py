"""Copies of libraries: what an evolution begins with, and what it began with."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from yunjue.errors import UsageError
from yunjue.files import writing
from yunjue.store.failures import translated

DATABASE = "library.db"


def copy_library(source: Path, target: Path) -> bool:
    """Copy rows and code of the library ``source`` to the folder ``target``; vectors are made
    again when they are needed. Others may go on using the source.

    Returns:
        Whether there was a library to copy.
    """
    if not (source / DATABASE).exists():
        return False
    with writing(target), translated(source / DATABASE):
        target.mkdir(parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(source / DATABASE)) as rows,
            closing(sqlite3.connect(target / DATABASE)) as copy,
        ):
            rows.backup(copy)
        # Code is written before its rows and never changed, so it is all there.
        if (source / "code").exists():
            shutil.copytree(source / "code", target / "code", dirs_exist_ok=True)
    return True


def warm_start(source: Path, target: Path) -> None:
    """Begin the library ``target`` with the tools of ``source``.

    Raises:
        UsageError: there is no library to begin with, or the target has tools already.
    """
    if (target / DATABASE).exists():
        raise UsageError(
            f"{target} is a library already; a warm start needs a new one.",
            hint="Name a new folder with --library.",
        )
    if not copy_library(source, target):
        raise UsageError(f"There is no library in {source}.")

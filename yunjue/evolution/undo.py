"""Takes back what steps of an evolution changed in its library."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from yunjue.config import Settings
from yunjue.errors import UsageError
from yunjue.evolution.evolve import batches, beginning
from yunjue.evolution.folder import Folder
from yunjue.library.open import open_library


def undo_to(folder: Folder, step: int, warn: Callable[[str], None]) -> tuple[list[int], list[str]]:
    """Undo ``step`` and all later ones, the last first; their tasks may run anew.

    What the tasks had come to is kept beside, in folders called ``….undone-N``.

    Returns:
        The undone steps, and the ids of tools that were left because they changed since.

    Raises:
        UsageError: that step does not stand, or another process works on the evolution.
        NameTaken: a tool that would come back finds its name taken; earlier undone steps
            stay undone.
    """
    with folder.held():
        return _undo_to(folder, step, warn)


def _undo_to(folder: Folder, step: int, warn: Callable[[str], None]) -> tuple[list[int], list[str]]:
    started = beginning(folder.journal())
    library = open_library(Settings(**started["settings"]), warn)
    try:
        standing = [done.step for done in library.absorbed(folder.id)]
        if step not in standing:
            known = ", ".join(map(str, standing)) or "none"
            raise UsageError(f"Step {step} of {folder.id} does not stand; there are: {known}.")
        undone, left = [], []
        for number in reversed([one for one in standing if one >= step]):
            left += library.undo(folder.id, number)
            _set_aside(folder, number, started)
            folder.note("undone", {"step": number})
            undone.append(number)
        return undone, left
    finally:
        library.close()


def _set_aside(folder: Folder, step: int, started: Any) -> None:
    places = dict(batches(started["tasks"], started["batch_size"]))[step]
    for path in [folder.step(step), *(folder.task(index) for index in places)]:
        if path.exists():
            number = 1
            while (aside := path.with_name(f"{path.name}.undone-{number}")).exists():
                number += 1
            shutil.move(path, aside)

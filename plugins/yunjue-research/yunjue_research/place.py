"""Which tasks belong here, and which corpus a task is about."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from yunjue.errors import UsageError

VARIABLE = "YUNJUE_RESEARCH_CORPUS"


def fits(task: str, files: Sequence[str]) -> bool:
    """Whether a document comes with the task, or it names a corpus."""
    from yunjue_research.reading.reading import SUFFIXES

    return any(name.lower().endswith(SUFFIXES) for name in files) or bool(named_in(task))


def named_in(task: str) -> str:
    """The corpus whose name the task has as a word; "" if it has none, or several."""
    from yunjue_research.corpus import names

    words = set(re.findall(r"[a-z0-9_-]+", task.lower()))
    found = [name for name in names() if name in words]
    return found[0] if len(found) == 1 else ""


def corpus_for(task: str, files: Mapping[str, Path]) -> str:
    """The name of the corpus; "" if the task's own files are it.

    Raises:
        UsageError: it is not clear which.
    """
    from yunjue_research.corpus import names

    if files:
        return ""
    wanted, known = os.environ.get(VARIABLE, ""), names()
    if wanted:
        if wanted not in known:
            raise UsageError(
                f"{VARIABLE} names the corpus {wanted!r}, which is not there.",
                hint=f"There are: {', '.join(known) or 'none'}.",
            )
        return wanted
    name = named_in(task) or (known[0] if len(known) == 1 else "")
    if not name:
        raise UsageError(
            f"It is not clear which corpus to search; there are: {', '.join(known) or 'none'}.",
            hint="`yunjue research ingest DIR --corpus NAME` makes one; name it in the task or "
            f"in {VARIABLE}, or give documents with --file.",
        )
    return name

"""The folder of evolutions: ``HOME/evolutions/ID/journal.jsonl``."""

from __future__ import annotations

from pathlib import Path

from yunjue.errors import UsageError
from yunjue.metrics.journal import JOURNAL_FILE


def find(folder: Path, name: str | None = None) -> Path:
    """The journal of an evolution.

    Args:
        folder: where the evolutions are, usually ``HOME/evolutions``.
        name: an id, or the start or end of one; else a path to an evolution's folder or to a
            journal. None: the evolution that was written to last.

    Raises:
        UsageError: none or more than one is meant.
    """
    journals = sorted(folder.glob(f"*/{JOURNAL_FILE}"))
    if name is None:
        if not journals:
            raise UsageError(
                f"There is no evolution in {folder} yet.", hint="Start one: yunjue evolve TASKS"
            )
        return max(journals, key=lambda journal: (journal.stat().st_mtime_ns, journal))
    ids = {journal.parent.name: journal for journal in journals}
    if name in ids:
        return ids[name]
    meant = [id for id in ids if name and (id.startswith(name) or id.endswith(name))]
    if len(meant) == 1:
        return ids[meant[0]]
    path = Path(name).expanduser()
    if name and path.is_dir() and (path / JOURNAL_FILE).is_file():
        return path / JOURNAL_FILE
    if path.is_file():
        return path
    problem = f"{len(meant)} evolutions are meant by" if meant else "There is no evolution"
    known = ", ".join(sorted(meant or ids)[-5:]) or "none"
    raise UsageError(f"{problem} {name!r}.", hint=f"In {folder}: {known}.")

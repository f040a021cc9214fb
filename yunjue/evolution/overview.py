"""One line about an evolution."""

from __future__ import annotations

from typing import Any

from yunjue.evolution.evolve import batches, beginning
from yunjue.evolution.folder import Folder
from yunjue.metrics.journal import history


def overview(folder: Folder) -> dict[str, Any]:
    """``id``, ``status`` (finished, or unfinished: `yunjue evolve resume` goes on), how many
    ``tasks`` and ``steps`` are done and of how many, ``tools`` in use, and what it was begun
    with."""
    journal = folder.journal()
    started, past = beginning(journal), history(journal)
    total = started["tasks"]
    steps = len(batches(total, started["batch_size"]))
    return {
        "id": folder.id,
        "status": "finished" if journal[-1]["kind"] == "finished" else "unfinished",
        "tasks": f"{len(past.arm('evolve'))}/{total}",
        "steps": f"{len(past.steps)}/{steps}",
        "tools": past.steps[-1].size if past.steps else 0,
        "model": started["model"] or "default",
        "library": str(started["settings"]["library"] or "the user's"),
    }

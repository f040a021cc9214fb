"""Tells whether the index's graph files are as the last writer left them.

Chroma keeps its rows in SQLite, which survives a kill, and its HNSW graph in plain
files, which do not: a torn one is loaded unchecked, and gives wrong neighbours or
crashes the process. So each writer seals what it leaves behind.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from yunjue.files import write_whole

_SEAL = "seal.json"
_GRAPH = (".bin", ".pickle")


def graph_hashes(folder: Path) -> dict[str, str]:
    """Path within ``folder`` -> SHA-256 of every graph file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.suffix in _GRAPH
    }


def sealed_hashes(folder: Path) -> dict[str, str] | None:
    """What was sealed last; None if the seal itself cannot be read."""
    try:
        return json.loads((folder / _SEAL).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return None


def seal(folder: Path) -> None:
    """Declare the graph files sound as they are now."""
    hashes = graph_hashes(folder)
    if hashes != sealed_hashes(folder):
        write_whole(folder / _SEAL, json.dumps(hashes).encode())


def intact(folder: Path) -> bool:
    """Whether nothing changed since :func:`seal`; true of an empty folder."""
    return graph_hashes(folder) == sealed_hashes(folder)

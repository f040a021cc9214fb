"""Tells whether the index's graph files are as the last writer left them.

Chroma keeps its rows in SQLite, which survives a kill, and its HNSW graph in plain
files, which do not: a torn one is loaded unchecked, and gives wrong neighbours or
crashes the process. So each writer seals what it leaves behind. Files whose size and time
are as they were sealed are not read again: that would take longer than a search.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from yunjue.files import write_whole

_SEAL = "seal.json"
_GRAPH = (".bin", ".pickle")
_TICK = 100_000_000
"""Nanoseconds; a file written so shortly before may change again without its time showing it."""


def graph_hashes(folder: Path) -> dict[str, str]:
    """Path within ``folder`` -> SHA-256 of every graph file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in _graph(folder)
    }


def seal(folder: Path) -> None:
    """Declare the graph files sound as they are now."""
    known = _sealed(folder)
    stats = _stats(folder)
    if known is not None and known.get("stats", {}) == stats:
        return
    settled = time.time_ns() - _TICK
    stats = {name: one if one[1] < settled else [] for name, one in stats.items()}
    data = {"hashes": graph_hashes(folder), "stats": stats}
    write_whole(folder / _SEAL, json.dumps(data).encode())


def intact(folder: Path, thorough: bool = False) -> bool:
    """Whether nothing changed since :func:`seal`; true of an empty folder.

    Args:
        thorough: read the files even if their sizes and times are the sealed ones.
    """
    known = _sealed(folder)
    if known is None:
        return False
    if not thorough and known.get("stats", {}) == _stats(folder):
        return True
    return graph_hashes(folder) == known.get("hashes", {})


def _sealed(folder: Path) -> dict[str, Any] | None:
    """What was sealed last, ``hashes`` and ``stats``; None if the seal cannot be read."""
    try:
        found = json.loads((folder / _SEAL).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    return found if "hashes" in found or not found else {"hashes": found}


def _stats(folder: Path) -> dict[str, list[int]]:
    """Path within ``folder`` -> size and time of every graph file."""
    found = {}
    for path in _graph(folder):
        stat = path.stat()
        found[path.relative_to(folder).as_posix()] = [stat.st_size, stat.st_mtime_ns]
    return found


def _graph(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in _GRAPH)

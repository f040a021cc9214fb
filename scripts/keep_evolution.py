"""Copies a finished evolution's recording, without checkpoints and this machine's paths.

    python scripts/keep_evolution.py HOME/evolutions/ID traces/evolutions/NAME

What is copied is what `yunjue evolve --replay` needs. The folder's name becomes the evolution's.
"""

from __future__ import annotations

import sys
from pathlib import Path

from yunjue.config import home

KEPT = ("journal.jsonl", "tasks.jsonl", "trace.jsonl", "outcome.json")


def main() -> None:
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if path.name not in KEPT or "undone" in str(inside) or inside.parts[0] == "initial":
            continue
        if path.name == "outcome.json" and '"error": ""' in path.read_text():
            continue  # what ended well is in its trace
        copy = target / inside
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text().replace(str(home()), "HOME"))


if __name__ == "__main__":
    main()

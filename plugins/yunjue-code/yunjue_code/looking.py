"""What can be seen of a tree: its files, lines of a file, places of a text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from yunjue_code.mistake import Mistake

MOST_LISTED = 60
MOST_FOUND = 20
MOST_SEARCHED = 1 << 20
LINE_CHARS = 200


def listed(files: Mapping[str, Path], folder: str) -> str:
    """The files below ``folder``. Raises Mistake: there is none."""
    prefix = "" if folder in (".", "./", "/", "") else folder.strip("/").removeprefix("./") + "/"
    names = [name for name in files if name.startswith(prefix)]
    if not names and prefix:
        raise Mistake(f"There is no file below {folder}.")
    more = f"\nand {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return "Files:\n" + "\n".join(names[:MOST_LISTED]) + more


def read_from(text: str, first: int, room: int) -> str:
    """The lines from ``first`` on, as :func:`numbered`; all of them where they fit, so that a
    short file looks the same from wherever it is read."""
    whole = numbered(text, 1, room)
    return whole if whole.count("\n") == text.count("\n") else numbered(text, first, room)


def numbered(text: str, first: int, room: int) -> str:
    """Lines from ``first`` on with their numbers, as many as fit ``room`` characters."""
    lines = text.split("\n")
    shown, used = [], 0
    for number, line in enumerate(lines[first - 1 :], start=first):
        told = f"{number}: {line[:LINE_CHARS]}"
        used += len(told) + 1
        if shown and used > room - 100:
            shown.append(f"({len(lines)} lines in all)")
            break
        shown.append(told)
    return "\n".join(shown) if shown else f"It has only {len(lines)} lines."


def found_text(files: Mapping[str, Path], wanted: str) -> str:
    """The lines that have the text, with their places. Raises Mistake: there is none."""
    found = []
    for name, path in files.items():
        if path.stat().st_size > MOST_SEARCHED:
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        if wanted not in text:
            continue
        for number, line in enumerate(text.split("\n"), start=1):
            if wanted.split("\n")[0] in line:
                found.append(f"{name}:{number}: {line.strip()[:LINE_CHARS]}")
        if len(found) > MOST_FOUND:
            return "\n".join([*found[:MOST_FOUND], "and more"])
    if not found:
        raise Mistake(f"No file has {wanted[:100]!r}.")
    return "\n".join(found)

"""Skills for tests, as text and as folders."""

from __future__ import annotations

from pathlib import Path

FRONT = "name: {name}\ndescription: {description}\n{more}"
DESCRIPTION = "Reverses a text. Use when a text is wanted backwards."
BODY = "# Steps\n\n1. Take the text.\n2. Give its characters in reverse order."


def skill_md(name="reverse-text", description=DESCRIPTION, body=BODY, more=""):
    front = FRONT.format(name=name, description=description, more=more)
    return f"---\n{front}---\n\n{body}\n"


def write_skill(parent: Path, name="reverse-text", files=None, **parts) -> Path:
    """A folder ``parent/name`` with a SKILL.md and ``files`` (path -> text or bytes)."""
    folder = parent / name
    everything = {"SKILL.md": skill_md(name, **parts), **(files or {})}
    for path, content in everything.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder

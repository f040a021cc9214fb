"""Documents in passages: what is searched, shown and quoted from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from yunjue_research.reading.reading import Document, Part

LENGTH = 700
"""Characters that a passage should have; a longer line is cut between sentences."""
SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Passage:
    """Text of a document and its place: ``page 3``, ``line 7``, ``lines 7-12``."""

    place: str
    text: str


def passages(document: Document) -> list[Passage]:
    """The passages in order. A passage is of one page; lines are joined until it is long
    enough, and a heading begins a new one."""
    return list(_of_pages(document.parts) if document.unit == "page" else _of_lines(document.parts))


def text_of(document: Document) -> str:
    """The whole text, in which quotes are looked for."""
    return "\n".join(part.text for part in document.parts)


def _of_pages(parts: Sequence[Part]) -> Iterator[Passage]:
    for part in parts:
        for text in _pieces(part.text):
            yield Passage(f"page {part.number}", text)


def _of_lines(parts: Sequence[Part]) -> Iterator[Passage]:
    gathered: list[Part] = []
    for part in parts:
        length = sum(len(one.text) for one in gathered)
        heading = part.text.lstrip().startswith("#")
        if gathered and (heading or length + len(part.text) > LENGTH):
            yield from _gathered(gathered)
            gathered = []
        gathered.append(part)
    if gathered:
        yield from _gathered(gathered)


def _gathered(parts: list[Part]) -> Iterator[Passage]:
    first, last = parts[0].number, parts[-1].number
    place = f"line {first}" if first == last else f"lines {first}-{last}"
    for text in _pieces("\n".join(part.text for part in parts)):
        yield Passage(place, text)


def _pieces(text: str) -> Iterator[str]:
    """``text`` in pieces of about :data:`LENGTH` characters."""
    piece = ""
    for sentence in SENTENCE.split(text.strip()):
        for start in range(0, len(sentence), LENGTH) or [0]:
            part = sentence[start : start + LENGTH]
            if piece and len(piece) + len(part) > LENGTH:
                yield piece
                piece = ""
            piece = f"{piece} {part}".strip()
    if piece:
        yield piece

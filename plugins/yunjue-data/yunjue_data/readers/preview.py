"""The form of a preview, and its bounds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

HEAD_BYTES = 1 << 16
MOST_COLUMNS = 40
SHOWN_ROWS = 2
SHOWN_CHARS = 24
NAME_CHARS = 60


class NotReadable(Exception):
    """The file is not what its name says, or asks for more than a preview reads."""


def head(path: Path) -> bytes:
    """The first bytes, decompressed for a ``.gz``.

    Raises:
        NotReadable: it holds zeros, so it is no text.
    """
    with path.open("rb") as file:
        data = file.read(HEAD_BYTES)
    if path.suffix.lower() == ".gz":
        import zlib

        try:
            data = zlib.decompressobj(wbits=31).decompress(data, HEAD_BYTES)
        except zlib.error:
            raise NotReadable("no gzip file") from None
    if b"\0" in data:
        raise NotReadable("it holds zeros, so it is no text")
    return data


def preview(
    table: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]
) -> str:
    """One table: its name, columns with types ("" for unknown), and the first rows."""
    shown = columns[:MOST_COLUMNS]
    listed = ", ".join(f"{column_name(name)} {kind}".strip() for name, kind in shown)
    if len(columns) > len(shown):
        listed += f", and {len(columns) - len(shown)} more"
    text = f"table {table}({listed})"
    for row in rows[:SHOWN_ROWS]:
        text += " | " + ", ".join(short(value) for value in row[:MOST_COLUMNS])
    return text


def column_name(name: str) -> str:
    """As SQL must write it: in quotes unless it is a plain word."""
    name = clean(name, NAME_CHARS)
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else '"' + name.replace('"', '""') + '"'


def table_name(file: str) -> str:
    """The name of a file's table, as the tools make it (``tool_sources/common.py``)."""
    stem = re.sub(r"\W+", "_", file.lower().split(".")[0]).strip("_") or "data"
    return f"t_{stem}" if stem[0].isdigit() else stem


def short(value: object) -> str:
    return clean("" if value is None else str(value), SHOWN_CHARS)


def clean(text: str, most: int) -> str:
    """Printable, on one line, cut."""
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def guessed(values: Sequence[str]) -> str:
    """The type of a column of texts, by these of its values."""
    values = [value for value in values if value]
    for kind, pattern in KINDS.items():
        if values and all(pattern.fullmatch(value.strip()) for value in values):
            return kind
    return "text"


KINDS = {
    "integer": re.compile(r"[-+]?\d{1,18}"),
    "number": re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "timestamp": re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?Z?"),
}

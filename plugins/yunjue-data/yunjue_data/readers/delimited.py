"""The beginning of a CSV or TSV file."""

from __future__ import annotations

import csv
from pathlib import Path

from yunjue_data.readers.preview import HEAD_BYTES, NotReadable, guessed, head, preview, table_name

LOOKED_AT = 200
"""Rows whose values tell the types."""


def read_delimited(path: Path) -> str:
    """Columns and first rows; the delimiter is the one that the first line has most of.

    Raises:
        NotReadable: no text.
    """
    data = head(path)
    lines = data.decode("utf-8-sig", "replace").splitlines()
    if len(data) >= HEAD_BYTES:
        lines = lines[:-1]  # cut somewhere in the middle
    if not lines:
        raise NotReadable(f"its first line has more than {HEAD_BYTES >> 10} KiB")
    delimiter = max(",;\t|", key=lines[0].count)
    try:
        rows = list(csv.reader(lines[: LOOKED_AT + 1], delimiter=delimiter))
    except csv.Error as error:
        raise NotReadable(str(error)) from None
    header, rows = rows[0], rows[1:]
    kinds = [guessed([row[n] for row in rows if n < len(row)]) for n in range(len(header))]
    return preview(table_name(path.name), list(zip(header, kinds, strict=True)), rows)

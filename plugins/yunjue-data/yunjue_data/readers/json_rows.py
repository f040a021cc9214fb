"""The beginning of a JSON file: an array of objects, or an object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from yunjue_data.readers.preview import NotReadable, head, preview, table_name

LOOKED_AT = 50


def read_json(path: Path) -> str:
    """The members of the first objects, and their values.

    Raises:
        NotReadable: the first value is no whole object within what is read.
    """
    rows = first_objects(head(path).decode("utf-8-sig", "replace"))
    if not rows:
        raise NotReadable("it does not begin with objects that have members")
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [(name, kind_of([row[name] for row in rows if name in row])) for name in names]
    shown = [[plain(row.get(name)) for name in names] for row in rows]
    return preview(table_name(path.name), columns, shown)


def first_objects(text: str) -> list[dict[str, Any]]:
    """The objects at the beginning of an array, or of a sequence."""
    decoder, found = json.JSONDecoder(), []
    place = len(text) - len(text.lstrip(" \t\r\n["))
    while len(found) < LOOKED_AT:
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, dict):
            break
        found.append(value)
        rest = text[place:].lstrip(" \t\r\n,")
        place = len(text) - len(rest)
    return found


def kind_of(values: list[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    if kinds and kinds <= {int, float}:
        return "number"
    if kinds and kinds <= {dict, list}:
        return "nested"
    return "text"


def plain(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

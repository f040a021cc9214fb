"""The schema in the footer of a Parquet file.

The footer is a structure in Thrift's compact protocol; this reads the few members that a
preview needs (apache/parquet-format, ``FileMetaData``: 2 is the schema, 3 the number of rows)
and skips the others.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

from yunjue_data.readers.preview import NotReadable, preview, table_name

MOST_FOOTER = 1 << 22
MOST_ELEMENTS = 10_000
DEEPEST = 16
PHYSICAL = ("boolean", "integer", "integer", "timestamp", "number", "number", "text", "bytes")
"""By the number of SchemaElement.type."""
CONVERTED = {0: "text", 5: "decimal", 6: "date", 9: "timestamp", 10: "timestamp"}
"""By the number of SchemaElement.converted_type, where it says more."""

STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(13)


def read_parquet(path: Path) -> str:
    """Columns at the top level, with types, and the number of rows.

    Raises:
        NotReadable: no Parquet file, or a footer of more than 4 MiB.
    """
    meta = Compact(footer(path)).struct({2, 3}, {2: {1, 3, 4, 5, 6}})
    elements = meta.get(2)
    if not elements:
        raise NotReadable("its footer has no schema")
    columns, place = [], 1
    for _ in range(elements[0].get(5, 0)):
        if place >= len(elements):
            raise NotReadable("its schema ends too early")
        columns.append(
            (elements[place].get(4, b"").decode("utf-8", "replace"), kind(elements[place]))
        )
        place = past(elements, place, 0)
    return f"{meta.get(3, 0)} rows, {preview(table_name(path.name), columns, [])}"


def footer(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size < 12:
            raise NotReadable("too short for a Parquet file")
        file.seek(size - 8)
        length, magic = struct.unpack("<I4s", file.read(8))
        if magic != b"PAR1":
            raise NotReadable("no Parquet file")
        if length > min(MOST_FOOTER, size - 12):
            raise NotReadable(f"its footer is said to have {length} bytes")
        file.seek(size - 8 - length)
        return file.read(length)


def kind(element: dict[int, Any]) -> str:
    if element.get(5):
        return "nested"
    if element.get(6) in CONVERTED:
        return CONVERTED[element[6]]
    number = element.get(1, -1)
    return PHYSICAL[number] if 0 <= number < len(PHYSICAL) else ""


def past(elements: list[dict[int, Any]], place: int, depth: int) -> int:
    """The place after the element and all below it."""
    if depth > DEEPEST or place >= len(elements):
        raise NotReadable("its schema nests too deep or ends too early")
    children, place = elements[place].get(5, 0), place + 1
    for _ in range(children):
        place = past(elements, place, depth + 1)
    return place


class Compact:
    """Reads Thrift's compact protocol from bytes; nothing is made bigger than they are."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def struct(
        self, wanted: set[int], below: dict[int, set[int]], depth: int = 0
    ) -> dict[int, Any]:
        """The members ``wanted`` by number; ``below`` says which of the structures in a list."""
        if depth > DEEPEST:
            raise NotReadable("its footer nests too deep")
        found: dict[int, Any] = {}
        number = 0
        while True:
            header = self.byte()
            code = header & 15
            if code == STOP:
                return found
            number = number + (header >> 4) if header >> 4 else self.zigzag()
            value = self.value(code, below.get(number, set()), depth)
            if number in wanted:
                found[number] = value

    def value(self, code: int, inner: set[int], depth: int) -> Any:
        if code in (TRUE, FALSE):
            return code == TRUE
        if code == BYTE:
            return self.byte()
        if code in (I16, I32, I64):
            return self.zigzag()
        if code == DOUBLE:
            return self.take(8)
        if code == BINARY:
            return self.take(self.varint())
        if code in (LIST, SET):
            return self.list(inner, depth)
        if code == MAP:
            return self.map(depth)
        if code == STRUCT:
            return self.struct(inner, {}, depth + 1)
        raise NotReadable(f"its footer has a member of type {code}")

    def list(self, inner: set[int], depth: int) -> list[Any]:
        header = self.byte()
        count = header >> 4 if header >> 4 != 15 else self.varint()
        code = header & 15
        if inner and count > MOST_ELEMENTS:
            raise NotReadable(f"its schema has {count} elements")
        if count > len(self.data) - self.place:  # every entry has a byte
            raise NotReadable("its footer has a list longer than itself")
        found = []
        for _ in range(count):
            entry = self.byte() if code in (TRUE, FALSE) else self.value(code, inner, depth + 1)
            if inner:
                found.append(entry)
        return found

    def map(self, depth: int) -> None:
        count = self.varint()
        if not count:
            return
        kinds = self.byte()
        if count > len(self.data) - self.place or depth > DEEPEST:
            raise NotReadable("its footer has a map longer than itself")
        for _ in range(count):
            self.value(kinds >> 4, set(), depth + 1)
            self.value(kinds & 15, set(), depth + 1)

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.place:
            raise NotReadable("its footer ends too early")
        self.place += count
        return self.data[self.place - count : self.place]

    def varint(self) -> int:
        result = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            result |= (byte & 127) << shift
            if byte < 128:
                return result
        raise NotReadable("its footer has a number without end")

    def zigzag(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

"""Rows of files of tasks, whatever their format; what cannot be read is told by its line.

A row is a dict of fields, a bare text counting as one whose only field is ``task``.
Readers are generators of :class:`Row` and :class:`Problem`, in the order of the file.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from yunjue.errors import UsageError

MAX_LINE = 10_000_000
MAX_ARRAY = 500_000_000
"""Bytes of a line, and of a JSON array, which is read as a whole."""
TASK_SUFFIXES = (".txt", ".md")

_TOO_LONG = f"longer than {MAX_LINE // 1_000_000} MB"
_NOT_UTF8 = "not UTF-8 text"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at ``place``, such as "line 3 of tasks.jsonl"."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``number`` counts those of its source from 1."""

    place: str
    number: int
    fields: dict[str, Any]


def read_file(path: Path) -> Iterator[Row | Problem]:
    """The rows of one file, whose name says the format: ``.json``, ``.csv``, ``.tsv``,
    ``.jsonl``; of another name as :func:`read_stream`.

    Raises:
        UsageError: the file as a whole cannot be read.
    """
    readers = {".json": _json_file, ".csv": _csv, ".tsv": _tsv, ".jsonl": _jsonl}
    reader = readers.get(path.suffix.lower(), read_stream)
    try:
        with path.open("rb") as file:
            yield from reader(file, _shown(path.name))
    except OSError as error:
        raise UsageError(
            f"{_shown(str(path))} cannot be read: {error.strerror or error}."
        ) from None


def read_folder(folder: Path) -> Iterator[Row | Problem]:
    """Each ``.txt`` or ``.md`` file is a task, its name without suffix the id; in the order
    of names. Anything else is a problem, but for hidden files."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}.") from None
    number = 0
    for path in entries:
        if path.name.startswith("."):
            continue
        if path.suffix.lower() not in TASK_SUFFIXES or not path.is_file():
            yield Problem(_shown(path.name), "neither a .txt nor a .md file")
            continue
        try:
            with path.open("rb") as file:
                data = file.read(MAX_LINE + 1)
        except OSError as error:
            yield Problem(_shown(path.name), f"cannot be read: {error.strerror}")
            continue
        text = _decoded(data.removeprefix(b"\xef\xbb\xbf"))
        if len(data) > MAX_LINE or text is None:
            yield Problem(_shown(path.name), _TOO_LONG if len(data) > MAX_LINE else _NOT_UTF8)
            continue
        number += 1
        yield Row(_shown(path.name), number, {"id": path.stem, "task": text.strip()})


def read_stream(file: BinaryIO, name: str) -> Iterator[Row | Problem]:
    """JSON lines if the first line looks like one, else one task a line."""
    lines = _lines(file, name)
    first = next(((place, line) for place, line in lines if line is None or line.strip()), None)
    if first is None:
        return
    reader = _from_json_lines if _looks_like_json(first[1] or b"") else _from_text_lines
    yield from reader(chain([first], lines))


def _jsonl(file: BinaryIO, name: str) -> Iterator[Row | Problem]:
    return _from_json_lines(_lines(file, name))


def _from_json_lines(lines: Iterable[tuple[str, bytes | None]]) -> Iterator[Row | Problem]:
    number = 0
    for place, line in lines:
        if line is not None and not line.strip():
            continue
        number += 1
        text = None if line is None else _decoded(line)
        if text is None:
            yield Problem(place, _TOO_LONG if line is None else _NOT_UTF8)
            continue
        try:
            value = _parsed(text)
        except ValueError as error:
            yield Problem(place, f"not JSON: {error}")
            continue
        yield _row(place, number, value)


def _from_text_lines(lines: Iterable[tuple[str, bytes | None]]) -> Iterator[Row | Problem]:
    number = 0
    for place, line in lines:
        if line is not None and not line.strip():
            continue
        number += 1
        text = None if line is None else _decoded(line)
        if text is None:
            yield Problem(place, _TOO_LONG if line is None else _NOT_UTF8)
        else:
            yield Row(place, number, {"task": text.strip()})


def _json_file(file: BinaryIO, name: str) -> Iterator[Row | Problem]:
    """An array; or, since many give such files this name too, JSON lines."""
    data = file.read(MAX_ARRAY + 1)
    if len(data) > MAX_ARRAY:
        raise UsageError(
            f"{name} is larger than {MAX_ARRAY // 1_000_000} MB.", hint="Write it as JSON lines."
        )
    _refuse_utf16(data, name)
    data = data.removeprefix(b"\xef\xbb\xbf")
    text = _decoded(data)
    if text is None:
        raise UsageError(f"{name} is {_NOT_UTF8}.", hint="Save it as UTF-8.")
    try:
        values = _parsed(text)
    except ValueError as error:
        lines = data.split(b"\n")
        if _is_object(lines[0]):
            numbered = enumerate(lines, start=1)
            yield from _from_json_lines((f"line {n} of {name}", line) for n, line in numbered)
            return
        raise UsageError(f"{name} is not JSON: {error}.") from None
    if isinstance(values, dict):
        values = [values]
    if not isinstance(values, list):
        raise UsageError(f"{name} is JSON, but no array.")
    for number, value in enumerate(values, start=1):
        yield _row(f"entry {number} of {name}", number, value)


def _tsv(file: BinaryIO, name: str) -> Iterator[Row | Problem]:
    return _csv(file, name, delimiter="\t")


def _csv(file: BinaryIO, name: str, delimiter: str = ",") -> Iterator[Row | Problem]:
    """Rows under a header. A quote that never ends is told where it begins."""
    too_long: list[Problem] = []

    def lines() -> Iterator[str]:
        for place, line in _lines(file, name):
            if line is None:
                too_long.append(Problem(place, _TOO_LONG))
            # Bytes that are not UTF-8 become lone surrogates, which make their row a problem.
            yield (line or b"").decode("utf-8", "surrogateescape")

    rows = csv.reader(lines(), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    number = 0
    while True:
        place = f"line {rows.line_num + 1} of {name}"
        try:
            values = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            if header is None:
                raise UsageError(f"The header of {name} cannot be read: {error}.") from None
            yield Problem(place, f"not a row: {error}")
            continue
        yield from too_long
        too_long.clear()
        if not any(value.strip() for value in values):
            continue
        if header is None:
            header = _header(values, name)
            continue
        number += 1
        if len(values) > len(header):
            yield Problem(place, f"{len(values)} fields, but the header has {len(header)}")
        else:
            fields = dict.fromkeys(header, "") | dict(zip(header, values, strict=False))
            yield Row(place, number, fields)


def _header(values: list[str], name: str) -> list[str]:
    header = [value.strip() for value in values]
    if twice := [column for column in header if column and header.count(column) > 1]:
        raise UsageError(f"The header of {name} has the column {twice[0]!r} twice.")
    return header


def _lines(file: BinaryIO, name: str) -> Iterator[tuple[str, bytes | None]]:
    """(place, line) of each line, with its newline; None instead of one that is too long."""
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            _refuse_utf16(line, name)
            line = line.removeprefix(b"\xef\xbb\xbf")
        place = f"line {number} of {name}"
        if len(line) <= MAX_LINE:
            yield place, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE)
        yield place, None


def _refuse_utf16(data: bytes, name: str) -> None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageError(f"{name} is UTF-16 text.", hint="Save it as UTF-8.")


def _row(place: str, number: int, value: Any) -> Row | Problem:
    if isinstance(value, str):
        return Row(place, number, {"task": value})
    if isinstance(value, dict):
        return Row(place, number, value)
    return Problem(place, "JSON, but neither an object nor a text")


def _looks_like_json(line: bytes) -> bool:
    return line.lstrip().startswith(b"{") or _is_text(line)


def _is_object(line: bytes) -> bool:
    return isinstance(_parsed_or_none(line), dict)


def _is_text(line: bytes) -> bool:
    return isinstance(_parsed_or_none(line), str)


def _parsed_or_none(line: bytes) -> Any:
    try:
        return _parsed(line.decode())
    except ValueError:
        return None


def _parsed(text: str) -> Any:
    """ValueError if ``text`` is not JSON, NaN included."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("it nests too deep") from None


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _shown(name: str) -> str:
    """A file's name as text; names are bytes."""
    return name.encode("utf-8", "replace").decode()

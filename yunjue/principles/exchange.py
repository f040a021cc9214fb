"""Principles as JSON lines, to read, to keep elsewhere and to give to others.

::

    {"format": "yunjue-principles", "version": 1}
    {"id": "…", "kind": "guiding", "sentence": "…", "triples": [["…", "…", "…"]], …}

An import is all or nothing. Each line is checked alone, and the guard reads each sentence: a
file from others is as much a stranger's text as a page. What others counted says nothing of
the work here, so counts and pins are left out unless they are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, ValidationError

from yunjue.bundle import strict_json
from yunjue.errors import BundleRefused, PrincipleRefused
from yunjue.principles.bank import Bank
from yunjue.principles.guard import refusal
from yunjue.principles.types import (
    Author,
    Draft,
    Evidence,
    Kind,
    Scope,
    Sentence,
    Status,
    Triples,
    Use,
)
from yunjue.types import Data

FORMAT = "yunjue-principles"
VERSION = 1

MOST_LINE = 1_000_000
"""Bytes of one line."""

MOST_LINES = 200_000
_SHOWN = 8
_BATCH = 500


class Line(Data):
    """One principle of a file. ``created`` is for people; an import is new here."""

    kind: Kind
    sentence: Sentence
    triples: Triples = ()
    scope: Scope = Scope()
    evidence: tuple[Evidence, ...] = ()
    uses: tuple[Use, ...] = ()
    author: Author = "model"
    pinned: bool = False
    status: Status = "active"
    id: Annotated[str, Field(pattern=r"^([0-9a-f]{12})?$")] = ""
    created: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: ids that are new, ids that got the runs of an equal text, and
    why lines were skipped."""

    new: list[str]
    merged: list[str]
    skipped: list[str]


def exported(bank: Bank | None, kind: Kind | None, status: Status | None) -> Iterator[str]:
    """The lines of a file, without line breaks: the header, then principles by score."""
    yield json.dumps({"format": FORMAT, "version": VERSION})
    ids = bank.ids(kind, status) if bank else []
    for start in range(0, len(ids), _BATCH):
        assert bank is not None
        for one in bank.some(ids[start : start + _BATCH]):
            data = one.model_dump(mode="json", exclude={"succ", "use"})
            uses = [use.model_dump() for use in bank.uses(one.id)]
            yield json.dumps({**data, "uses": uses}, ensure_ascii=False)


def read_lines(lines: Iterable[bytes], skip_refused: bool = False) -> tuple[list[Line], list[str]]:
    """The principles of a file, and why lines were skipped.

    Args:
        lines: with or without their line breaks.
        skip_refused: leave out what the guard refuses; else it refuses the file.

    Raises:
        PrincipleRefused: it is not such a file; or lines are wrong or refused, and the
            message says which and why.
    """
    found: list[Line] = []
    problems: list[str] = []
    skipped: list[str] = []
    number = 0
    for number, text in enumerate(lines, start=1):
        if number == 1:
            _check_header(text)
            continue
        if number > MOST_LINES:
            raise _refused([f"it has more than {MOST_LINES} lines"])
        if not text.strip():
            continue
        try:
            line = _line(text)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        if why := refusal(line.sentence, line.triples):
            kept_out = skipped if skip_refused else problems
            kept_out.append(f"line {number}: {why.reason}: {why.message}")
        else:
            found.append(line)
    if number == 0:
        _check_header(b"")
    if problems:
        raise _refused(problems)
    return found, skipped


def bring_in(bank: Bank, lines: Iterable[Line], with_counts: bool) -> tuple[list[str], list[str]]:
    """Insert the principles, or give their runs to those of equal text; all or none.

    Args:
        with_counts: take uses and pins along, as from a backup of one's own.

    Returns:
        ids that are new, ids that were there.
    """
    drafts = [
        (
            Draft(
                kind=line.kind,
                sentence=line.sentence,
                triples=line.triples,
                scope=line.scope,
                evidence=line.evidence,
                uses=line.uses if with_counts else (),
                author=line.author,
            ),
            line.id,
            line.pinned and with_counts,
            line.status,
        )
        for line in lines
    ]
    kept = bank.keep_all(drafts, "imported") if drafts else []
    return [one.id for one in kept if one.new], [one.id for one in kept if not one.new]


def _check_header(text: bytes) -> None:
    try:
        header = _object(text)
    except ValueError:
        header = {}
    if header.get("format") != FORMAT:
        raise _refused([f'its first line is not {{"format": "{FORMAT}", "version": {VERSION}}}'])
    if type(header.get("version")) is not int or header["version"] != VERSION:
        raise _refused([f"it has version {header.get('version')!r}; {VERSION} can be read"])


def _line(text: bytes) -> Line:
    try:
        return Line.model_validate(_object(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{where}: {first['msg']}") from None


def _object(text: bytes) -> dict[str, Any]:
    if len(text) > MOST_LINE:
        raise ValueError(f"it is longer than {MOST_LINE} bytes")
    try:
        found = strict_json.load(text, "it")
    except BundleRefused as error:
        raise ValueError(error.message.rstrip(".")) from None
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    return found


def _refused(problems: list[str]) -> PrincipleRefused:
    shown = "; ".join(problem.rstrip(".") for problem in problems[:_SHOWN])
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return PrincipleRefused("bad-import", f"Nothing was imported: {shown}{more}.")

"""The host's side of files that a call leaves: names judged, sizes bounded, kept whole."""

from __future__ import annotations

import base64
import binascii
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from yunjue.files import writing
from yunjue.protocols import Outputs
from yunjue.sandbox.collector import DEEPEST, MOST_LEFT_OUT, NAME_CHARS
from yunjue.sandbox.inputs import NAME
from yunjue.sandbox.redact import Redactor
from yunjue.types import CallOutcome, OutputFile

MOST_PATH = 400
"""Characters of a name with its folders."""


class BadFiles(Exception):
    """What no honest runner sends."""


@dataclass
class Left:
    """What a call left: name -> bytes, and name -> why of what is not taken."""

    files: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def most_said(outputs: Outputs) -> int:
    """Bytes that the runner may need to tell of the files."""
    told = outputs.most_files * 6 * MOST_PATH + MOST_LEFT_OUT * 12 * (NAME_CHARS + 100)
    return 4 * (outputs.most_bytes // 3 + outputs.most_files + 1) + told


def judged(seen: dict[str, Any], outputs: Outputs) -> Left:
    """The files the runner sent, as far as they are acceptable.

    Raises:
        BadFiles: it is not of the agreed form, or more than was allowed.
    """
    left = Left()
    for name, why in _pairs(seen.get("left_out"), MOST_LEFT_OUT):
        left.refused[_printable(name)] = _printable(why)
    size = 0
    for name, text in _pairs(seen.get("files"), outputs.most_files):
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise BadFiles("a file is not base64") from None
        size += len(data)
        if size > outputs.most_bytes or name in left.files:
            raise BadFiles("more files than were allowed")
        if problem := _unfit(name, left.files):
            left.refused[_printable(name)] = problem
        else:
            left.files[name] = data
    return left


def kept(left: Left, outputs: Outputs, redactor: Redactor, outcome: CallOutcome) -> CallOutcome:
    """``outcome`` with the files, which are now in ``outputs.folder``: all of them, or the
    folder is as before. One that holds a secret's value is not taken.

    Raises:
        DiskFull, YunjueError: they cannot be written.
    """
    refused = dict(left.refused)
    files = {}
    for name, data in left.files.items():
        text = f"{name}\n" + data.decode("utf-8", "surrogateescape")
        if redactor.text(text) == text:
            files[name] = data
        else:
            refused[redactor.text(name)] = "it holds the value of a secret"
    if files:
        _write(files, outputs.folder)
    told = [
        OutputFile(name=name, size=len(data), sha256=sha256(data).hexdigest())
        for name, data in files.items()
    ]
    return outcome.model_copy(update={"files": told, "left_out": refused})


def _write(files: dict[str, bytes], folder: Path) -> None:
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=".outputs-", dir=folder.parent))
        try:
            for name, data in files.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_bytes(data)
            if folder.exists():  # of a sitting that was killed
                shutil.rmtree(folder)
            os.rename(new, folder)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise


def _unfit(name: str, others: dict[str, bytes]) -> str:
    parts = name.split("/")
    if len(name) > MOST_PATH or len(parts) > DEEPEST:
        return "its name is too long"
    if not all(NAME.match(part) for part in parts):
        return "its name is not plain letters, digits and ._-"
    for other in others:
        if other.startswith(f"{name}/") or name.startswith(f"{other}/"):
            return "another file has its folder's name"
    return ""


def _pairs(value: Any, most: int) -> list[list[str]]:
    if not isinstance(value, list) or len(value) > most:
        raise BadFiles("no list of files, or too many")
    for pair in value:
        good = isinstance(pair, list) and len(pair) == 2
        if not good or not all(isinstance(part, str) for part in pair):
            raise BadFiles("a file without name or content")
    return value


def _printable(text: str) -> str:
    return ascii(text)[1:-1][:NAME_CHARS]

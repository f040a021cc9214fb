"""Where an import comes from: a file, a folder, a URL, or the starter set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yunjue
from yunjue.bundle.archive import MANIFEST, MAX_ARCHIVE, pack
from yunjue.bundle.fetch import fetch, shown
from yunjue.bundle.folder import read_file, read_folder
from yunjue.bundle.signature import MAX_BYTES, SUFFIX
from yunjue.errors import UsageError

STARTER = "starter"


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be imported, as bytes or as a folder of original tool files.

    Attributes:
        label: kept with the tools as where they came from: no path, no query.
        data: the archive; None for a folder of original tool files.
        folder: that folder.
    """

    label: str
    data: bytes | None = None
    signature: bytes | None = None
    folder: Path | None = None


def take(where: str, quarantine: Path) -> Source:
    """Read what is at ``where``: FILE, DIR, URL or ``starter``.

    Raises:
        UsageError: there is nothing that can be read.
        DownloadError, BundleRefused: see :mod:`yunjue.bundle.fetch` and ``folder``.
    """
    if re.match(r"[a-z][a-z0-9+.-]+://", where, re.IGNORECASE):
        data, signature = fetch(where, quarantine)
        return Source(_plain(shown(where)), data, signature)
    path = _starter() if where == STARTER and not Path(where).exists() else Path(where)
    label = STARTER if where == STARTER else _plain(path.absolute().name)
    if not path.is_dir():
        return Source(label, read_file(path, MAX_ARCHIVE), _signature(path))
    if (path / MANIFEST).exists():
        return Source(label, pack(read_folder(path)), _signature(path))
    return Source(label, folder=path)


def _plain(name: str) -> str:
    """The name without what a terminal would obey; it is shown wherever the tools are."""
    return "".join(one if one.isprintable() else "?" for one in name)[:300]


def _signature(path: Path) -> bytes | None:
    beside = path.with_name(path.name + SUFFIX)
    return read_file(beside, MAX_BYTES) if beside.exists() else None


def _starter() -> Path:
    folder = Path(yunjue.__file__).parent / STARTER
    if (folder / MANIFEST).is_file():
        return folder
    raise UsageError(
        "This installation has no starter tools.",
        hint="Import a bundle: yunjue tools import FILE|DIR|URL.",
    )

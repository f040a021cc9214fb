"""Files to documents. Plain text is decoded here; HTML and PDF, whose parsers a hostile file can
keep busy for ever, are read in the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from yunjue.hashing import content_id
from yunjue.protocols import Sandbox, SandboxJob, SandboxLimits

PLAIN = (".md", ".markdown", ".txt", ".rst")
PARSED = (".pdf", ".html", ".htm")
SUFFIXES = (*PLAIN, *PARSED)
MOST_BYTES = 64 << 20
"""Of a file."""
MOST_PLAIN = 8 << 20
"""Of a file that is plain text, which is all text."""
AT_ONCE = 16
"""Files that one sandbox reads."""
REQUIREMENTS = ("pypdf==7.1.1",)
LIMITS = SandboxLimits(seconds=60, memory_mib=1024, result_bytes=16 << 20)
SOURCE = Path(__file__).with_name("document_tool.py")


@dataclass(frozen=True, slots=True)
class Part:
    """A page, or a line: its number from 1, and its text."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read.

    Attributes:
        name: path below the folder that was ingested.
        sha256: of the file.
        unit: ``page`` or ``line``: what parts are.
        note: what is missing of it; "" for nothing.
    """

    name: str
    sha256: str
    unit: str
    parts: Sequence[Part]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that cannot be read, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, under the name it has in the corpus."""

    name: str
    path: Path
    sha256: str


def source_of(name: str, path: Path) -> Source | Unread:
    """The file with its hash, or why it is not read."""
    try:
        size = path.stat().st_size
        most = MOST_PLAIN if path.suffix.lower() in PLAIN else MOST_BYTES
        if size > most:
            return Unread(name, f"it has {size >> 20} MiB; {most >> 20} are read")
        return Source(name, path, content_id(path.read_bytes()))
    except OSError as error:
        return Unread(name, f"it cannot be opened ({error.strerror})")


async def read_all(
    sources: Sequence[Source], sandbox: Sandbox | None
) -> AsyncIterator[Document | Unread]:
    """What each file holds.

    Args:
        sandbox: may be None if there is no PDF or HTML file.

    Raises:
        SandboxError: the sandbox itself failed.
    """
    parsed = []
    for source in sources:
        if source.path.suffix.lower() in PLAIN:
            yield read_plain(source)
        else:
            parsed.append(source)
    for start in range(0, len(parsed), AT_ONCE):
        assert sandbox is not None, "the caller opens one for such files"
        for one in await read_parsed(parsed[start : start + AT_ONCE], sandbox):
            yield one


def read_plain(source: Source) -> Document | Unread:
    try:
        data = source.path.read_bytes()
    except OSError as error:
        return Unread(source.name, f"it cannot be opened ({error.strerror})")
    if b"\0" in data:
        return Unread(source.name, "it holds zeros, so it is no text")
    lines = data.decode("utf-8-sig", "replace").splitlines()
    parts = [Part(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not parts:
        return Unread(source.name, "it has no text")
    return Document(source.name, source.sha256, "line", parts)


async def read_parsed(sources: Sequence[Source], sandbox: Sandbox) -> list[Document | Unread]:
    names = [f"{place}{source.path.suffix.lower()}" for place, source in enumerate(sources)]
    job = SandboxJob(
        source=SOURCE.read_text("utf-8"),
        calls=[{"name": name} for name in names],
        requirements=REQUIREMENTS,
        files={name: source.path for name, source in zip(names, sources, strict=True)},
        limits=LIMITS,
    )
    found: list[Document | Unread] = []
    for source, outcome in zip(sources, await sandbox.call(job), strict=True):
        if outcome.status != "ok" or outcome.output is None:
            found.append(Unread(source.name, outcome.error.removeprefix("ValueError: ")))
            continue
        unit = "page" if source.path.suffix.lower() == ".pdf" else "line"
        parts = [Part(number, text) for number, text in outcome.output["parts"]]
        note = outcome.output["note"]
        found.append(Document(source.name, source.sha256, unit, parts, note))
    return found

"""Takes a folder into a corpus, so that the corpus has what the folder has."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from yunjue.config import Settings
from yunjue.errors import UsageError
from yunjue.plugins import plugins
from yunjue.protocols import Embedder
from yunjue.sandbox.select import opened_sandbox
from yunjue_research.corpus import Corpus
from yunjue_research.reading.reading import (
    PARSED,
    SUFFIXES,
    Document,
    Source,
    Unread,
    read_all,
    source_of,
)

MOST_FILES = 20_000


@dataclass
class Taken:
    """What an ingestion came to: names of documents that were read, dropped, left as they
    were; name -> why of files that were not read, and of documents that are not whole."""

    read: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    unchanged: int = 0
    unread: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    passages: int = 0


def embedder_of(settings: Settings) -> Callable[[], Embedder]:
    """Makes the embedder that the settings name."""
    return lambda: plugins().choose("embedders", settings.embedder.partition("/")[0], settings)


def found_in(folder: Path) -> tuple[list[tuple[str, Path]], dict[str, str]]:
    """(name, path) of the documents below ``folder``, and name -> why of links, which are not
    followed: they may lead anywhere.

    Raises:
        UsageError: it is no folder, or has too many documents.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder.", hint="Name the folder of the documents.")
    found, links = [], {}
    for parent, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted([*folders, *files]):
            path = Path(parent, name)
            shown = path.relative_to(folder).as_posix()
            if path.is_symlink():
                links[shown] = "it is a link"
            elif name in files and path.suffix.lower() in SUFFIXES and not name.startswith("."):
                found.append((shown, path))
        if len(found) > MOST_FILES:
            raise UsageError(f"{folder} has more than {MOST_FILES} documents.", hint="")
    return found, links


async def ingest(
    corpus: Corpus,
    files: list[tuple[str, Path]],
    settings: Settings,
    warn: Callable[[str], None],
    *,
    drop: bool = True,
) -> Taken:
    """Read what is new or has changed; the corpus changes at once, or not at all.

    Args:
        files: (name, path) of each document.
        drop: drop documents that are not among them.

    Raises:
        SandboxUnavailable: there is a PDF or HTML file, and nothing that can contain it.
    """
    taken = Taken()
    known = corpus.documents()
    sources: list[Source] = []
    for name, path in files:
        source = source_of(name, path)
        if isinstance(source, Unread):
            taken.unread[name] = source.why
        elif known.get(name) == source.sha256:
            taken.unchanged += 1
        else:
            sources.append(source)
    came: list[Document] = []
    async with AsyncExitStack() as stack:
        sandbox = None
        if any(source.path.suffix.lower() in PARSED for source in sources):
            sandbox = await stack.enter_async_context(opened_sandbox(settings, warn))
        async for one in read_all(sources, sandbox):
            if isinstance(one, Unread):
                taken.unread[one.name] = one.why
            else:
                came.append(one)
    there = {name for name, _ in files}
    taken.dropped = sorted(set(known) - there) if drop else []
    # A document that can no longer be read must not be quoted from.
    corpus.update(came, [*taken.dropped, *taken.unread])
    corpus.embed()
    taken.read = [document.name for document in came]
    taken.notes = {document.name: document.note for document in came if document.note}
    taken.passages = corpus.counts()[1]
    return taken

"""Chroma folders: one open client a folder and process, and its failures as ours.

An open client answers from what it knew when it was opened, and so misses what other
processes write; opening one reads its whole graph. So a client stays open as long as nobody
else wrote, which :mod:`yunjue.store.marks` tells, and is opened anew after that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from yunjue.errors import DiskFull

if TYPE_CHECKING:
    from chromadb import Collection

GRAPH_EVERY = 100
"""Tools after which the graph is written out; what came after is replayed at each opening."""

_WAITS = (0.1, 0.3, 1.0, 3.0)
"""Seconds between attempts to write to a folder that is locked."""

_REACH = 600
"""Candidates that a search of the graph keeps (``ef_search``; Chroma's default is 100). Of the
five nearest of 100,000 real descriptions 100 finds 87 %, 600 finds 98 %, for 3 ms more
(``benchmarks/retrieval.py`` prints the share)."""

_HNSW = {
    "space": "cosine",
    "ef_search": _REACH,
    "batch_size": GRAPH_EVERY,
    "sync_threshold": GRAPH_EVERY,
}


class IndexBroken(Exception):
    """The folder does not hold a sound index. Never leaves the store."""


Result = TypeVar("Result")

_clients: dict[Path, tuple[Any, object]] = {}
_turn = threading.RLock()


def has_client(folder: Path) -> bool:
    """Whether this process has a client of ``folder``, current or not."""
    with _turn:
        return folder in _clients


def is_open(folder: Path, stamp: object) -> bool:
    """Whether this process has a client of ``folder`` that knows all that is in it.

    Args:
        stamp: what the folder's last writer left.
    """
    with _turn:
        known = _clients.get(folder)
        return known is not None and known[1] == stamp


def collection(folder: Path, stamp: object, name: str) -> Collection:
    """The collection of that name, made if absent, by a client that is current."""
    with _turn:
        if not is_open(folder, stamp):
            close(folder)
            _clients[folder] = (patiently(lambda: _open(folder)), stamp)
        client = _clients[folder][0]

        def made() -> Collection:
            return client.get_or_create_collection(
                name, configuration={"hnsw": _HNSW}, embedding_function=None
            )

        return patiently(made)


def collections(folder: Path) -> list[Collection]:
    """All collections of a folder that is open."""
    return list(_clients[folder][0].list_collections())


def drop(folder: Path, name: str) -> None:
    """Delete a collection of a folder that is open."""
    client = _clients[folder][0]
    patiently(lambda: client.delete_collection(name))


def restamp(folder: Path, stamp: object) -> None:
    """The open client knows what is in the folder at ``stamp``: it wrote it."""
    with _turn:
        if known := _clients.get(folder):
            _clients[folder] = (known[0], stamp)


def close(folder: Path) -> None:
    """Close the client of ``folder``, if one is open."""
    with _turn:
        known = _clients.pop(folder, None)
        if known:
            known[0].close()


def write_graph_every(collection: Collection, tools: int) -> None:
    """Write the graph out every so many tools, from the next opening on."""
    patiently(lambda: collection.modify(configuration={"hnsw": {"sync_threshold": tools}}))


def patiently(write: Callable[[], Result]) -> Result:
    """Write, again after a while if SQLite says that the folder is locked: Chroma lets go of a
    closed client's files a moment after it was closed. To open a folder is to write to it."""
    from chromadb.errors import ChromaError

    for wait in _WAITS:
        try:
            return write()
        except ChromaError as error:
            if "database is locked" not in str(error):
                raise
            time.sleep(wait)
    return write()


def _open(folder: Path) -> Any:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    # _env_file: a .env in the user's working folder is not meant for us.
    settings = Settings(_env_file=None, anonymized_telemetry=False)
    try:
        return chromadb.PersistentClient(str(folder), settings=settings)
    except BaseException:
        # Chroma keeps what failed to open and would hand it out again for this path.
        SharedSystemClient._identifier_to_system.pop(str(folder), None)
        raise


@contextmanager
def failures(folder: Path) -> Iterator[None]:
    """What Chroma raises as :class:`IndexBroken`, but a full disk as what it is. The client
    is closed: what it knows after a failure is not to be trusted."""
    from chromadb.errors import ChromaError

    try:
        yield
    except BaseException as error:
        close(folder)
        if isinstance(error, ChromaError):
            if "disk is full" in str(error) or "No space left" in str(error):
                raise DiskFull(f"There is no room to write {folder}.") from error
            raise IndexBroken(_one_line(error)) from error
        if isinstance(error, (KeyError, TypeError, ValueError)):  # rows not as they should be
            raise IndexBroken(_one_line(error)) from error
        if type(error).__name__ == "PanicException":  # of its Rust part; no Exception
            raise IndexBroken(_one_line(error)) from None
        raise


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]

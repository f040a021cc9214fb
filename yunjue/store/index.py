"""The vector index: which tools mean something close to a query.

SQLite is the truth and this is a copy that can be made again. Two processes must not
have one Chroma folder open at once: an open client answers from what it knew when it
last wrote, and so misses the other's tools. Hence every use is one short session under
a file lock: open, bring the ids in line with the truth, work, close. It costs tens of
milliseconds, and nobody ever sees a stale index.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from yunjue.errors import DiskFull, LibraryError, YunjueError
from yunjue.protocols import Embedder
from yunjue.store.failures import translated
from yunjue.store.lock import held
from yunjue.store.seal import intact, seal

if TYPE_CHECKING:
    import numpy as np
    from chromadb import Collection

Result = TypeVar("Result")

WAIT_SECONDS = 120.0
"""Another process may be making the whole index, at 2 to 20 ms a tool."""

_MANY = 500
"""Making vectors of more tools than that takes seconds, and is announced."""

_BATCH = 256
_HNSW = {"space": "cosine", "batch_size": 100, "sync_threshold": 100}
"""The graph is written out every 100 tools; what came after is replayed at each opening."""


class IndexBroken(Exception):
    """The folder does not hold a sound index. Never leaves this module."""


class VectorIndex:
    """Nearest tools by cosine similarity.

    Args:
        folder: the index; made on first use, deleted and made again when damaged.
        embedder: its name and dimension are part of the collection's name, so that
            vectors of two embedders never mix.
        texts: the truth now: id -> text of each tool that should be found.
        warn: told about every repair.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        texts: Callable[[], Mapping[str, str]],
        warn: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._embedder = embedder
        self._texts = texts
        self._warn = warn
        self._checked = False

    def search(self, query: str, k: int) -> list[tuple[str, float]]:
        """The ``k`` tools closest to ``query``: (id, cosine similarity), closest first."""
        vector = self._embed([query])

        def nearest(collection: Collection) -> list[tuple[str, float]]:
            most = min(k, collection.count())
            if most == 0:
                return []
            found = collection.query(query_embeddings=vector, n_results=most, include=["distances"])
            return [
                (tool_id, 1.0 - distance)
                for tool_id, distance in zip(found["ids"][0], found["distances"][0], strict=True)
            ]

        return self._session(nearest)

    def add(self, tool_id: str) -> None:
        """Take in a tool that was just added to the truth."""
        self._session(lambda collection: None, expected=frozenset([tool_id]))

    def ids(self) -> set[str]:
        """The tools the index knows; the same as the truth's."""
        return self._session(_ids)

    def rebuild(self) -> int:
        """Delete the index, whatever its state, and make it again; the number of tools."""
        with held(self._lock, WAIT_SECONDS):
            self._delete()
            return self._attempt(lambda collection: collection.count(), frozenset())

    @property
    def _lock(self) -> Path:
        return self._folder.with_name(self._folder.name + ".lock")

    @property
    def _collection_name(self) -> str:
        """Of 3 to 512 characters from [a-zA-Z0-9._-], as Chroma wants it."""
        model = re.sub(r"[^a-zA-Z0-9-]+", "-", self._embedder.name).strip("-")[:200]
        return f"tools-{model or 'unnamed'}-{self._embedder.dimension}"

    def _session(
        self, work: Callable[[Collection], Result], expected: frozenset[str] = frozenset()
    ) -> Result:
        """Do ``work`` on a collection that agrees with the truth, rebuilt if it must be.

        Args:
            expected: tools whose absence from the index is no news.
        """
        with held(self._lock, WAIT_SECONDS):
            try:
                return self._attempt(work, expected)
            except IndexBroken as error:
                self._warn(f"The index of the tool library is damaged and is made again: {error}")
                self._delete()
            try:
                return self._attempt(work, expected)
            except IndexBroken as error:
                raise LibraryError(f"The index {self._folder} cannot be made: {error}.") from error

    def _attempt(self, work: Callable[[Collection], Result], expected: frozenset[str]) -> Result:
        if not intact(self._folder):
            raise IndexBroken("its files are not as they were written")
        with translated(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        with (
            _chroma_failures(self._folder),
            _opened(self._folder, self._collection_name) as (
                collection,
                is_new,
            ),
        ):
            self._agree(collection, expected, quiet=is_new or self._checked)
            self._checked = True
            result = work(collection)
        seal(self._folder)
        return result

    def _agree(self, collection: Collection, expected: frozenset[str], quiet: bool) -> None:
        """Add what the collection lacks of the truth and remove what it has beyond it.

        The truth is read under the lock: an id reaches the index only after it is in the
        truth, so nothing another process just added looks stale.
        """
        texts = self._texts()
        known = _ids(collection)
        missing = [tool_id for tool_id in texts if tool_id not in known]
        stale = sorted(known - texts.keys())
        if len(missing) > _MANY:
            self._warn(f"{len(missing)} tools are being indexed; this happens once.")
        for batch in _batches(missing):
            vectors = self._embed([texts[tool_id] for tool_id in batch])
            collection.upsert(ids=batch, embeddings=vectors)
        for batch in _batches(stale):
            collection.delete(ids=batch)
        repaired = len(set(missing) - expected)
        if (repaired or stale) and not quiet:
            self._warn(
                "The index lagged behind the tool library; tools added to it: "
                f"{repaired}, removed: {len(stale)}."
            )

    def _embed(self, texts: list[str]) -> np.ndarray:
        try:
            vectors = self._embedder.embed(texts)
        except YunjueError:
            raise
        except Exception as error:  # of a plugin: not to be taken for damage of the index
            raise LibraryError(
                f"The embedder {self._embedder.name} failed: {type(error).__name__}: {error}."
            ) from error
        if vectors.shape != (len(texts), self._embedder.dimension):
            raise LibraryError(
                f"The embedder {self._embedder.name} returned shape {vectors.shape} "
                f"for {len(texts)} texts of dimension {self._embedder.dimension}."
            )
        return vectors

    def _delete(self) -> None:
        with translated(self._folder):
            if self._folder.exists():
                shutil.rmtree(self._folder)


def _ids(collection: Collection) -> set[str]:
    return set(collection.get(include=[])["ids"])


def _batches(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]


@contextmanager
def _opened(folder: Path, name: str) -> Iterator[tuple[Collection, bool]]:
    """The collection, and whether it was made just now. Closed on the way out."""
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    # _env_file: a .env in the user's working folder is not meant for us.
    settings = Settings(_env_file=None, anonymized_telemetry=False)
    try:
        client = chromadb.PersistentClient(str(folder), settings=settings)
    except BaseException:
        # Chroma keeps what failed to open and would hand it out again for this path.
        SharedSystemClient._identifier_to_system.pop(str(folder), None)
        raise
    try:
        is_new = name not in _collection_names(client.list_collections())
        collection = client.get_or_create_collection(
            name, configuration={"hnsw": _HNSW}, embedding_function=None
        )
        yield collection, is_new
    finally:
        client.close()


def _collection_names(collections: Iterable[Collection]) -> set[str]:
    return {collection.name for collection in collections}


@contextmanager
def _chroma_failures(folder: Path) -> Iterator[None]:
    """What Chroma raises as :class:`IndexBroken`, but a full disk as what it is."""
    from chromadb.errors import ChromaError

    try:
        yield
    except ChromaError as error:
        if "disk is full" in str(error) or "No space left" in str(error):
            raise DiskFull(f"There is no room to write {folder}.") from error
        raise IndexBroken(_one_line(error)) from error
    except (KeyError, TypeError, ValueError) as error:  # rows that are not what they should be
        raise IndexBroken(_one_line(error)) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of its Rust part; no Exception
            raise IndexBroken(_one_line(error)) from None
        raise


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]

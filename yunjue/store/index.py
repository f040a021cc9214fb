"""The vector index: which tools mean something close to a query.

SQLite is the truth and this is a copy that can be made again. Every use is one session under
a file lock: see that the open client is current, take in what changed in the truth since the
last session, work. It costs milliseconds when nothing changed, whatever the library's size,
and nobody ever sees a stale index.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from yunjue.errors import DiskFull, LibraryError, YunjueError
from yunjue.protocols import Embedder
from yunjue.store import chroma
from yunjue.store.chroma import IndexBroken
from yunjue.store.failures import translated
from yunjue.store.lock import held
from yunjue.store.marks import Marks, read_marks, write_marks
from yunjue.store.seal import intact, seal
from yunjue.store.truth import Followed

if TYPE_CHECKING:
    import numpy as np
    from chromadb import Collection

Result = TypeVar("Result")

WAIT_SECONDS = 120.0
"""Another process may be embedding a page of tools, at 2 to 20 ms each, or writing the graph."""

MANY = 500
"""Making vectors of more tools than that takes seconds, and is announced."""

_PAGE = 512
"""Changes taken in before the lock is given to others."""

_BATCH = 256
_GRAPH_WRITES = 4
"""How often the graph is written out while many tools are taken in."""


class VectorIndex:
    """Nearest tools by cosine similarity.

    Args:
        folder: the index; made on first use, deleted and made again when damaged.
        embedder: its name and dimension are part of the collection's name, so that
            vectors of two embedders never mix.
        truth: the tools that should be found.
        warn: told about every repair.
        what: what is indexed, in the plural; a part of the collection's name.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        truth: Followed,
        warn: Callable[[str], None],
        what: str = "tools",
    ) -> None:
        self._folder = folder
        self._embedder = embedder
        self._truth = truth
        self._warn = warn
        self._what = what
        self._compared = False

    def search(self, query: str, k: int) -> list[tuple[str, float]]:
        """The ``k`` tools closest to ``query``: (id, cosine similarity), closest first."""
        return self.search_vector(self.embed([query]), k)

    def embed(self, texts: list[str]) -> np.ndarray:
        """``texts`` as float32 (len(texts), dimension), rows of unit length.

        Raises:
            YunjueError: the embedder failed.
        """
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
        lengths = (vectors * vectors).sum(axis=1)
        if not (lengths > 1e-12).all():  # nor is NaN; such a vector is as near to all as to none
            raise LibraryError(
                f"The embedder {self._embedder.name} returned a vector without a direction."
            )
        return vectors

    def search_vector(self, vector: np.ndarray, k: int) -> list[tuple[str, float]]:
        """As :meth:`search`, for a query that is a vector already."""
        return self.search_vectors(vector, k)[0]

    def search_vectors(self, vectors: np.ndarray, k: int) -> list[list[tuple[str, float]]]:
        """As :meth:`search_vector`, for each row of ``vectors``, float32 (n, dimension)."""

        def nearest(collection: Collection) -> list[list[tuple[str, float]]]:
            if k <= 0:
                return [[] for _ in vectors]
            if k >= collection.count():
                return _all_of(collection, vectors)
            found = collection.query(query_embeddings=vectors, n_results=k, include=["distances"])
            return [
                [(one, 1.0 - distance) for one, distance in zip(ids, distances, strict=True)]
                for ids, distances in zip(found["ids"], found["distances"], strict=True)
            ]

        return self._session(nearest)

    def vectors(self, ids: list[str]) -> dict[str, np.ndarray]:
        """id -> vector, float32 (1, dimension), of those of ``ids`` that the index holds."""

        def held_vectors(collection: Collection) -> dict[str, np.ndarray]:
            found = collection.get(ids=ids, include=["embeddings"]) if ids else None
            if not found or not found["ids"]:
                return {}
            return {
                one: vector.reshape(1, -1)
                for one, vector in zip(found["ids"], found["embeddings"], strict=True)
            }

        return self._session(held_vectors)

    def ids(self) -> set[str]:
        """The tools the index knows; the same as the truth's."""
        return self._session(_ids)

    def rebuild(self) -> int:
        """Delete the index, whatever its state, and make it again; the number of tools."""
        with held(self._lock, WAIT_SECONDS):
            self._delete()
        return self._session(lambda collection: collection.count())

    def unused(self) -> tuple[int, list[str]]:
        """Bytes and names of the collections of other embedders."""

        def look(collection: Collection) -> tuple[int, list[str]]:
            others = self._others(collection)
            return sum(map(_vector_bytes, others)), sorted(one.name for one in others)

        return self._session(look)

    def drop_unused(self) -> int:
        """Delete the collections of other embedders; the bytes of their vectors."""

        def drop(collection: Collection) -> int:
            others = self._others(collection)
            size = sum(map(_vector_bytes, others))
            marks = read_marks(self._folder)
            for one in others:
                chroma.drop(self._folder, one.name)
                marks.seen.pop(one.name, None)
            self._keep(collection.name, marks, marks.number(collection.name, self._identity()))
            return size

        return self._session(drop)

    def _others(self, collection: Collection) -> list[Collection]:
        return [one for one in chroma.collections(self._folder) if one.name != collection.name]

    def _identity(self) -> str:
        return self._truth.identity()

    def close(self) -> None:
        """Close the folder; may be called twice, and the index may be used again."""
        if chroma.has_client(self._folder):
            with held(self._lock, WAIT_SECONDS):  # a thread may be at work with it
                chroma.close(self._folder)

    @property
    def _lock(self) -> Path:
        return self._folder.with_name(self._folder.name + ".lock")

    @property
    def _collection_name(self) -> str:
        """Of 3 to 512 characters from [a-zA-Z0-9._-], as Chroma wants it."""
        model = re.sub(r"[^a-zA-Z0-9-]+", "-", self._embedder.name).strip("-")[:200]
        return f"{self._what}-{model or 'unnamed'}-{self._embedder.dimension}"

    def _session(self, work: Callable[[Collection], Result]) -> Result:
        """Do ``work`` on a collection that agrees with the truth, rebuilt if it must be."""
        name = self._collection_name  # may ask the embedder: not under the lock
        rebuilt = False
        done: list[Result] = []
        while not done:
            with held(self._lock, WAIT_SECONDS):
                try:
                    done = self._attempt(name, work)
                except IndexBroken as error:
                    if rebuilt:
                        message = f"The index {self._folder} cannot be made: {error}."
                        raise LibraryError(message) from error
                    self._warn(f"The index of {self._what} is damaged and is made again: {error}")
                    self._delete()
                    rebuilt = True
        return done[0]

    def _attempt(self, name: str, work: Callable[[Collection], Result]) -> list[Result]:
        """The result of ``work``; none when there is more to take in first."""
        with translated(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        marks = read_marks(self._folder)
        if not chroma.is_open(self._folder, marks.stamp):
            self._compared = False
            if not intact(self._folder):
                raise IndexBroken("its files are not as they were written")
        try:
            with chroma.failures(self._folder):
                collection = chroma.collection(self._folder, marks.stamp, name)
                done = [] if self._take_in(collection, name, marks) else [work(collection)]
        except DiskFull:
            raise
        except (YunjueError, KeyboardInterrupt):  # of the embedder, or between two steps
            seal(self._folder)
            raise
        seal(self._folder)
        return done

    def _take_in(self, collection: Collection, name: str, marks: Marks) -> bool:
        """Bring a page of changes into the index; whether there may be more.

        The truth is read under the lock, and what was seen is kept after it is in the
        index: a kill in between makes the same changes again, which does nothing.
        """
        library = self._identity()
        seen = marks.number(name, library)
        if seen == 0 and collection.count():
            # Of a library that was put in the place of another, or of an older version.
            self._compare(collection, name, marks, quiet=True)
            return True
        page = self._truth.changes(seen, _PAGE)
        if page.more and not marks.bulk and self._begin_bulk(collection, name, marks, page.upto):
            return True
        if page.upto > seen:
            self._put(collection, page.texts)
            self._remove(collection, page.gone)
            self._keep(name, marks, page.upto)
        if page.more:
            return True
        if marks.bulk == name:
            self._end_bulk(name, marks)
            return True
        if not self._compared:
            self._compare(collection, name, marks)
        return False

    def _begin_bulk(self, collection: Collection, name: str, marks: Marks, upto: int) -> bool:
        """Before many changes: to write the whole graph out after every hundred takes longer
        the larger it is. Whether there are that many."""
        pending = self._truth.latest() - upto + _PAGE
        if pending <= MANY:
            return False
        self._warn(f"About {pending} {self._what} are being indexed; this happens once.")
        chroma.write_graph_every(collection, max(pending // _GRAPH_WRITES, _PAGE))
        marks.bulk = name
        write_marks(self._folder, marks)
        chroma.close(self._folder)  # the next opening knows
        return True

    def _end_bulk(self, name: str, marks: Marks) -> None:
        """Write the graph out, or each opening would replay what came after the last time."""
        collection = chroma.collection(self._folder, marks.stamp, name)
        chroma.write_graph_every(collection, chroma.GRAPH_EVERY)
        chroma.close(self._folder)
        collection = chroma.collection(self._folder, marks.stamp, name)
        one = collection.get(limit=1, include=["embeddings"])
        if one["ids"]:
            chroma.patiently(lambda: collection.upsert(one["ids"], one["embeddings"]))
            collection.count()
        marks.bulk = ""
        self._keep(name, marks, marks.number(name, self._identity()))

    def _compare(
        self, collection: Collection, name: str, marks: Marks, quiet: bool = False
    ) -> None:
        """Mend what the marks say is there and is not, or is there and should not be.

        That happens when library.db was put back from a backup, or a disk lost what was
        written. Once an opening, by counting.
        """
        latest, count = self._truth.count()
        seen = marks.number(name, self._identity())
        if 0 < seen < latest:
            return  # another process added a tool meanwhile: the next session compares
        self._compared = True
        if seen == latest and collection.count() == count:
            return
        latest, wanted = self._truth.ids()
        known = _ids(collection)
        missing, stale = sorted(wanted - known), sorted(known - wanted)
        for batch in _batches(missing):
            self._put(collection, self._truth.texts(batch))
        self._remove(collection, stale)
        self._keep(name, marks, latest)
        if (missing or stale) and not quiet:
            self._warn(
                f"The index did not agree with the library; {self._what} added to it: "
                f"{len(missing)}, removed: {len(stale)}."
            )

    def _put(self, collection: Collection, texts: dict[str, str]) -> None:
        for batch in _batches(list(texts)):
            vectors = self.embed([texts[tool_id] for tool_id in batch])
            chroma.patiently(partial(collection.upsert, batch, vectors))
            collection.count()  # the graph is written now, and not after it was sealed

    def _remove(self, collection: Collection, ids: list[str]) -> None:
        for batch in _batches(ids):
            chroma.patiently(partial(collection.delete, batch))
            collection.count()

    def _keep(self, name: str, marks: Marks, number: int) -> None:
        marks.seen[name] = (self._identity(), number)
        write_marks(self._folder, marks)
        chroma.restamp(self._folder, marks.stamp)

    def _delete(self) -> None:
        chroma.close(self._folder)
        with translated(self._folder):
            if self._folder.exists():
                shutil.rmtree(self._folder)


def _all_of(collection: Collection, vectors: np.ndarray) -> list[list[tuple[str, float]]]:
    """All of a collection, the closest to each row first. The graph does not promise to reach
    all: of many equal vectors, each may know of none but the others."""
    import numpy as np

    found = collection.get(include=["embeddings"])
    if not found["ids"]:
        return [[] for _ in vectors]
    known = np.asarray(found["embeddings"], np.float32)
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    return [
        sorted(zip(found["ids"], map(float, row), strict=True), key=lambda pair: -pair[1])
        for row in np.asarray(vectors) @ known.T
    ]


def _vector_bytes(collection: Collection) -> int:
    """float32, by the dimension that ends the collection's name."""
    return collection.count() * int(collection.name.rpartition("-")[2]) * 4


def _ids(collection: Collection) -> set[str]:
    return set(collection.get(include=[])["ids"])


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _BATCH):
        yield list(ids[start : start + _BATCH])

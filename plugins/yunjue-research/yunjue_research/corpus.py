"""A corpus: documents, passages, their words and vectors, in one SQLite file.

A write is one transaction. The vectors are of one embedder, whose name is kept; with another
one the passages are embedded anew.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from yunjue.config import home
from yunjue.errors import LibraryError, UsageError
from yunjue.store.fulltext import any_of, words_of
from yunjue_research.passages import passages, text_of
from yunjue_research.reading.reading import Document

if TYPE_CHECKING:
    import numpy as np

    from yunjue.protocols import Embedder

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
FIGURES = re.compile(r"\d+")
SCHEMA = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL,
    note TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS passages (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    place TEXT NOT NULL, text TEXT NOT NULL, vector BLOB);
CREATE INDEX IF NOT EXISTS passages_of ON passages (document);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    text, content=passages, content_rowid=id, tokenize='porter unicode61');
CREATE TRIGGER IF NOT EXISTS passage_came AFTER INSERT ON passages BEGIN
    INSERT INTO words (rowid, text) VALUES (new.id, new.text); END;
CREATE TRIGGER IF NOT EXISTS passage_went AFTER DELETE ON passages BEGIN
    INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text); END;
"""
MOST_BY_EACH = 40
"""Passages that words, and meaning, propose each."""
RANK_OFFSET = 60
"""Of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""
EMBEDDED_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found. ``number`` is its id in the corpus."""

    number: int
    document: str
    place: str
    text: str


def folder() -> Path:
    """Where the corpora of this home are."""
    return home() / "research"


def names() -> list[str]:
    """The corpora of this home."""
    return sorted(path.stem for path in folder().glob("*.sqlite") if NAME.match(path.stem))


def path_of(name: str) -> Path:
    """The file of the corpus ``name``.

    Raises:
        UsageError: no corpus can be called so.
    """
    if not NAME.match(name):
        raise UsageError(
            f"{name!r} cannot be the name of a corpus.",
            hint="Small letters, digits, - and _, at most 64, such as lab-notes.",
        )
    return folder() / f"{name}.sqlite"


class Corpus:
    """One corpus; open it with :func:`opened`.

    Args:
        make_embedder: makes the user's embedder when vectors are needed.
    """

    def __init__(self, path: Path, make_embedder: Callable[[], Embedder]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._make_embedder = make_embedder
        self._embedder: Embedder | None = None
        self._vectors: tuple[list[int], np.ndarray] | None = None
        # A search runs in a thread of its own, one at a time.
        self._db = sqlite3.connect(path, timeout=30, check_same_thread=False)
        self._db.execute("PRAGMA foreign_keys = on")
        self._db.execute("PRAGMA journal_mode = wal")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def documents(self) -> dict[str, str]:
        """name -> SHA-256 of the file it was read from."""
        return dict(self._db.execute("SELECT name, sha256 FROM documents ORDER BY name"))

    def counts(self) -> tuple[int, int]:
        """How many documents and passages there are."""
        return self._db.execute(
            "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages)"
        ).fetchone()

    def update(self, came: Sequence[Document], went: Sequence[str]) -> None:
        """Take documents in, over those of the same names, and drop others; all or nothing."""
        self._vectors = None
        with self._db:
            for name in [*went, *(document.name for document in came)]:
                self._db.execute("DELETE FROM documents WHERE name = ?", [name])
            for document in came:
                row = (document.name, document.sha256, document.note, text_of(document))
                sql = "INSERT INTO documents (name, sha256, note, text) VALUES (?, ?, ?, ?)"
                number = self._db.execute(sql, row).lastrowid
                sql = "INSERT INTO passages (document, place, text) VALUES (?, ?, ?)"
                rows = [(number, one.place, one.text) for one in passages(document)]
                self._db.executemany(sql, rows)

    def embed(self) -> int:
        """Give a vector to every passage that has none of the present embedder; how many."""
        embedder = self._embed_with()
        if self._about("embedder") != embedder.name:
            with self._db:
                self._db.execute("UPDATE passages SET vector = NULL")
                self._db.execute("REPLACE INTO about VALUES ('embedder', ?)", [embedder.name])
        done = 0
        sql = "SELECT id, text FROM passages WHERE vector IS NULL LIMIT ?"
        while rows := self._db.execute(sql, [EMBEDDED_AT_ONCE]).fetchall():
            vectors = embedder.embed([text for _, text in rows])
            pairs = [(vector.tobytes(), row[0]) for vector, row in zip(vectors, rows, strict=True)]
            with self._db:
                self._db.executemany("UPDATE passages SET vector = ? WHERE id = ?", pairs)
            done += len(rows)
            self._vectors = None
        return done

    def search(self, query: str, most: int = 5) -> list[Hit]:
        """The passages that fit best by words and by meaning, fused by reciprocal rank."""
        scores: dict[int, float] = {}
        for ranked in (self._by_words(query), self._by_meaning(query)):
            for rank, number in enumerate(ranked, start=1):
                scores[number] = scores.get(number, 0.0) + 1 / (RANK_OFFSET + rank)
        best = sorted(scores, key=lambda number: (-scores[number], number))[:most]
        return [hit for number in best if (hit := self.passage(number))]

    def passage(self, number: int) -> Hit | None:
        """The passage with this id."""
        sql = (
            "SELECT passages.id, name, place, passages.text FROM passages "
            "JOIN documents ON documents.id = document WHERE passages.id = ?"
        )
        row = self._db.execute(sql, [number]).fetchone()
        return Hit(*row) if row else None

    def around(self, number: int) -> list[Hit]:
        """The passage, and the ones before and after it in its document."""
        sql = "SELECT document FROM passages WHERE id = ?"
        row = self._db.execute(sql, [number]).fetchone()
        found = []
        for other in (number - 1, number, number + 1):
            same = self._db.execute(sql, [other]).fetchone()
            hit = self.passage(other)
            if row and same == row and hit:
                found.append(hit)
        return found

    def text(self, document: str) -> str:
        """The whole text of a document; "" if it is not there."""
        sql = "SELECT text FROM documents WHERE name = ?"
        row = self._db.execute(sql, [document]).fetchone()
        return row[0] if row else ""

    def _by_words(self, query: str) -> list[int]:
        match = any_of([*words_of(query), *FIGURES.findall(query)])
        if not match:
            return []
        sql = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank, rowid LIMIT ?"
        return [number for (number,) in self._db.execute(sql, [match, MOST_BY_EACH])]

    def _by_meaning(self, query: str) -> list[int]:
        import numpy as np

        numbers, vectors = self._all_vectors()
        if not numbers:
            return []
        asked = self._embed_with().embed([query])[0]
        order = np.argsort(-(vectors @ asked), kind="stable")[:MOST_BY_EACH]
        return [numbers[place] for place in order]

    def _all_vectors(self) -> tuple[list[int], np.ndarray]:
        import numpy as np

        if self._vectors is None:
            self.embed()
            rows = self._db.execute("SELECT id, vector FROM passages ORDER BY id").fetchall()
            joined = np.frombuffer(b"".join(vector for _, vector in rows), dtype=np.float32)
            shape = (len(rows), self._embed_with().dimension)
            self._vectors = [number for number, _ in rows], joined.reshape(shape)
        return self._vectors

    def _embed_with(self) -> Embedder:
        if self._embedder is None:
            self._embedder = self._make_embedder()
        return self._embedder

    def _about(self, key: str) -> str:
        row = self._db.execute("SELECT value FROM about WHERE key = ?", [key]).fetchone()
        return row[0] if row else ""


@contextmanager
def opened(path: Path, make_embedder: Callable[[], Embedder]):
    """The corpus in this file, made if it is not there.

    Raises:
        LibraryError: the file is no corpus, damaged, or locked for half a minute.
    """
    try:
        corpus = Corpus(path, make_embedder)
        try:
            yield corpus
        finally:
            corpus.close()
    except sqlite3.Error as error:
        raise LibraryError(f"The corpus {path.name} cannot be used: {error}.") from error

"""The files of a library: opened when they are needed, made at the first write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from yunjue.errors import DatabaseDamaged, LibraryError, YunjueError
from yunjue.protocols import Embedder
from yunjue.store.calls import Calls, Redact
from yunjue.store.code import CodeFiles
from yunjue.store.counts import Counts
from yunjue.store.database import Database
from yunjue.store.index import VectorIndex
from yunjue.store.records import Records
from yunjue.store.truth import Truth
from yunjue.store.words import Words
from yunjue.types import Tool


def unmasked(value: Any) -> Any:
    """Masks nothing."""
    return value


class Shelf:
    """Opens the files of one folder. See :class:`yunjue.library.library.Library`."""

    def __init__(
        self,
        directory: Path,
        make_embedder: Callable[[], Embedder],
        warn: Callable[[str], None],
        redact: Redact = unmasked,
    ) -> None:
        self.directory = directory
        self._make_embedder = make_embedder
        self._warn = warn
        self._redact = redact
        self._turn = threading.RLock()
        self._database: Database | None = None
        self._index: VectorIndex | None = None
        self._no_embedder = False

    def close(self) -> None:
        """Close the files; may be called twice, and the library may be used again."""
        with self._turn:
            if self._index:
                self._index.close()
            if self._database:
                self._database.close()
            self._database = self._index = None

    @property
    def _index_folder(self) -> Path:
        return self.directory / "index"

    @property
    def _code(self) -> CodeFiles:
        return CodeFiles(self.directory / "code")

    def _opened(self) -> Database | None:
        """The database, or None if there is no library yet."""
        path = self.directory / "library.db"
        with self._turn:
            if self._database is None and not path.exists():
                return None
            return self._made()

    def _made(self) -> Database:
        """The database, made if there is none."""
        with self._turn:
            if self._database is None:
                path = self.directory / "library.db"
                _refuse_emptied(path, self._code)
                self._database = Database(path)
            return self._database

    def _records(self) -> Records | None:
        database = self._opened()
        return Records(database, self._code) if database else None

    def _written(self) -> Records:
        """The rows, for one who writes."""
        return Records(self._made(), self._code)

    def _words(self) -> Words | None:
        database = self._opened()
        return Words(database) if database else None

    def _calls(self) -> Calls | None:
        database = self._opened()
        return Calls(database, self._redact) if database else None

    def _counts(self) -> Counts | None:
        database = self._opened()
        return Counts(database) if database else None

    def _readable(self, records: Records, tool_id: str) -> Tool | None:
        try:
            return records.by_id(tool_id)
        except LibraryError as error:
            self._warn(f"A tool is left out: {error.message}")
            return None

    def _vectors(self) -> VectorIndex | None:
        """The index, or None when there is no embedder; says so once."""
        with self._turn:
            if self._index is None and not self._no_embedder:
                try:
                    self._index = self._new_index()
                except YunjueError as error:
                    self._no_embedder = True
                    self._warn(
                        "Tools are searched by words only, not by meaning, because there is no "
                        f"embedder: {error.message}"
                    )
            return self._index

    def _new_index(self) -> VectorIndex:
        embedder = self._make_embedder()
        return VectorIndex(self._index_folder, embedder, Truth(self._made()), self._warn)


def _refuse_emptied(path: Path, code: CodeFiles) -> None:
    """SQLite takes a file of no bytes for a new database; next to tools it is a lost one."""
    if path.exists() and path.stat().st_size == 0 and code.folder.exists():
        raise DatabaseDamaged(f"{path} is empty, but {code.folder} holds tools.")

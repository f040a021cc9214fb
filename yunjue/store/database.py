"""A database file: one connection, short transactions, and clear errors.

WAL lets any number of processes read while one writes; writers take turns. Every
write is one transaction that takes the write lock first (``BEGIN IMMEDIATE``), so that
waiting for another process is SQLite's business and never ends in a stale read.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yunjue.errors import DatabaseDamaged, LibraryError
from yunjue.store.failures import translated
from yunjue.store.lock import held
from yunjue.store.migrations import LIBRARY, Schema

if TYPE_CHECKING:
    from sqlite_utils import Database as SqliteUtils

WAIT_SECONDS = 10.0
"""How long to wait for another process's write before :class:`DatabaseLocked`."""


class Database:
    """An open database with the current schema. Threads may share it; they take turns.

    Args:
        path: the file; it and its folder are made if absent.
        wait: seconds to wait for another process's write.
        schema: what it holds.

    Raises:
        DatabaseLocked: another process held it for longer than ``wait``.
        DatabaseDamaged: it is not a database, or no longer one.
        DiskFull: there is no room for it.
        LibraryError: it cannot be opened, or a newer Yunjue made it.
    """

    def __init__(self, path: Path, wait: float = WAIT_SECONDS, schema: Schema = LIBRARY) -> None:
        self.path = path
        self._schema = schema
        self._wait = wait
        self._turn = threading.RLock()
        self._writing = False
        with translated(path):
            self._db = self._connect()
        try:
            with translated(path):
                self._use_wal()
                self._migrate()
        except DatabaseDamaged:
            self.close()
            raise
        except LibraryError as error:
            problems = self._damage_or(error)
            self.close()
            raise problems from error

    def _connect(self) -> SqliteUtils:
        from sqlite_utils import Database as SqliteUtils

        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=self._wait, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        return SqliteUtils(connection, execute_plugins=False)

    def _use_wal(self) -> None:
        # Two processes that switch a new file to WAL at the same moment can get "locked"
        # without any waiting, so they do it one after the other.
        connection = self._db.conn
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            with held(self.path.with_suffix(".lock"), self._wait):
                connection.execute("PRAGMA journal_mode = WAL")

    def _migrate(self) -> None:
        steps = self._schema.steps()
        if newer := self._schema.applied_by_newer(self._db):
            raise LibraryError(
                f"{self.path} was made by a newer version of Yunjue (it has {newer}).",
                hint="Update Yunjue, or name another library with --library.",
            )
        if steps.pending(self._db):
            with self.write():
                steps.apply(self._db)

    def _damage_or(self, error: LibraryError) -> LibraryError:
        """Damage can hide behind any error while opening; ask SQLite, once."""
        try:
            problems = self.check()
        except LibraryError:
            return error
        if not problems:
            return error
        return DatabaseDamaged(f"{self.path} is damaged: {problems[0]}.")

    def rows(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[sqlite3.Row]:
        """All rows of a SELECT."""
        with self._turn, translated(self.path):
            return self._db.execute(sql, parameters).fetchall()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All :meth:`rows` of the block see the file as it was at the first of them."""
        with self._turn, translated(self.path):
            connection = self._db.conn
            if connection.in_transaction:  # a snapshot within a write sees that write
                yield
                return
            connection.execute("BEGIN")
            try:
                yield
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[SqliteUtils]:
        """One transaction: all of the block's changes are kept, or none. A write within a write
        is a part of it: it is kept if the outer one is."""
        with self._turn, translated(self.path):
            if self._writing:
                with self._db.atomic():
                    yield self._db
                return
            connection = self._db.conn
            connection.execute("BEGIN IMMEDIATE")
            self._writing = True
            try:
                yield self._db
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._writing = False

    def check(self) -> list[str]:
        """What SQLite finds wrong with the file: empty when it is sound."""
        try:
            found = [row[0] for row in self.rows("PRAGMA quick_check(10)")]
            found += [
                f"a row of {row['table']} belongs to no row of {row['parent']}"
                for row in self.rows("PRAGMA foreign_key_check")
            ]
        except DatabaseDamaged as error:
            return [error.message]
        return [line for line in found if line != "ok"]

    def close(self) -> None:
        """Close the connection; may be called twice."""
        with self._turn:
            self._db.conn.close()

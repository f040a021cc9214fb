"""Looking after a library: is it sound, make the index again, delete what is of no use."""

from __future__ import annotations

from yunjue.errors import LibraryError, YunjueError
from yunjue.library.finding import Finding
from yunjue.store.seal import intact
from yunjue.store.sweep import Leftover, Sweep


class Upkeep(Finding):
    """The care of :class:`yunjue.library.library.Library`."""

    def check(self) -> list[str]:
        """What is wrong with the library, one line each; empty when it is sound."""
        try:
            records = self._records()
            if records is None or self._database is None:
                return []
            problems = self._database.check() or records.check()
        except LibraryError as error:
            return [error.message]
        if not intact(self._index_folder, thorough=True):
            problems.append("the index is damaged; the next search makes it again")
        return problems

    def reindex(self) -> int:
        """Make the vector index again from the rows; the number of tools in it.

        Raises:
            YunjueError: the embedder cannot be had, or there is no room.
        """
        if self.count() == 0:
            return 0
        with self._turn:
            self._index = self._index or self._new_index()
        return self._index.rebuild()

    def leftovers(self, older_than_days: float) -> list[Leftover]:
        """What :meth:`delete` may delete: versions that were retired and not called for so
        many days, files of no tool, calls beyond the newest 1000 of a tool, folders in
        quarantine, vectors that no search asks."""
        database = self._opened()
        if database is None:
            return []
        found = Sweep(database, self._code, self.directory).find(older_than_days)
        try:
            index = self._vectors()
            size, names = index.unused() if index else (0, [])
        except YunjueError as error:
            self._warn(f"The index was not looked at: {error.message}")
            size, names = 0, []
        if names:
            what = "of another embedder, or of tools out of use"
            found.append(Leftover("index", "index", ", ".join(names), size, what))
        return found

    def delete(self, leftover: Leftover, older_than_days: float) -> int:
        """Delete it for ever, unless it is in use again; the bytes that frees.

        A version's file, cases and calls go; its row, its history and its counts stay.
        """
        if leftover.kind == "index":
            index = self._vectors()
            return index.drop_unused() if index else 0
        database = self._made()
        return Sweep(database, self._code, self.directory).delete(leftover, older_than_days)

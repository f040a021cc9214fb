"""What evolutions brought into the library, step by step."""

from __future__ import annotations

from yunjue.library.life import WINDOW, next_status
from yunjue.library.shelf import Shelf
from yunjue.store.absorptions import Absorption, Absorptions, Changes
from yunjue.store.calls import Calls
from yunjue.store.records import Records


class Absorbed(Shelf):
    """The absorbed steps of :class:`yunjue.library.library.Library`."""

    def absorb(self, evolution: str, step: int, changes: Changes) -> Absorption:
        """Do all of ``changes`` in one step; if that step was absorbed already, nothing.

        The rules of :mod:`yunjue.library.life` may move tools that were called.

        Raises:
            NameTaken: another tool in use has the name of one that comes in.
            DatabaseLocked, DatabaseDamaged, DiskFull: nothing was changed.
        """
        return self._absorptions().apply(evolution, step, changes, next_status, WINDOW)

    def undo(self, evolution: str, step: int) -> list[str]:
        """Take back the last step of an evolution; see
        :meth:`yunjue.store.absorptions.Absorptions.undo`."""
        return self._absorptions().undo(evolution, step)

    def absorbed(self, evolution: str) -> list[Absorption]:
        """The steps of ``evolution`` that stand, in their order."""
        return self._absorptions().all(evolution) if self._opened() else []

    def _absorptions(self) -> Absorptions:
        database = self._made()
        return Absorptions(database, Records(database, self._code), Calls(database, self._redact))

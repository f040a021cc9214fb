"""What could not be made, so that it is not tried again with every task."""

from __future__ import annotations

from collections.abc import Collection

from yunjue.library.shelf import Shelf
from yunjue.store.refusals import Refusal, Refusals


class Refused(Shelf):
    """The refusals of :class:`yunjue.library.library.Library`."""

    def refusals(self) -> list[Refusal]:
        """Tools that could not be made, the last refused first."""
        database = self._opened()
        return Refusals(database).all() if database else []

    def refuse(self, name: str, model: str, why: str, run: str) -> None:
        """Keep that ``model`` could not write the tool in ``run``, once per run."""
        Refusals(self._made()).add(name, model, why, run)

    def pass_over(self, name: str, model: str) -> Refusal | None:
        """The refusal because of which ``model`` is not to try the tool now, or None: then it
        may. Each that is passed over counts, until it may be tried again."""
        database = self._opened()
        return Refusals(database).pass_over(name, model) if database else None

    def passing_over(self, name: str, model: str) -> Refusal | None:
        """What :meth:`pass_over` would give, without counting."""
        database = self._opened()
        return Refusals(database).due(name, model) if database else None

    def forget_refusals(self, names: Collection[str]) -> int:
        """Let the tools of these names be tried again; how many refusals that were."""
        database = self._opened()
        return Refusals(database).forget(names) if database else 0

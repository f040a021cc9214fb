"""What a run takes from the bank of principles, and what it gives to it (EvolveR).

The manager is shown the few lessons that are nearest to the task; the executor can look for
more. When the run ends, each lesson it was shown is credited, and the run waits for its own
lesson, which is learnt while a later run goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from yunjue.errors import DatabaseLocked, LimitReached, UnknownPrincipleError, YunjueError
from yunjue.events import Event, Events
from yunjue.limits import Limits, Meter
from yunjue.models.gateway import Gateway, Unrecorded
from yunjue.principles.learn import learn
from yunjue.principles.principles import Principles
from yunjue.principles.trajectory import outcome
from yunjue.protocols import ChatModel, Effects

SHOWN = 3
"""Most principles for one query, as in EvolveR."""

BUDGET = 700
"""Most characters of them all, about 180 tokens."""

LEAST_SIMILARITY = 0.3
"""Cosine below which a principle is not about the query: small models heed whatever they are
shown. A sentence of general advice is less similar to a task than a tool's description is."""

LESSONS = 2
"""Most runs that are learnt from while one goes on."""

LESSON_TOKENS = 12_000
"""Bound of what they use together."""

PATIENCE = 20.0
"""Seconds a run that is done waits for a lesson that is being learnt."""


class Experience:
    """The bank of principles, as one run uses it.

    Args:
        effects: searches go through it, so that a replay finds the same.
        least: cosine below which a principle is not shown.
        models: what lessons are distilled with; None: nothing is learnt meanwhile.
    """

    def __init__(
        self,
        principles: Principles,
        effects: Effects,
        events: Events,
        least: float,
        models: Mapping[str, list[ChatModel]] | None,
    ) -> None:
        self._principles = principles
        self._effects = effects
        self._events = events
        self._least = least
        self._models = models

    async def find(self, query: str) -> list[str]:
        """The lines of the principles nearest to ``query``, which count as shown."""

        async def action() -> dict[str, Any]:
            found = await asyncio.to_thread(
                self._principles.search, query, SHOWN, BUDGET, min_similarity=self._least
            )
            return {"found": [{"id": one.principle.id, "text": one.text} for one in found]}

        request = {"query": query, "most": SHOWN, "least": self._least}
        result = await self._effects.perform("principles", request, action)
        found = result["found"]
        self._events.emit(
            "principles.found",
            query=query[:200],
            ids=[one["id"] for one in found],
            texts=[one["text"] for one in found],
        )
        return [one["text"] for one in found]

    def ended(self, run: str, status: str, events: Iterable[Event], trace: Path) -> None:
        """Credit what the run was shown, and let it wait for its own lesson.

        Args:
            status: how it is about to end, ``solved`` or ``not_solved``.
            events: of all its sittings.
            trace: where they are kept.

        Raises:
            LibraryError: the bank cannot be written.
        """
        known = [*events, Event("run.finished", {"status": status})]
        found = [event.data["ids"] for event in known if event.kind == "principles.found"]
        for principle in dict.fromkeys(one for ids in found for one in ids):
            with suppress(UnknownPrincipleError):
                self._principles.record_use(run, principle, outcome(known))
        pruned = self._principles.run_finished(run)
        if pruned:
            self._events.emit("principles.pruned", ids=pruned)
        self._principles.waiting().add(run, trace)

    @asynccontextmanager
    async def learning(self) -> AsyncIterator[None]:
        """Learn from runs that ended before, while the block goes on.

        It is bounded by :data:`LESSONS` and :data:`LESSON_TOKENS`. What is not finished
        :data:`PATIENCE` seconds after the block goes on waiting. Nothing that fails here
        reaches the run.
        """
        if self._models is None:
            yield
            return
        task = asyncio.create_task(self._learn(self._models))
        try:
            yield
            await asyncio.wait([task], timeout=PATIENCE)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _learn(self, models: Mapping[str, list[ChatModel]]) -> None:
        gateway = Gateway(models, Unrecorded(), Meter(Limits(tokens=LESSON_TOKENS)), Events())
        try:
            await learn(
                self._principles,
                gateway,
                LESSONS,
                lambda lesson: self._events.emit("principles.learnt", **lesson.to_dict()),
            )
        except (DatabaseLocked, LimitReached):
            pass
        except YunjueError as error:
            self._events.emit("warning", message=f"Nothing was learnt: {error.message}")

"""Brings drafts into the bank: what says the same becomes one (EvolveR).

Within a batch, drafts of one task and kind are compared pair by pair by the model; the
connected components collapse, each to its first draft. Then each is compared with the
nearest of its kind in the bank; it is linked to every principle that says the same, and
inserted if none does. Equal texts need no model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from yunjue.models.gateway import Gateway
from yunjue.principles.bank import Kept
from yunjue.principles.distil import ROLE
from yunjue.principles.merge import merged
from yunjue.principles.types import Draft, Kind, same_text
from yunjue.prompts import conversation
from yunjue.synthesis.schemas import closed

NEAREST = 3
SIMILAR = 0.85
"""Cosine from which the model is asked whether two principles say the same; larger is closer."""

SAME = closed({"same": {"type": "boolean"}})

Judge = Callable[[str, str], Awaitable[bool]]


class Integrable(Protocol):
    """What :func:`integrate` needs of :class:`yunjue.principles.principles.Principles`."""

    def holder(self, kind: Kind, sentence: str) -> str:
        """Id of the principle of that kind and text, or ""."""

    def nearest(self, sentence: str, kind: Kind, k: int, least: float) -> list[tuple[str, str]]:
        """(id, sentence) of active principles, closest first."""

    def keep(self, draft: Draft, matches: Sequence[str] = (), why: str = "") -> list[Kept]:
        """Link the draft to ``matches``, or insert it."""


@dataclass(frozen=True, slots=True)
class Integrated:
    """What became of one draft of those that were left of a batch.

    Attributes:
        draft: with the runs of those that said the same.
        kept: the principles it is part of now.
    """

    draft: Draft
    kept: tuple[Kept, ...]


async def integrate(
    drafts: Sequence[Draft], bank: Integrable, gateway: Gateway
) -> list[Integrated]:
    """Bring drafts into the bank, one transaction each.

    Args:
        drafts: a batch; what the guard let through.
        bank: see :class:`Integrable`.
        gateway: has a model for the distiller, which also says what is the same.

    Raises:
        LibraryError: a sentence could not be embedded, or the bank not be written. What was
            integrated before stays.
        ModelError, LimitReached: as :meth:`yunjue.models.gateway.Gateway.ask_json`.
    """

    async def same(one: str, other: str) -> bool:
        messages = conversation("distiller_system", "same_lesson", one=one, other=other)
        answer = await gateway.ask_json(ROLE, messages, SAME, max_tokens=20)
        return answer["same"]

    done = []
    for draft in await collapsed(drafts, same):
        matches = await _matches(draft, bank, same)
        kept = await asyncio.to_thread(bank.keep, draft, matches, "distilled")
        done.append(Integrated(draft, tuple(kept)))
    return done


async def collapsed(drafts: Sequence[Draft], same: Judge) -> list[Draft]:
    """One draft for each connected component of those of one task and kind that say the same:
    the first, with the runs of all. A pair that is connected already is not asked about."""
    group = list(range(len(drafts)))  # the place of the first of its component
    for here, draft in enumerate(drafts):
        for before in range(here):
            other = drafts[before]
            if group[before] == group[here]:
                continue
            if (other.task, other.kind) != (draft.task, draft.kind):
                continue
            if _equal(draft, other) or await same(other.sentence, draft.sentence):
                first, last = sorted((group[before], group[here]))
                group = [first if place == last else place for place in group]
    kept: dict[int, Draft] = {}
    for place, draft in zip(group, drafts, strict=True):
        kept[place] = merged(kept[place], draft) if place in kept else draft
    return list(kept.values())


async def _matches(draft: Draft, bank: Integrable, same: Judge) -> list[str]:
    """Ids of the principles that say the same as the draft."""
    if held := await asyncio.to_thread(bank.holder, draft.kind, draft.sentence):
        return [held]
    near = await asyncio.to_thread(bank.nearest, draft.sentence, draft.kind, NEAREST, SIMILAR)
    return [found for found, sentence in near if await same(sentence, draft.sentence)]


def _equal(one: Draft, other: Draft) -> bool:
    return same_text(one.sentence) == same_text(other.sentence)

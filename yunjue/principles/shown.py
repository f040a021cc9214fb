"""Principles as a prompt shows them: one line each, conflicts together, within a budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from yunjue.principles.types import Principle


@dataclass(frozen=True, slots=True)
class Found:
    """A principle for a query.

    Attributes:
        similarity: cosine of query and sentence; None for one that stands here only because
            of the one that it may contradict.
        conflicts_with: id of that one, which stands before or after it; "" for none.
    """

    principle: Principle
    similarity: float | None
    conflicts_with: str = ""

    @property
    def text(self) -> str:
        """Its line: kind, score, sentence, triples."""
        one = self.principle
        triples = "; ".join(" - ".join(triple) for triple in one.triples)
        clash = " (another lesson may say otherwise)" if self.conflicts_with else ""
        return f"[{one.kind}, score {one.score:.2f}] {one.sentence}{clash}" + (
            f" ({triples})" if triples else ""
        )


def together(
    near: Sequence[tuple[str, float]], pairs: Mapping[str, str], known: Mapping[str, Principle]
) -> list[tuple[Found, ...]]:
    """What belongs together: a principle alone, or the two of a conflict, the better-evidenced
    first. In the order of ``near``; no principle twice."""
    similarities = dict(near)
    groups: list[tuple[Found, ...]] = []
    done: set[str] = set()
    for found, _ in near:
        if found in done or found not in known:
            continue
        other = pairs.get(found, "")
        if other in done or other not in known:
            other = ""
        members = [one for one in (found, other) if one]
        members.sort(key=lambda one: _evidence(known[one]), reverse=True)
        groups.append(
            tuple(
                Found(
                    known[one],
                    similarities.get(one),
                    next((else_ for else_ in members if else_ != one), ""),
                )
                for one in members
            )
        )
        done.update(members)
    return groups


def _evidence(principle: Principle) -> tuple[bool, int, float]:
    """A person's decision, then how many runs speak for it, then its score."""
    return principle.pinned, principle.support, principle.score


def within(groups: Iterable[Sequence[Found]], budget: int | None) -> list[Found]:
    """Those groups that fit in ``budget`` characters, a line break after each text."""
    shown: list[Found] = []
    left = budget
    for group in groups:
        size = sum(len(one.text) + 1 for one in group)
        if left is not None and size > left:
            continue
        shown += group
        left = None if left is None else left - size
    return shown

"""Which tools of a batch are one function: among themselves, and with those of the library.

Candidates are neighbours by their embeddings; the aggregator confirms them with the question
of arXiv 2601.18226: could one function cover all by its arguments, with no internal dispatch?
Only the batch's tools are compared, each with a few neighbours, so the cost does not grow with
the library.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from yunjue.errors import ModelOutputInvalid, PromptTooLong
from yunjue.events import Events
from yunjue.evolution.branch import Base
from yunjue.evolution.contender import Contender
from yunjue.models.gateway import Gateway
from yunjue.prompts import conversation
from yunjue.protocols import Effects
from yunjue.synthesis.schemas import closed

NEAR = 0.75
"""Cosine from which two tools are neighbours, and the aggregator is asked."""
NEIGHBOURS = 3
"""Of the library's tools that are looked at for each of the batch's."""
LARGEST = 6
"""Tools of one question to the aggregator."""


async def neighbours(tool: Contender, base: Base, effects: Effects) -> list[str]:
    """Ids of the library's tools that are near, the nearest first."""

    async def action() -> dict[str, Any]:
        found = base.search(tool.text, NEIGHBOURS)
        near = [one for one in found if one.similarity is not None and one.similarity >= NEAR]
        return {"ids": [one.tool.id for one in near if one.tool.id != tool.tool.id]}

    result = await effects.perform("library", {"neighbours of": tool.tool.id}, action)
    return result["ids"]


async def near_each_other(
    tools: Sequence[Contender], base: Base, effects: Effects
) -> list[tuple[int, int]]:
    """Pairs of indexes of ``tools`` that are near, smaller index first."""
    pairs = []
    for place, tool in enumerate(tools[:-1]):
        later = tools[place + 1 :]

        async def action(tool: Any = tool, later: Any = later) -> dict[str, Any]:
            return {"cosines": base.similarities(tool.text, [one.text for one in later])}

        request = {"near": tool.tool.id, "among": [one.tool.id for one in later]}
        result = await effects.perform("library", request, action)
        cosines = result["cosines"] or [0.0] * len(later)
        for offset, (other, cosine) in enumerate(zip(later, cosines, strict=True), start=1):
            if cosine >= NEAR or other.tool.name == tool.tool.name:
                pairs.append((place, place + offset))
    return pairs


def components(count: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Groups of the numbers below ``count`` that ``pairs`` connect, each in ascending order, by
    their first; none larger than :data:`LARGEST`."""
    group = {number: [number] for number in range(count)}
    for left, right in pairs:
        one, other = group[left], group[right]
        if one is not other and len(one) + len(other) <= LARGEST:
            joined = sorted(one + other)
            group.update(dict.fromkeys(joined, joined))
    return sorted({id(numbers): numbers for numbers in group.values()}.values())


async def confirmed(
    tools: Sequence[Contender], gateway: Gateway, events: Events
) -> list[list[Contender]]:
    """``tools`` parted into groups that are one function each, by the aggregator's word; each
    tool stays in exactly one.

    Tools of one name and one signature answer the same specification: they are not asked
    about. Tools whose outputs have different types are never one.
    """
    known = _same_specification(tools)
    if len(known) == 1:
        return [list(tools)]
    shown = [group[0] for group in known]
    lines = [
        {"signature": one.tool.signature, "description": one.tool.description[:200]}
        for one in shown
    ]
    number = {"type": "integer", "minimum": 1, "maximum": len(shown)}
    group = {"type": "array", "items": number, "minItems": 1, "maxItems": len(shown)}
    schema = closed({"groups": {"type": "array", "items": group, "maxItems": len(shown)}})
    messages = conversation("aggregator_system", "aggregator", tools=lines)
    try:
        answer = await gateway.ask_json("aggregator", messages, schema, max_tokens=120)
    except (ModelOutputInvalid, PromptTooLong) as error:
        events.emit("absorb.grouped", tools=_names(shown), groups=[], why=error.message)
        return known
    groups, repaired = repaired_groups(answer["groups"], len(shown))
    groups = [part for group in groups for part in _by_output(group, shown)]
    events.emit(
        "absorb.grouped",
        tools=_names(shown),
        groups=[[shown[index].tool.name for index in group] for group in groups],
        why=repaired,
    )
    return [[tool for index in group for tool in known[index]] for group in groups]


def repaired_groups(answer: Sequence[Sequence[int]], count: int) -> tuple[list[list[int]], str]:
    """The answer as a partition of ``range(count)``, and what had to be mended, or "".

    A number that is named twice stays where it was named first; one that is left out stands
    alone; one that means no tool is dropped.
    """
    seen: set[int] = set()
    groups, wrong = [], []
    for group in answer:
        kept = []
        for number in group:
            index = number - 1
            if not 0 <= index < count:
                wrong.append(f"there is no tool {number}")
            elif index in seen:
                wrong.append(f"tool {number} was named twice")
            else:
                seen.add(index)
                kept.append(index)
        if kept:
            groups.append(sorted(kept))
    lost = [index for index in range(count) if index not in seen]
    wrong += [f"tool {index + 1} was left out" for index in lost]
    return sorted(groups + [[index] for index in lost]), "; ".join(dict.fromkeys(wrong))


def _same_specification(tools: Sequence[Contender]) -> list[list[Contender]]:
    groups: dict[str, list[Contender]] = {}
    for tool in tools:
        groups.setdefault(tool.tool.signature, []).append(tool)
    return list(groups.values())


def _by_output(group: list[int], tools: Sequence[Contender]) -> list[list[int]]:
    parts: dict[str, list[int]] = {}
    for index in group:
        parts.setdefault(repr(tools[index].output_type), []).append(index)
    return list(parts.values())


def _names(tools: Sequence[Contender]) -> list[str]:
    return [one.tool.name for one in tools]

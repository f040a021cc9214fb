"""The part of a catalogue that a model is shown: few skills, near the task, in few words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from yunjue.skills.types import Skill

MOST_SHOWN = 8
BUDGET = 2400
"""Characters of all names and descriptions, about 600 tokens."""
DESCRIPTION = 400
"""Characters of one description."""
LEAST_SIMILARITY = 0.25
"""Cosine of task and description below which a skill is not about the task. The model decides
among those above; it takes what it is shown, so what is far away is not shown."""

One = TypeVar("One", bound=Skill)


def about(skill: Skill) -> str:
    """What is embedded of it."""
    return f"{skill.name.replace('-', ' ')}: {skill.description}"


def shown(
    skills: Sequence[One], similarities: Sequence[float] | None, least: float = LEAST_SIMILARITY
) -> list[tuple[One, float | None]]:
    """The skills that the model is shown, nearest first, with their similarity.

    Args:
        similarities: cosine of the task and each skill's :func:`about`; None if nothing can
            tell, then the order stays and the budget alone cuts.
        least: similarity below which a skill is left out.
    """
    scored: list[tuple[One, float | None]]
    if similarities is None:
        scored = [(skill, None) for skill in skills]
    else:
        pairs = zip(skills, similarities, strict=True)
        near = [(skill, score) for skill, score in pairs if score >= least]
        scored = sorted(near, key=lambda pair: -pair[1])
    taken, left = [], BUDGET
    for skill, score in scored[:MOST_SHOWN]:
        left -= len(skill.name) + len(short(skill.description))
        if left < 0 and taken:
            break
        taken.append((skill, score))
    return taken


def short(description: str) -> str:
    """The description, cut where it is too long, saying so."""
    return (
        description if len(description) <= DESCRIPTION else description[: DESCRIPTION - 4] + " ..."
    )

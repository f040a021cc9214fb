"""Distils a run into a lesson: guiding after a success, cautionary after a failure (EvolveR).

The model reads the log of the run (:mod:`yunjue.principles.trajectory`), answers by a schema,
and what it says passes the guard, or is shown with the reason why it did not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from yunjue.errors import ModelOutputInvalid
from yunjue.hashing import content_id
from yunjue.models.gateway import SEED_STEP, Gateway
from yunjue.principles.guard import Refusal, refusal
from yunjue.principles.trajectory import Trajectory
from yunjue.principles.types import (
    MOST_CHARACTERS,
    MOST_PART,
    MOST_TRIPLES,
    Draft,
    Evidence,
    Kind,
    Scope,
)
from yunjue.prompts import conversation
from yunjue.synthesis.schemas import closed

ROLE = "distiller"

MOST_TOKENS = 512
"""Of the reply; EvolveR's bound for a summary."""

TEMPERATURE = 0.7
"""Of the second and later samples; at less they repeat the first."""

_PART = {"type": "string", "minLength": 1, "maxLength": MOST_PART}
_TRIPLE = {"type": "array", "items": _PART, "minItems": 3, "maxItems": 3}
SCHEMA = closed(
    {
        "sentence": {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS},
        "triples": {"type": "array", "items": _TRIPLE, "minItems": 1, "maxItems": MOST_TRIPLES},
    }
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A lesson that is not taken: what the model said ("" if it kept to no JSON), and why."""

    sentence: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Distilled:
    """What a run taught, and what it was made to say and the guard refused."""

    drafts: tuple[Draft, ...]
    refused: tuple[Refused, ...]


async def distil(
    gateway: Gateway,
    run: Trajectory,
    status: Literal["success", "failure"],
    *,
    domain: str = "",
    samples: int = 1,
) -> Distilled:
    """The lessons of one run.

    Args:
        gateway: has a model for :data:`ROLE`.
        status: how the run ended; ``run.outcome.status`` says what it thinks itself.
        domain: of the task, "" if none is known.
        samples: how often the model is asked; the answers may repeat one another, which
            :func:`yunjue.principles.integrate.integrate` settles.

    Raises:
        ModelError, LimitReached: as :meth:`yunjue.models.gateway.Gateway.ask`; a model that
            keeps to no JSON is not an error but a refusal.
    """
    kind: Kind = "guiding" if status == "success" else "cautionary"
    messages = conversation(
        "distiller_system",
        "distil",
        log=run.log,
        kind=kind,
        most=MOST_CHARACTERS,
        triples=MOST_TRIPLES,
    )
    drafts: list[Draft] = []
    refused: list[Refused] = []
    for sample in range(samples):
        try:
            answer = await gateway.ask_json(
                ROLE,
                messages,
                SCHEMA,
                temperature=TEMPERATURE if sample else 0.0,
                seed=SEED_STEP * sample,
                max_tokens=MOST_TOKENS,
            )
        except ModelOutputInvalid as error:
            refused.append(Refused("", Refusal("no-lesson", error.message)))
            continue
        sentence, triples = _tidied(answer)
        why = refusal(sentence, triples, run)
        if why:
            refused.append(Refused(sentence, why))
        else:
            drafts.append(_draft(kind, sentence, triples, run, domain))
    return Distilled(tuple(drafts), tuple(refused))


def _tidied(answer: dict[str, Any]) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    """White space tidied; the guard sees the rest as it is."""
    triples = [tuple(" ".join(part.split()) for part in one) for one in answer["triples"]]
    return " ".join(answer["sentence"].split()), tuple(triples)


def _draft(
    kind: Kind,
    sentence: str,
    triples: Sequence[tuple[str, str, str]],
    run: Trajectory,
    domain: str,
) -> Draft:
    """The lesson with its scope, which comes from the run and not from the model: the tools
    that it names, and how those failed."""
    told = " ".join([sentence, *(part for triple in triples for part in triple)])
    words = {word.strip(".,;:'\"") for word in told.split()}
    spoken = told.casefold()
    tools = sorted(
        tool
        for tool in run.tools
        if tool in words or ("_" in tool and tool.replace("_", " ") in spoken)
    )
    failures = [one for one in run.outcome.failures if not tools or one.tool in tools]
    errors = sorted({one.error for one in failures}) if kind == "cautionary" else []
    steps = [seq for seq, line in run.steps.items() if any(tool in line for tool in tools)]
    return Draft(
        kind=kind,
        sentence=sentence,
        triples=triples,
        scope=Scope(domain=domain, tools=tools, errors=errors),
        evidence=(Evidence(run=run.run, steps=tuple(steps or run.steps)),),
        task=content_id(run.task),
    )

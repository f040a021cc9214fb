"""The tester: writes cases from the specification alone, and never sees the code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from yunjue.hashing import canonical_json
from yunjue.models.gateway import Gateway
from yunjue.prompts import conversation
from yunjue.synthesis.author import Needed
from yunjue.synthesis.schemas import cases_schema
from yunjue.types import Case, ToolSpec

CASES = 4
TEMPERATURE = 0.5
"""At 0 a small model repeats one case, or one digit of it, to the end."""


async def write_cases(
    gateway: Gateway, spec: ToolSpec, needed: Needed, earlier: Sequence[Case] = ()
) -> list[Case]:
    """Cases with distinct inputs.

    Args:
        earlier: cases that are too weak; others are wanted.

    Raises:
        ModelOutputInvalid: the tester kept failing to answer by the schema.
    """
    messages = conversation(
        "tester_system", "tester", spec=spec, count=CASES, earlier=earlier, **needed.told()
    )
    answer = await gateway.ask_json(
        "tester",
        messages,
        cases_schema(spec, CASES),
        temperature=TEMPERATURE,
        max_tokens=900,
        check=_distinct,
    )
    distinct: dict[str, Case] = {}
    for entry in answer["cases"]:
        case = Case(inputs=entry["inputs"], expected=entry["expected"])
        distinct.setdefault(canonical_json(case.inputs), case)
    return list(distinct.values())


def _distinct(answer: dict[str, Any]) -> str | None:
    inputs = {canonical_json(entry["inputs"]) for entry in answer["cases"]}
    return None if len(inputs) > 1 else "All cases have the same inputs; use different ones."

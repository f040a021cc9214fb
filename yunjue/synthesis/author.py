"""The author: writes candidates from the specification, and never sees the cases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from yunjue.models.gateway import Gateway
from yunjue.prompts import conversation
from yunjue.synthesis.slips import mended
from yunjue.types import ToolSpec

TASK_CHARS = 600
FIRST_TEMPERATURE, LATER_TEMPERATURE = 0.2, 0.7
"""A careful sample first, then varied ones: small models gain more from fresh samples
than from being told what failed (pass@1 .72 at 0.2; pass@5 9 of 10 at 0.7)."""
MAX_TOKENS = 500
"""Twice what a tool of one function takes. A small model that goes on is lost."""
REPLIES = 2
"""Some replies are the answer to the task instead of a function: short, and soon repeated."""
SEEDS = 1000
"""More than there are candidates."""

_FENCE = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)(?:\n```|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a repair is told: the code that failed and one line per failure. The lines
    name errors and disagreement, never a case's expected value."""

    code: str
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Needed:
    """What a tool is needed for: the task, and how such tasks are done if a skill says so."""

    task: str
    procedure: str = ""

    def told(self) -> dict[str, str]:
        """The part of it that author and tester see."""
        return {"task": self.task[:TASK_CHARS], "procedure": self.procedure}


async def write_candidate(
    gateway: Gateway, spec: ToolSpec, needed: Needed, number: int, evidence: Evidence | None = None
) -> str:
    """One candidate: Python code that defines the function ``spec.name``.

    Args:
        needed: the task says of formats what often is in no specification.
        number: 0 for the first candidate; seeds the sample.
    """
    messages = conversation(
        "author_system", "author", spec=spec, evidence=evidence, **needed.told()
    )
    code = ""
    for attempt in range(REPLIES):
        reply = await gateway.ask(
            "author",
            messages,
            temperature=FIRST_TEMPERATURE if number == attempt == 0 else LATER_TEMPERATURE,
            seed=number + SEEDS * attempt,
            max_tokens=MAX_TOKENS,
            stop=["\n```\n"],
        )
        code = extract_code(reply.text, spec.name)
        if f"def {spec.name}(" in code:
            break
    return mended(code)


def extract_code(text: str, name: str) -> str:
    """The code in a reply: the fenced block that defines ``name``, else the longest
    block, else the text as it is."""
    blocks = _FENCE.findall(text)
    if not blocks:
        return text.strip().strip("`").strip()
    defining = [block for block in blocks if re.search(rf"^def {re.escape(name)}\(", block, re.M)]
    return max(defining or blocks, key=len).strip()

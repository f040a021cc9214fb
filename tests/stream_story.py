"""A scripted model for streams of tasks of three families.

Its answers depend on the prompt alone, so an evolution comes to the same whatever the order of
its calls and however often it is killed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yunjue.evolution.task_rows import StreamTask

WORDS = ("cedar", "amber", "river", "delta", "ivory", "maple", "onyx", "pearl", "quartz", "topaz")


@dataclass(frozen=True)
class Family:
    name: str
    asks: str
    tool: str
    output: str
    code: str
    answer: Callable[[str], Any]

    def task(self, word: str) -> str:
        return self.asks.format(word)


FAMILIES = (
    Family(
        "reverse",
        "Reverse the text '{}'.",
        "reverse_text",
        "str",
        "text[::-1]",
        lambda word: word[::-1],
    ),
    Family(
        "vowels",
        "How many vowels has the text '{}'?",
        "count_vowels",
        "int",
        "sum(letter in 'aeiou' for letter in text)",
        lambda word: sum(letter in "aeiou" for letter in word),
    ),
    Family(
        "double",
        "Double every letter of the text '{}'.",
        "double_letters",
        "str",
        "''.join(2 * letter for letter in text)",
        lambda word: "".join(2 * letter for letter in word),
    ),
)


def stream(count: int, families: Sequence[Family] = FAMILIES) -> list[StreamTask]:
    """The first ``count`` tasks, families by turns."""
    tasks = []
    for number in range(count):
        family = families[number % len(families)]
        word = WORDS[number // len(families) % len(WORDS)]
        answer = str(family.answer(word))
        tasks.append(StreamTask(f"{family.name}-{number}", family.task(word), family.name, answer))
    return tasks


def write_stream(path: Path, tasks: Sequence[StreamTask]) -> Path:
    rows = [
        {"id": one.id, "task": one.task, "answer": one.answer, "domain": one.domain}
        for one in tasks
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def script(path: Path, first: Sequence[dict[str, Any]] = (), delay: float = 0.0) -> str:
    """Write the script; the name of the model that plays it. Rules in ``first`` win."""
    rules = list(first)
    for family in FAMILIES:
        phrase = family.asks.partition(" '")[0].replace("?", "\\?")
        made = f"```python\ndef {family.tool}(text: str) -> {family.output}:\n"
        spec = {
            "name": family.tool,
            "description": f"What {family.tool.replace('_', ' ')} says, of any text.",
            "inputs": [{"name": "text", "type": "str", "description": "the text"}],
            "output": {"name": "result", "type": family.output, "description": "the result"},
        }
        cases = [
            {"inputs": {"text": word}, "expected": family.answer(word)}
            for word in ("abc", "ebony", "x", "aeioux")
        ]
        rules += [
            {
                "when": f"'{word}'[^']*Call {family.tool}",
                "reply": {"tool": family.tool, "inputs": {"text": word}},
            }
            for word in WORDS
        ]
        rules += [
            {
                "when": f"{phrase}.*Which function answers the task",
                "reply": {"kind": "compute", "function": family.tool},
            },
            {"when": f"{phrase}.*Specify the one that is missing", "reply": spec},
            {"when": f"You write test cases.*def {family.tool}\\(", "reply": {"cases": cases}},
            {
                "when": f"You write correct, complete Python functions.*def {family.tool}\\(",
                "reply": f"{made}    return {family.code}\n```",
            },
        ]
    rules += [
        {"when": '"action": "finish"', "reply": {"action": "finish"}},
        {"when": "What next", "reply": {"action": "answer", "text": "unknown"}},
        {"when": "Proposed answer", "reply": {"answered": True, "why": "it is what was asked"}},
    ]
    path.write_text(json.dumps({"delay": delay, "rules": rules}))
    return f"scripted/{path}"

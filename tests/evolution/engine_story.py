"""A scripted model for a stream of tasks of three families, each of which needs one tool.

Its replies depend on the prompt alone: whatever the engine, and whoever dies, the same tasks
come to the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yunjue.config import Settings, load_settings
from yunjue.evolution.sources import StreamTask
from yunjue.evolution.task_run import Outcome
from yunjue.traces.effects import comparable

WORDS = ("cedar", "amber", "violet", "ocean", "maple", "indigo", "pebble", "aurora")


@dataclass(frozen=True)
class Family:
    """One kind of task, and the tool that answers it."""

    task: str
    tool: str
    code: str
    description: str
    output: tuple[str, str, str]
    cases: tuple[tuple[str, Any], ...]

    def sentence(self, word: str) -> str:
        return self.task.format(word=word)

    def answer(self, word: str) -> Any:
        space: dict[str, Any] = {}
        exec(self.code, space)
        return space[self.tool](word)

    def rules(self) -> list[dict[str, Any]]:
        mine = self.task.split("'")[0]
        name, kind, about = self.output
        specification = {
            "name": self.tool,
            "description": self.description,
            "inputs": [{"name": "text", "type": "str", "description": "the text"}],
            "output": {"name": name, "type": kind, "description": about},
        }
        cases = [{"inputs": {"text": text}, "expected": value} for text, value in self.cases]
        calls = [
            {
                "when": f"{mine}'{word}'.*Call {self.tool}",
                "reply": {"tool": self.tool, "inputs": {"text": word}},
            }
            for word in WORDS
        ]
        return [
            *calls,
            {
                "when": f"{mine}'.*Which function answers the task",
                "reply": {"kind": "compute", "function": self.tool},
            },
            {"when": f"{mine}'.*Specify the one that is missing", "reply": specification},
            {"when": f"You write test cases.*{mine}'", "reply": {"cases": cases}},
            {
                "when": f"You write correct, complete Python functions.*{mine}'",
                "reply": f"```python\n{self.code}```",
            },
        ]


FAMILIES = (
    Family(
        "Reverse the text '{word}'.",
        "reverse_text",
        "def reverse_text(text: str) -> str:\n    return text[::-1]\n",
        "The characters of the text in reverse order.",
        ("result", "str", "the reversed text"),
        (("abc", "cba"), ("ab", "ba"), ("x", "x"), ("level up", "pu level")),
    ),
    Family(
        "Count the vowels of the text '{word}'.",
        "count_vowels",
        "def count_vowels(text: str) -> int:\n"
        "    return sum(letter in 'aeiouAEIOU' for letter in text)\n",
        "How many of the letters of the text are vowels (a, e, i, o, u).",
        ("count", "int", "the number of vowels"),
        (("abc", 1), ("xyz", 0), ("AEIou", 5), ("level up", 3)),
    ),
    Family(
        "Write in upper case the text '{word}'.",
        "upper_case",
        "def upper_case(text: str) -> str:\n    return text.upper()\n",
        "The text with every small letter made a capital one.",
        ("capitals", "str", "the text in upper case"),
        (("abc", "ABC"), ("a1b", "A1B"), ("X", "X"), ("level up", "LEVEL UP")),
    ),
)
UNKNOWN = "Say nothing."
"""A task that the model has no reply to: its run fails."""


def stream(count: int) -> list[StreamTask]:
    """``count`` tasks, the families in turn, with their answers."""
    tasks = []
    for number in range(count):
        family, word = FAMILIES[number % 3], WORDS[number // 3 % len(WORDS)]
        tasks.append(
            StreamTask(
                id=f"t{number + 1}",
                task=family.sentence(word),
                answer=str(family.answer(word)),
                domain=family.tool,
            )
        )
    return tasks


def told(outcome: Outcome) -> dict[str, Any]:
    """What the outcome says, but for what was measured."""
    plain = comparable(json.loads(json.dumps(outcome.to_dict())))
    for _, verdict in plain["harvest"]["made"]:
        for stage in verdict["stages"]:
            if stage["name"] == "resources":
                stage["detail"] = ""
    return plain


def rules() -> list[dict[str, Any]]:
    """The rules of the script, first match wins."""
    alone = [
        {
            "when": rf"{count}\. \w+\(.*Which of these are one function",
            "reply": {"groups": [[number] for number in range(1, count + 1)]},
        }
        for count in range(6, 1, -1)
    ]
    closing = [
        {"when": "What next", "reply": {"action": "finish"}},
        {"when": "Proposed answer", "reply": {"answered": True, "why": "it is what was asked"}},
    ]
    return [*(rule for family in FAMILIES for rule in family.rules()), *alone, *closing]


def stream_settings(tmp_path: Path, delay: float = 0.0, **flags: Any) -> Settings:
    """Settings of an evolution of the story on this host: the code in it is ours.

    Args:
        delay: seconds of each reply of the model.
    """
    script = tmp_path / "stream-script.json"
    script.write_text(json.dumps({"delay": delay, "rules": rules()}))
    chosen = {
        "model": f"scripted/{script}",
        "sandbox": "process",
        "allow_unsafe": True,
        "embedder": "hash",
        "min_similarity": -1.0,  # the hashing embedder knows no meaning
    }
    return load_settings(**{**chosen, **flags})

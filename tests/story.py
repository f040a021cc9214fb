"""A scripted model that plays all roles for tasks of one family: reversing a text.

Its answers depend on the prompt alone, so that a run is the same whatever the order of
its calls and however often it is interrupted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from yunjue.config import Settings, load_settings
from yunjue.protocols import ToolSchemas
from yunjue.types import CallOutcome, Case, Stage, Tool, ToolSpec, Verdict

TASKS = {
    "Reverse the text 'cedar'.": ("cedar", "radec"),
    "Reverse the text 'amber'.": ("amber", "rebma"),
}
TASK, OTHER_TASK = TASKS

GOOD = "```python\ndef reverse_text(text: str) -> str:\n    return text[::-1]\n```"
WRONG = "```python\ndef reverse_text(text: str) -> str:\n    return text.upper()\n```"
BROKEN = "```python\ndef reverse_text(text: str) -> str\n    return text[::-1]\n```"
LOOP = "```python\ndef reverse_text(text: str) -> str:\n    while True:\n        pass\n```"

CASES = {
    "cases": [
        {"inputs": {"text": "abc"}, "expected": "cba"},
        {"inputs": {"text": "ab"}, "expected": "ba"},
        {"inputs": {"text": "x"}, "expected": "x"},
        {"inputs": {"text": "level up"}, "expected": "pu lvl"},
    ]
}
"""The last one is wrong: testers are."""

TRUE_CASES = {"cases": CASES["cases"][:3]}

SPECIFICATION = {
    "name": "reverse_text",
    "description": "The characters of the text in reverse order.",
    "inputs": [{"name": "text", "type": "str", "description": "the text"}],
    "output": {"name": "result", "type": "str", "description": "the reversed text"},
}

SPEC = ToolSpec(**SPECIFICATION)


def rules(**changes: Any) -> list[dict[str, Any]]:
    """The rules of the script, first match wins; ``changes`` replace replies by name."""
    replies = {
        "decide": {"kind": "compute", "function": "reverse_text"},
        "specify": SPECIFICATION,
        "tester": CASES,
        "author": GOOD,
        "next": {"action": "finish"},
        "critic": {"answered": True, "why": "it is what was asked"},
        **changes,
    }
    when = {
        "decide": "Which function answers the task",
        "specify": "Specify the one that is missing",
        "tester": "You write test cases",
        "author": "You write correct, complete Python functions",
        "next": "What next",
        "critic": "Proposed answer",
    }
    calls = [
        {
            "when": f"'{text}'.*Call reverse_text",
            "reply": {"tool": "reverse_text", "inputs": {"text": text}},
        }
        for text, _ in TASKS.values()
    ]
    named = [{"when": when[name], "reply": replies[name]} for name in when]
    return [*replies.get("first", []), *calls, *named]


def write_script(path: Path, delay: float = 0.0, **changes: Any) -> str:
    """Write the script and return the name of the model that plays it."""
    path.write_text(json.dumps({"delay": delay, "rules": rules(**changes)}))
    return f"scripted/{path}"


def story_settings(tmp_path: Path, flags: dict[str, Any] | None = None, **changes: Any) -> Settings:
    """Settings of a run of the story on this host: the code in it is ours."""
    model = write_script(tmp_path / "script.json", **changes)
    chosen = {"model": model, "sandbox": "process", "allow_unsafe": True, "embedder": "hash"}
    # The hashing embedder knows no meaning; what it finds is shown whatever its similarity.
    return load_settings(**{**chosen, "min_similarity": -1.0, **(flags or {})})


def stock(settings: Settings) -> Tool:
    """Put the tool of the story into the library of the settings, as if a run had made it."""
    from yunjue.library.open import open_library
    from yunjue.synthesis.declared import declaring
    from yunjue.synthesis.template import render_tool

    source = render_tool(SPEC, "def reverse_text(text: str) -> str:\n    return text[::-1]", [])
    text, result = {"text": {"type": "string"}}, {"result": {"type": "string"}}
    schemas = ToolSchemas(
        input_schema={"properties": text, "required": ["text"]},
        output_schema={"properties": result, "required": ["result"]},
    )
    made = declaring(tool(source).model_copy(update={"description": SPEC.description}), schemas)
    cases = [Case(**case) for case in TRUE_CASES["cases"]]
    stages = [Stage(name="tests", passed=True)]
    library = open_library(settings, print)
    verdict = Verdict(tool_id=made.id, admitted=True, stages=stages, cases=cases)
    library.add(made, verdict)
    library.close()
    return made


def ok(value: Any) -> CallOutcome:
    return CallOutcome(status="ok", output={"result": value})


def refused() -> CallOutcome:
    return CallOutcome(status="input_error", error="ValueError: no")


def tool(source: str = "x = 1\n", name: str = "reverse_text") -> Tool:
    from yunjue.hashing import content_id

    return Tool(
        id=content_id(source),
        name=name,
        description="Reverses a text.",
        signature=f"{name}(text: str) -> result: str",
        source=source,
        input_schema={"properties": {"text": {"type": "string"}}, "required": ["text"]},
        output_schema={},
    )

"""Scripts for the model that thinks nothing: what it answers in a run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Rule = dict[str, Any]


def calling(tool: str, inputs: Mapping[str, Any]) -> list[Rule]:
    """The manager wants ``tool``, the executor calls it so, and its result is the answer."""
    return [
        {"when": "Which function answers", "reply": {"kind": "compute", "function": tool}},
        {
            "when": f"Call {re.escape(tool)}",
            "reply": {"tool": tool, "inputs": dict(inputs)},
        },
        {"when": "What next", "reply": {"action": "finish"}},
    ]


def answering(text: str) -> list[Rule]:
    """The model answers from its head, and the critic takes it."""
    return [
        {"when": "Which function answers", "reply": {"kind": "knowledge", "function": "none"}},
        {"when": "What next", "reply": {"action": "answer", "text": text}},
        {"when": "Proposed answer", "reply": {"answered": True, "why": "it is"}},
    ]


def write_script(path: Path, rules: Sequence[Rule]) -> str:
    """Write the rules, of which the first that fits answers; gives the model's name."""
    path.write_text(json.dumps({"rules": list(rules)}), encoding="utf-8")
    return f"scripted/{path}"

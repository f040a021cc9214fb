"""A bank, a distiller that says what it is told, and traces, for the tests of principles."""

from __future__ import annotations

from typing import Any

from yunjue.events import Event, Events
from yunjue.limits import Limits, Meter
from yunjue.models.gateway import Gateway, Unrecorded
from yunjue.models.scripted import ScriptedModel
from yunjue.principles.principles import Principles
from yunjue.principles.types import Draft, Evidence
from yunjue.store.embedders.hashing import HashEmbedder

TRIPLES = [["task", "needs", "care"]]


def open_bank(folder, embedder=HashEmbedder, warnings: list[str] | None = None) -> Principles:
    return Principles(
        folder / "principles", embedder, [].append if warnings is None else warnings.append
    )


def gateway(answer) -> tuple[Gateway, ScriptedModel]:
    """A gateway whose distiller gives these replies (a list in order, or a function)."""
    model = ScriptedModel(answer, name="scripted")
    limits = Limits(None, None, None, None, None)
    return Gateway({"distiller": [model]}, Unrecorded(), Meter(limits), Events()), model


def says(sentence: str, triples: Any = TRIPLES):
    """A distiller that gives this lesson whatever it reads, and calls nothing the same."""

    def answer(request):
        if '"same"' in request.messages[-1].content:
            return {"same": False}
        return {"sentence": sentence, "triples": triples}

    return answer


def judge(*pairs: tuple[str, str]):
    """A model that calls the same what these pairs name, in either order."""

    def answer(request):
        text = request.messages[-1].content
        quoted = [(f'"{one}"', f'"{other}"') for one, other in pairs]
        return {"same": any(one in text and other in text for one, other in quoted)}

    return answer


def draft(sentence: str, kind: str = "guiding", run: str = "r1", **more: Any) -> Draft:
    return Draft(kind=kind, sentence=sentence, evidence=(Evidence(run=run, steps=(1,)),), **more)


def called(name="day_gap", status="ok", error="", reason="", output=None, inputs=None, stdout=""):
    outcome = {"status": status, "output": output, "error": error, "reason": reason}
    outcome |= {"stdout": stdout, "stderr": ""}
    data = {"call": "call-1", "name": name, "id": "0" * 64, "inputs": inputs or {"first": "x"}}
    return "tool.called", {**data, "outcome": outcome}


def events(*between, task="How many days lie between two dates?", status="solved", answer="17"):
    """The events of a run that did ``between``: (kind, data) each."""
    rows = [
        ("run.started", {"run": "20261124-000000-abcdef", "task": task}),
        ("tools.retrieved", {"names": ["day_gap"]}),
        ("manager.decided", {"decision": "use", "function": "day_gap"}),
        *between,
        ("run.answered", {"answer": answer, "status": status}),
        ("run.finished", {"status": status, "answer": answer}),
    ]
    return [Event(kind, data, 0.0, seq) for seq, (kind, data) in enumerate(rows)]

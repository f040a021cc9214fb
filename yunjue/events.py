"""What happens in a run, as it happens.

Every event goes to the trace, to the progress display and to plugins. Kinds are
``noun.verb``; the data is JSON and never holds keys or secrets.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KINDS = {
    "run.started": "task, model, sandbox, library, settings",
    "run.resumed": "how often so far",
    "domain.chosen": 'the domain a task goes to ("": none), and those that were offered',
    "environment.entered": "the domain whose environment was opened",
    "candidates.judged": "actions that were compared, each with its score and what was foreseen",
    "action.chosen": "the action to take, why, and what speaks for asking a person first",
    "action.done": "an action that was taken: its error, or what changed",
    "action.foreseen": "what the world model says an action would do",
    "action.unforeseen": "an action whose effect could not be foreseen, and why",
    "tools.provided": "tools of a plugin that entered the library, and why others did not",
    "tools.lacking": "a tool that fits, left out because it needs what is not granted, and why",
    "tools.retrieved": "names, best first, with their similarity to the query",
    "principles.found": "ids and lines of the principles that were shown for a query",
    "principles.learnt": "what became of an earlier run's lesson, and what that took",
    "principles.pruned": "ids of principles that did not help",
    "skills.found": "names the manager is shown, and those that are not used with the reason",
    "skill.chosen": "name and id of the skill that is used, what it allows; name is empty for none",
    "skill.read": "name of the skill, path and part of the file that was read",
    "skill.ran": "name of the skill, the script and its arguments, outcome",
    "manager.decided": "answer directly, use these tools, run that script, or make those",
    "manager.generalised": "a specification that seems to fit this task alone, and why",
    "tool.specified": "the specification author and tester get",
    "tool.authored": "a candidate, with its source",
    "tool.tested": "the tester's cases",
    "tool.judged": "one candidate's verdict",
    "tool.admitted": "name, id and version that entered the library",
    "tool.refused": "name and why",
    "tool.passed_over": "name, and why it was refused when it was last tried",
    "tool.called": "name, id, inputs, outcome",
    "tool.network": "tool, host, port, whether it was allowed, bytes sent and received",
    "tool.moved": "name, id, the new status, and why",
    "tool.mended": "name, id of the version that failed and of its repair, the verdict",
    "tool.unmended": "name and id of a tool that could not be repaired, and why",
    "absorb.grouped": "tools of a batch that are near, and which of them are one function",
    "absorb.merged": "name and id of the tool that stays, its parents, and how",
    "absorb.apart": "tools that are one function, and why they are not merged",
    "absorb.dropped": "name and id of a tool that does not enter the library, and why",
    "approval.asked": "a proposal that a person is asked about",
    "approval.decided": "a proposal that a rule, a plugin or a person decided about, and how",
    "executor.acted": "what the executor chose to do",
    "critic.judged": "whether the task is answered, and why",
    "answer.guessed": "what unproven code gave for a task without a tool, and how many agree",
    "run.answered": "the answer",
    "run.finished": "status, totals",
    "run.failed": "the error",
    "run.paused": "the proposal that waits for a decision",
    "model.repaired": "a reply that was not the asked-for JSON, and what was wrong",
    "model.retried": "a call that failed and is tried again",
    "effect": "one recorded exchange with a model or the sandbox",
    "warning": "something the user should know",
}
"""Every kind, with what its data says."""


@dataclass(frozen=True, slots=True)
class Event:
    """``time`` is seconds since the epoch; ``seq`` counts from 0 within the run."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    time: float = 0.0
    seq: int = -1


Subscriber = Callable[[Event], None]


class Events:
    """Hands each event to every subscriber, in the order they subscribed."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []
        self._seq = 0

    def subscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.append(subscriber)

    def start_at(self, seq: int) -> None:
        """Number the next event ``seq``; a resumed run goes on where its trace ends."""
        self._seq = seq

    def emit(self, kind: str, /, **data: Any) -> Event:
        """Make an event of ``kind`` (one of :data:`KINDS`) and pass it on."""
        if kind not in KINDS:
            raise ValueError(f"unknown event kind {kind!r}")
        event = Event(kind, data, time.time(), self._seq)
        self._seq += 1
        for subscriber in self._subscribers:
            subscriber(event)
        return event


def warn(events: Events | None, message: str) -> None:
    """Tell the user, through the run's events if there is one, else on stderr."""
    if events is None:
        print(f"warning: {message}", file=sys.stderr)
    else:
        events.emit("warning", message=message)

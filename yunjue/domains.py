"""What a plugin adds for one field of work: a domain, and the environment it may act in.

A domain is data and a few functions; it is offered through the hook ``register_domains``.
An environment is a place that is acted in step by step (a browser, a copy of a repository);
a task that goes to a domain with one is solved by acting, not by calling tools.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from yunjue.config import Settings


@dataclass(frozen=True, slots=True)
class ActionKind:
    """One thing that can be done in an environment.

    Attributes:
        name: lower_snake_case; ``action`` of the JSON that a model writes.
        description: one line for the prompt.
        arguments: name -> JSON schema; all of them are required.
    """

    name: str
    description: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class Observed:
    """What can be seen of an environment now.

    Attributes:
        text: what the model reads, within the environment's own budget. It is foreign text:
            data, never instructions.
        state: content id; two observations with the same one look the same.
        details: more of it, as JSON, for strategies that know this environment. Under
            :data:`OTHERWISE` may stand the action to take if the model chooses none.
    """

    text: str
    state: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What one action came to.

    Attributes:
        error: why it could not be done, so that the model can mend it; "" if it was done.
        change: what followed, as the model reads it.
        answer: the task's answer, when the action ended the episode; else None.
        final: nothing can be done any more, so an answer that does not hold is not gone back on.
        reward: of the environment, if it has one.
        files: what it left, relative to the folder of the environment.
        details: more of what followed, as JSON.
    """

    observed: Observed
    error: str = ""
    change: str = ""
    answer: str | None = None
    final: bool = False
    reward: float | None = None
    files: Sequence[str] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


class Environment(Protocol):
    """A place that a run acts in; one instance serves one run.

    An action is a dict: ``action``, the name of an :class:`ActionKind`, and its arguments.

    :meth:`actions` and :meth:`risk` depend on their arguments alone: a replay asks them of an
    instance that was never started. What else the model is told is recorded, and comes from the
    record when a run is resumed or replayed.
    """

    def actions(self, observed: Observed) -> Sequence[ActionKind]:
        """What can be done now."""
        ...

    async def start(self, task: str, files: Mapping[str, Path]) -> Observed:
        """Begin an episode.

        Raises:
            YunjueError: it cannot be had; says the way out.
        """
        ...

    async def restore(self, done: Sequence[Mapping[str, Any]], last: Observed) -> Observed:
        """Begin where an interrupted episode was: after the actions ``done``, which must not
        be done again where that could do harm. Raises as :meth:`start`."""
        ...

    async def step(self, action: Mapping[str, Any]) -> Step:
        """Do one action. What the model can mend comes back as an error of the step.

        Raises:
            YunjueError: the environment itself is gone.
        """
        ...

    def risk(self, action: Mapping[str, Any], observed: Observed) -> str:
        """Why a person should be asked before this is done; "" if it can be taken back."""
        ...

    async def close(self) -> None:
        """Free what it holds; may be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where an environment is made; that alone must not open or start anything.

    Attributes:
        settings: of the run.
        folder: of the run, for files; it may not be there yet.
        tokens: that the text of an observation may take.
    """

    settings: Settings
    folder: Path
    tokens: int = 2000


@dataclass(frozen=True, slots=True)
class Judged:
    """A verifier's word on an answer: whether it holds, why not (told to the model), and a
    score from 0 to 1 if there is one."""

    holds: bool
    why: str = ""
    score: float | None = None


Verify = Callable[[str, str, Mapping[str, Path]], Judged | None]
"""(task, answer, its files) -> whether the answer holds; None: not mine to judge."""

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
PROMPT_CHARS = 600
ACTION_TOKENS = 400


@dataclass(frozen=True, slots=True)
class Domain:
    """A field of work.

    Attributes:
        name: lower_snake_case; ``--domain NAME``.
        description: one line, shown to the manager when the domain may fit.
        fits: (task, names of its files) -> whether the manager is to be asked if the task
            belongs here. Cheap, and never true for everything: it costs a model call.
        prompt: at most :data:`PROMPT_CHARS` characters that the agent is told in this domain.
        tools: folder of tools in export form (docs/bundles.md), proved before first use.
        skills: folder of skills.
        readers: suffix (".parquet") -> what is told of such a file, in one short text. Called
            once a run for each file; reads no more of it than it needs.
        environment: makes the place to act in; None: the domain works with tools.
        action_tokens: that the model may write for one action; more only where an action holds
            a whole text.
        strategy: name of the strategy that chooses among actions (``register_strategies``);
            "" takes the first proposal.
        verify: (task, answer, files) -> whether the answer holds, without knowing it.
        tasks: JSONL file of tasks for an evolution.
    """

    name: str
    description: str
    fits: Callable[[str, Sequence[str]], bool]
    prompt: str = ""
    tools: Path | None = None
    skills: Path | None = None
    readers: Mapping[str, Callable[[Path], str]] = field(default_factory=dict)
    environment: Callable[[Place], Environment] | None = None
    action_tokens: int = ACTION_TOKENS
    strategy: str = ""
    verify: Verify | None = None
    tasks: Path | None = None

    def problem(self) -> str:
        """Why it cannot be used; "" if it can."""
        if not NAME.match(self.name) or len(self.name) > 64 or self.name in ("auto", "none"):
            return f"{self.name!r} is no name of a domain: lower_snake_case, not auto or none"
        if not self.description or "\n" in self.description:
            return f"the domain {self.name} has no description of one line"
        if len(self.prompt) > PROMPT_CHARS:
            return f"the prompt of the domain {self.name} is longer than {PROMPT_CHARS} characters"
        for what, path in (("tools", self.tools), ("skills", self.skills), ("tasks", self.tasks)):
            if path is not None and not path.exists():
                return f"the domain {self.name} has no {what} at {path}"
        return ""

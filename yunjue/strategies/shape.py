"""What a strategy is given and gives back; plugins offer theirs by ``register_strategies``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from yunjue.domains import ACTION_TOKENS, ActionKind, Observed, Step

if TYPE_CHECKING:
    from yunjue.config import Settings
    from yunjue.events import Events
    from yunjue.models.gateway import Gateway
    from yunjue.protocols import Effects

Action = Mapping[str, Any]
"""``action``, the name of an :class:`ActionKind`, and its arguments."""


@dataclass(frozen=True, slots=True)
class Past:
    """An action that was taken.

    Attributes:
        before: :attr:`Observed.state` it was taken in.
        error: why it could not be done; "" if it was done.
        change: what followed, as the model reads it.
    """

    action: Action
    before: str
    error: str = ""
    change: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be decided.

    Attributes:
        advice: what the domain tells the agent.
        files: names of the run's inputs.
        actions: what can be done now.
        past: the actions taken so far, oldest first.
        remark: what the agent is told about its last decision or answer.
        tokens: that the model may write for one action.
    """

    task: str
    observed: Observed
    actions: Sequence[ActionKind]
    past: Sequence[Past] = ()
    advice: str = ""
    files: Sequence[str] = ()
    remark: str = ""
    tokens: int = ACTION_TOKENS

    @property
    def number(self) -> int:
        """1 for the first decision of an episode."""
        return len(self.past) + 1

    @property
    def here(self) -> list[Past]:
        """What was done in the very state that is observed."""
        return [past for past in self.past if past.before == self.observed.state]


@dataclass(frozen=True, slots=True)
class Choice:
    """The action that was chosen.

    Attributes:
        why: in a few words, for the trace and for people.
        details: JSON that :meth:`Strategy.learn` gets back after the action.
    """

    action: Action
    why: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Mind:
    """What a strategy works with. All it asks or writes goes through ``gateway`` and
    ``effects``, so that its runs can be resumed and replayed.

    Attributes:
        actions: what could be done, if this was what is observed.
        risk: why a person should be asked before an action is taken; "" for no reason.
    """

    run: str
    settings: Settings
    gateway: Gateway
    events: Events
    effects: Effects
    actions: Callable[[Observed], Sequence[ActionKind]]
    risk: Callable[[Action, Observed], str]


class Strategy(Protocol):
    """Chooses among actions; one instance serves one run, perhaps over several sittings, so
    what it must remember belongs into :attr:`Choice.details`."""

    async def choose(self, decision: Decision, mind: Mind) -> Choice:
        """The next action.

        Raises:
            ModelError: no usable action was proposed.
        """
        ...

    async def learn(
        self, decision: Decision, choices: Sequence[Choice], step: Step, mind: Mind
    ) -> None:
        """What came of it. ``choices`` are those of the episode, the one just taken last."""
        ...

    async def ended(self, choices: Sequence[Choice], solved: bool, mind: Mind) -> None:
        """The episode is over."""
        ...

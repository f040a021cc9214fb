"""A branch of the library: what one task of a batch sees and what it makes.

The tasks of a batch run at once against the same library T_{t-1}, each with private tools
P_t (arXiv 2601.18226). So a branch reads the base, which nobody changes while the batch runs,
and keeps what its task makes, calls and cannot make to itself, until the batch is absorbed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from yunjue.errors import NameTaken
from yunjue.library.library import Found, Move, Refusal
from yunjue.store.absorptions import Call, Refused
from yunjue.store.truth import embedded_text
from yunjue.types import CallOutcome, Tool, Verdict


class Base(Protocol):
    """What a branch reads; :class:`yunjue.library.library.Library` says what each does."""

    directory: Path

    def search(self, query: str, k: int, *, domain: str | None = None) -> list[Found]: ...

    def similarities(self, query: str, texts: Sequence[str]) -> list[float] | None: ...

    def find(self, name: str) -> Tool | None: ...

    def has(self, tool_id: str) -> bool: ...

    def passing_over(self, name: str, model: str) -> Refusal | None: ...


@dataclass(frozen=True, slots=True)
class Harvest:
    """What a task leaves to be absorbed, in the order it came about.

    Attributes:
        made: tools with their verdicts.
        calls: of its own tools and of the base's.
        passed_over: (name, model) of tools that were not tried because of a refusal.
    """

    made: list[tuple[Tool, Verdict]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    passed_over: list[tuple[str, str]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return {
            "made": [[tool.model_dump(), verdict.model_dump()] for tool, verdict in self.made],
            "calls": [
                {
                    "run": call.run,
                    "call": call.call,
                    "tool_id": call.tool_id,
                    "outcome": call.outcome.model_dump(),
                    "inputs": dict(call.inputs),
                }
                for call in self.calls
            ],
            "refused": [asdict(one) for one in self.refused],
            "passed_over": [list(one) for one in self.passed_over],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Harvest:
        return cls(
            made=[(Tool(**tool), Verdict(**verdict)) for tool, verdict in data["made"]],
            calls=[
                Call(**{**call, "outcome": CallOutcome(**call["outcome"])})
                for call in data["calls"]
            ],
            refused=[Refused(**one) for one in data["refused"]],
            passed_over=[(name, model) for name, model in data["passed_over"]],
        )


class Branch:
    """A :class:`yunjue.agent.services.RunLibrary` for one task of a batch.

    Attributes:
        harvest: grows as the task goes on.
    """

    def __init__(self, base: Base) -> None:
        self.directory = base.directory
        self.harvest = Harvest()
        self._base = base

    def search(self, query: str, k: int, *, domain: str | None = None) -> list[Found]:
        """The base's tools that fit best, and those of this branch that fit as well."""
        found = self._base.search(query, k, domain=domain)
        own = [tool for tool, _ in self.harvest.made]
        if own:
            texts = [embedded_text(tool.name, tool.description, tool.signature) for tool in own]
            similar = self._base.similarities(query, texts) or [None] * len(own)
            found += [Found(tool, 0.0, close) for tool, close in zip(own, similar, strict=True)]
            found.sort(key=lambda one: -(one.similarity or 0.0))
        return found[:k]

    def similarities(self, query: str, texts: Sequence[str]) -> list[float] | None:
        return self._base.similarities(query, texts)

    def find(self, name: str) -> Tool | None:
        return self._own(name) or self._base.find(name)

    def has(self, tool_id: str) -> bool:
        return any(tool.id == tool_id for tool, _ in self.harvest.made) or self._base.has(tool_id)

    def pass_over(self, name: str, model: str) -> Refusal | None:
        """As the base says; it counts when the batch is absorbed."""
        return self._base.passing_over(name, model)

    def add(self, tool: Tool, verdict: Verdict) -> Tool:
        """Keep a proven tool in this branch.

        Raises:
            NameTaken: another tool has its name.
        """
        holder = self.find(tool.name)
        if holder is None:
            self.harvest.made.append((tool, verdict))
        elif holder.id != tool.id:
            raise NameTaken(f"There is another tool named {tool.name!r}.")
        return tool

    def refuse(self, name: str, model: str, why: str, run: str) -> None:
        self.harvest.refused.append(Refused(name, model, why, run))

    def forget_refusals(self, names: Collection[str]) -> int:
        """Done when the batch is absorbed, for the tools that enter the library."""
        return 0

    def record_call(
        self, run: str, call: str, tool_id: str, outcome: CallOutcome, inputs: Mapping[str, Any]
    ) -> Move | None:
        """Kept for the absorption; no tool moves in the middle of a batch."""
        self.harvest.calls.append(Call(run, call, tool_id, outcome, dict(inputs)))
        return None

    def _own(self, name: str) -> Tool | None:
        return next((tool for tool, _ in self.harvest.made if tool.name == name), None)

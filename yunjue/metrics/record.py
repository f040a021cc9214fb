"""What is known of an evolution: one record a task, one a step. All metrics come from these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """What one task of the stream came to.

    Attributes:
        arm: ``evolve``; ``model`` or ``interpreter`` for a baseline.
        step: the batch it ran in, from 1; 0 for a baseline, which absorbs nothing.
        index: its place in the stream, from 0; unique within its arm.
        task: its id.
        domain: "" if none is known.
        status: ``solved``, ``not_solved``, ``limit`` or ``failed``.
        right: whether the answer is the known one; None if none is known.
        made: tools synthesised and proved for it (c of the EGL).
        calls: tool invocations (u of the EGL); ``ok`` of them gave a result,
            ``input_errors`` were refused for their arguments.
        reused: invocations of tools that the library held before the step.
        tokens, cost_usd, seconds: of the whole run; wall seconds.
        roles: role -> tokens of its prompts and replies.
    """

    arm: str
    step: int
    index: int
    task: str
    domain: str = ""
    status: str = "solved"
    right: bool | None = None
    made: int = 0
    calls: int = 0
    ok: int = 0
    input_errors: int = 0
    reused: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    roles: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What absorbing one batch changed.

    Attributes:
        size: tools in use in the library after it.
        added: tools that entered the library; a merged one counts once.
        merges: merges of two or more tools into one.
        merged: tools that went into those merges.
        dropped: tools made in the batch that were discarded: never called, or their name was
            another's.
        tokens, cost_usd: of aggregator and merger.
        seconds: wall time of the whole batch, its tasks included.
    """

    step: int
    size: int
    added: int = 0
    merges: int = 0
    merged: int = 0
    dropped: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class History:
    """Records in the order they were made, those of undone steps left out."""

    tasks: tuple[TaskRecord, ...] = ()
    steps: tuple[StepRecord, ...] = ()

    def arm(self, name: str) -> tuple[TaskRecord, ...]:
        """The tasks of one arm, by their place in the stream."""
        return tuple(sorted((t for t in self.tasks if t.arm == name), key=lambda t: t.index))

    def arms(self) -> list[str]:
        return list(dict.fromkeys(task.arm for task in self.tasks))

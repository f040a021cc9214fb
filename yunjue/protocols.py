"""What the outer world must offer: models, sandboxes, embedders, effects.

Backends come through hooks (:mod:`yunjue.hookspecs`); these are the shapes they fill.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from yunjue.types import CallOutcome, ModelReply, ModelRequest

if TYPE_CHECKING:
    import numpy as np


@runtime_checkable
class ChatModel(Protocol):
    """A language model.

    Attributes:
        name: the id it is asked for by, e.g. ``openai/gpt-4.1-mini`` or ``local``.
        context_window: prompt plus reply, in tokens.
    """

    name: str
    context_window: int

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer once, without retries.

        Raises:
            ModelAuthError: the key is missing or wrong.
            ModelUnavailable: not reachable now; the caller may retry.
            ModelError: anything else, final.
        """
        ...

    async def close(self) -> None:
        """Free what the model holds; may be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class Isolation:
    """What a sandbox backend keeps apart, said plainly; printed by ``doctor`` and traces.

    Each attribute is True when a hostile tool cannot get past it.
    """

    network: bool
    filesystem: bool
    memory: bool
    cpu: bool
    processes: bool
    syscalls: bool

    def missing(self) -> list[str]:
        """Names of what is NOT isolated."""
        return [name for name in self.__slots__ if not getattr(self, name)]


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Bounds of one job: wall seconds per call, MiB of memory, processes, bytes kept of
    each output stream, bytes of a result, MiB of writable scratch space."""

    seconds: float = 10.0
    memory_mib: int = 512
    processes: int = 32
    stream_bytes: int = 16_384
    result_bytes: int = 262_144
    scratch_mib: int = 64


INPUTS_FOLDER = "/inputs/"
"""Where a call finds the files of its job. They are of one run, and gone after it."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the files go that a call leaves in ``outputs/`` of its working folder; made new,
    in place of an older one. Of more than ``most_files`` or ``most_bytes`` only the first are
    taken."""

    folder: Path
    most_files: int = 16
    most_bytes: int = 16 << 20


@dataclass(frozen=True, slots=True)
class SandboxJob:
    """One tool file and the inputs it is to be called with, one fork per call.

    Attributes:
        source: the tool's Python file.
        calls: one dict of inputs per call; an empty sequence only imports the tool and
            returns its schemas (see :meth:`Sandbox.inspect`).
        requirements: what the source imports beyond the standard library and pydantic.
        files: name -> host path; each is readable, read-only, at ``/inputs/NAME``.
        network: entries of an allow-list (:class:`yunjue.hosts.Rule`): what the tool declares
            and the user allows. Without any there is no network at all.
        secrets: name -> value, environment variables of each call's process; outcomes have the
            name in brackets wherever a value would stand.
        warm: whether a worker of an earlier job with the same tool may serve it, and this
            one's wait for the next. Proofs always start afresh.
        most_timeouts: calls that may run out of time before those that remain are given
            up, with the outcome of a call that ran out of time; None for all.
        outputs: takes the files of the one call of this job; None leaves them behind.
    """

    source: str
    calls: Sequence[Mapping[str, Any]] = ()
    requirements: Sequence[str] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    limits: SandboxLimits = SandboxLimits()
    network: Sequence[str] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    warm: bool = False
    most_timeouts: int | None = None
    outputs: Outputs | None = None


@dataclass(frozen=True, slots=True)
class ToolSchemas:
    """What a tool file declares, read inside the sandbox; ``error`` if it cannot be loaded."""

    meta: Mapping[str, Any] = field(default_factory=dict)
    input_schema: Mapping[str, Any] = field(default_factory=dict)
    output_schema: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


class Sandbox(Protocol):
    """Runs model-written code where it can do no harm."""

    name: str
    isolation: Isolation
    image: str
    """Digest or description of what the code runs on; kept in verdicts."""

    async def prepare(self) -> None:
        """Make ready (build the image, reach the engine). Idempotent.

        Raises:
            SandboxUnavailable: with the way out.
        """
        ...

    async def call(self, job: SandboxJob) -> list[CallOutcome]:
        """Run every call of the job; one outcome per call, in order.

        Whatever the code does ends in an outcome, within
        ``limits.seconds * len(calls)`` plus the backend's overhead.

        Raises:
            SandboxError: the backend itself failed (not the tool).
            DependencyError: the requirements cannot be installed.
        """
        ...

    async def inspect(self, job: SandboxJob) -> ToolSchemas:
        """Import the tool in the sandbox and read its schemas. Raises as :meth:`call`."""
        ...

    async def close(self) -> None:
        """Stop and remove everything it started; may be called twice."""
        ...


class Embedder(Protocol):
    """Turns text into vectors.

    Attributes:
        name: names model and precision; a part of the index's name.
        dimension: length of each vector.
    """

    name: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """``texts`` -> float32 array of shape (len(texts), dimension), rows of unit length.

        Raises:
            LibraryError: an embedding failed; never a zero vector.
        """
        ...


class Effects(Protocol):
    """Everything a run does outside its process passes here, so that it can be
    recorded, resumed without repeating, and replayed."""

    def holds(self, kind: str, request: Mapping[str, Any]) -> bool:
        """Whether a result of ``request`` is recorded that :meth:`perform` would give."""
        ...

    async def perform(
        self,
        kind: str,
        request: Mapping[str, Any],
        action: Callable[[], Awaitable[dict[str, Any]]],
    ) -> dict[str, Any]:
        """The recorded result of ``request`` if this run has one, else that of ``action``.

        Args:
            kind: ``model``, ``sandbox`` or ``library``.
            request: JSON that says all the result depends on.
            action: does it, and returns JSON. Its exceptions pass through unrecorded.
        """
        ...

"""The nouns: specifications, tools, cases, verdicts, and what calls return.

All are plain data that go to JSON and back without loss; none knows where it is
stored or who made it.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_serializer

TOOL_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
"""Valid for Python, for function calling and for MCP; at most 64 characters."""

FIELD_TYPES = ("str", "int", "float", "bool", "list[str]", "list[int]", "list[float]")
"""What an input or output of a tool may be. Enough for atomic tools, and small
models keep to it; tools that were imported may use any pydantic type."""


BOUNDS = ("timeout", "memory", "crashed", "output_too_large")
"""Reasons of a call that broke a bound of its sandbox; which one a runaway call breaks
first depends on the machine."""


class Data(BaseModel):
    """Immutable value; unknown members are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldSpec(Data):
    """One input, or the output, of a tool: name, type of ``FIELD_TYPES``, meaning."""

    name: str
    type: str
    description: str = ""

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not TOOL_NAME.match(value) or len(value) > 64:
            raise ValueError(f"{value!r} is not a lower_snake_case name")
        return value

    @field_validator("type")
    @classmethod
    def _type(cls, value: str) -> str:
        if value not in FIELD_TYPES:
            raise ValueError(f"type {value!r} is none of {', '.join(FIELD_TYPES)}")
        return value


class ToolSpec(Data):
    """What the manager asks for: all that author and tester know of the tool."""

    name: str
    description: str
    inputs: list[FieldSpec] = Field(min_length=1, max_length=5)
    output: FieldSpec

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not TOOL_NAME.match(value) or len(value) > 64:
            raise ValueError(f"{value!r} is not a lower_snake_case name of at most 64 characters")
        return value

    def signature(self) -> str:
        """One line for prompts: ``name(a: int, b: str) -> c: str``."""
        inputs = ", ".join(f"{field.name}: {field.type}" for field in self.inputs)
        return f"{self.name}({inputs}) -> {self.output.name}: {self.output.type}"


class Tool(Data):
    """One immutable version of a tool.

    Attributes:
        id: content id of ``source``.
        source: the whole Python file (``__TOOL_META__``, ``InputModel``,
            ``OutputModel``, ``run``).
        input_schema: JSON schema of ``InputModel``.
        output_schema: JSON schema of ``OutputModel``.
        requirements: PEP 508 requirements beyond the standard library and pydantic.
        origin: where it came from (run, task, model, parents), for lineage.
    """

    id: str
    name: str
    description: str
    signature: str
    source: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    requirements: list[str] = []
    origin: dict[str, Any] = {}


class Case(Data):
    """One test of a tool: given inputs, the output expected, or that it must fail.

    Attributes:
        expected: the value of the output field; meaningless when ``raises``.
        raises: the inputs are wrong and the tool must say so.
        origin: ``tester``; ``agreed`` for a generated input on which programs written
            independently agree; ``regression`` for a call that succeeded in real work.
    """

    inputs: dict[str, Any]
    expected: Any = None
    raises: bool = False
    origin: Literal["tester", "agreed", "regression"] = "tester"


class Visit(Data):
    """A host and port that a call asked for: whether it was let through (if not, ``why``),
    how many connections were asked for, and the bytes both ways."""

    host: str
    port: int
    allowed: bool
    why: str = ""
    connections: int = 0
    sent: int = 0
    received: int = 0


class OutputFile(Data):
    """A file that a call left: its name, which may have folders in it, and its bytes' number
    and SHA-256."""

    name: str
    size: int
    sha256: str


class CallOutcome(Data):
    """What one call of a tool came to. Never raises: it goes back to the model.

    Attributes:
        status: ``ok``; ``input_error`` (the arguments do not fit the input schema, or
            the tool refused them with ValueError); ``failed`` (anything else).
        output: ``OutputModel`` as JSON, when ok.
        error: one line for the model, when not ok.
        reason: what kind of failure: ``raised``, ``timeout``, ``memory``, ``crashed``,
            ``output_too_large``, ``bad_output``, ``import``; without starting the tool,
            ``network_refused``, ``secret_refused``.
        stdout, stderr: what it printed, cut to the sandbox's limit.
        seconds: wall time of the call inside the sandbox.
        peak_mib: most MiB of memory its process held, the interpreter's included; 0 where
            that was not measured.
        network: the hosts it reached, sorted.
        visits: where it went on the network and where it was kept from.
        files: what it left in ``outputs/``, where the job takes that.
        left_out: name -> why of what it left and was not taken.
    """

    status: Literal["ok", "input_error", "failed"]
    output: dict[str, Any] | None = None
    error: str = ""
    reason: str = ""
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    peak_mib: float = 0.0
    network: list[str] = []
    visits: list[Visit] = []
    files: list[OutputFile] = []
    left_out: dict[str, str] = {}

    @model_serializer(mode="wrap")
    def _without_what_is_rare(self, handler: Any) -> dict[str, Any]:
        """Calls without network and files look as they did before there were any, so that
        older traces replay."""
        rare = ("network", "visits", "files", "left_out")
        return {name: value for name, value in handler(self).items() if value or name not in rare}


class Stage(Data):
    """One stage of a proof, with its evidence. ``seconds`` is wall time."""

    name: str
    passed: bool
    detail: str = ""
    evidence: dict[str, Any] = {}
    seconds: float = 0.0


class Verdict(Data):
    """Why a tool was admitted or refused: every stage, and where it ran."""

    tool_id: str
    admitted: bool
    stages: list[Stage]
    sandbox: str = ""
    image: str = ""
    cases: list[Case] = []

    def reason(self) -> str:
        """One line: the first stage that failed, or that all passed."""
        for stage in self.stages:
            if not stage.passed:
                return f"{stage.name}: {stage.detail}"
        return "all stages passed"


class Usage(Data):
    """Tokens of a model call. ``cached_tokens`` are the part of the prompt that was
    served from a prompt cache; they are included in ``prompt_tokens``."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0

    @property
    def total(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class Message(Data):
    role: Literal["system", "user", "assistant"]
    content: str


class ModelRequest(Data):
    """One question to a language model.

    Attributes:
        schema_: JSON schema the reply must match, or None for free text.
        seed: makes repeated samples distinct and repeatable.
        max_tokens: most tokens the reply may have.
        stop: the reply ends before any of these.
    """

    messages: list[Message]
    schema_: dict[str, Any] | None = None
    temperature: float = 0.0
    seed: int = 0
    max_tokens: int = 1024
    stop: list[str] = []


class ModelReply(Data):
    """What came back. ``cost_usd`` is 0 for free models; ``seconds`` is wall time;
    ``finish`` is ``stop`` or ``length`` (cut at ``max_tokens``)."""

    text: str
    model: str
    usage: Usage = Usage()
    cost_usd: float = 0.0
    seconds: float = 0.0
    finish: str = "stop"

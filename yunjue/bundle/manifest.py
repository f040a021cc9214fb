"""What a bundle says of itself. Every fact stands once; the reader works out the rest."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, StringConstraints, ValidationError, field_validator

from yunjue.bundle import strict_json
from yunjue.bundle.licences import NO_ASSERTION, canonical
from yunjue.errors import BundleRefused
from yunjue.types import TOOL_NAME, Case, Data

FORMAT = "yunjue-bundle/1"
MAX_CASES = 100
"""Of one tool: each is a call that may take its whole time limit."""

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(max_length=2000)]
Line = Annotated[str, StringConstraints(max_length=300)]
Read = TypeVar("Read", bound=Data)


class Entry(Data):
    """One version of one tool: ``tools/NAME/ID.py`` and ``tools/NAME/ID.json``.

    Attributes:
        id: SHA-256 of the .py file, in hex: the tool's id in every library.
        source_bytes: its size.
        record_sha256: SHA-256 of the .json file, in hex.
        active: whether it is the version in use; at most one of a name is.
    """

    name: str
    id: Hash
    source_bytes: int = Field(ge=0)
    record_sha256: Hash
    record_bytes: int = Field(ge=0)
    active: bool

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not TOOL_NAME.match(value) or len(value) > 64:
            raise ValueError("not a lower_snake_case name of at most 64 characters")
        return value

    @property
    def source_path(self) -> str:
        return f"tools/{self.name}/{self.id}.py"

    @property
    def record_path(self) -> str:
        return f"tools/{self.name}/{self.id}.json"


class Manifest(Data):
    """``manifest.json``. Versions of one tool stand oldest first.

    No time and no author: a bundle of the same tools has the same bytes, whenever and
    wherever it is made. Who vouches for it is what a signature says.
    """

    format: Literal["yunjue-bundle/1"]
    yunjue: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.+-]{1,40}$")]
    tools: list[Entry] = Field(min_length=1, max_length=1000)


class ProofStage(Data):
    name: Line
    passed: bool
    detail: Text = ""


class Proof(Data):
    """The verdict where the tool was made. Import proves anew and believes none of it."""

    stages: list[ProofStage] = Field(max_length=20)
    sandbox: Line = ""
    image: Line = ""


class Made(Data):
    """Provenance. ``task`` is what it was made for; there only if asked for."""

    model: Line | None = None
    parents: list[Line] = Field([], max_length=20)
    task: Annotated[str, StringConstraints(max_length=4000)] | None = None


class Record(Data):
    """What is known of one version, beside its file.

    Attributes:
        licence: SPDX expression, or NOASSERTION. A claim, like all else here.
        cases: what the tool must pass, here and in the importer's sandbox.
    """

    name: str
    description: Text
    requirements: list[Line] = Field([], max_length=20)
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    licence: Line = NO_ASSERTION
    cases: list[Case] = Field(max_length=MAX_CASES)
    proof: Proof
    made: Made = Made()

    @field_validator("licence")
    @classmethod
    def _licence(cls, value: str) -> str:
        if canonical(value) != value:
            raise ValueError(f"not in the form {canonical(value)!r}")
        return value


def read(kind: type[Read], data: bytes, name: str) -> Read:
    """The entry ``name`` as ``kind``.

    Raises:
        BundleRefused: it is not JSON, or not of that form; says where.
    """
    value = strict_json.load(data, name)
    if kind is Manifest and isinstance(value, dict) and value.get("format") != FORMAT:
        found = ascii(value.get("format"))[:60]
        raise BundleRefused(
            "unknown-format", f"Its format is {found}; this version of Yunjue reads {FORMAT}."
        )
    try:
        return kind.model_validate(value, strict=True)
    except ValidationError as error:
        one = error.errors()[0]
        where = ".".join(map(str, one["loc"]))
        reason = "unknown-member" if one["type"] == "extra_forbidden" else "wrong-form"
        raise BundleRefused(reason, f"{name}: {ascii(where)[1:-1]}: {one['msg']}.") from None

"""Tools, libraries and a sandbox for the tests of bundles."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from yunjue.bundle.archive import pack
from yunjue.bundle.export import export
from yunjue.bundle.install import Report, install, planned
from yunjue.bundle.proof import prove
from yunjue.bundle.quarantine import quarantine
from yunjue.bundle.signature import verify
from yunjue.bundle.sources import take
from yunjue.errors import DependencyError, DownloadError
from yunjue.hashing import content_id
from yunjue.library.library import Library
from yunjue.protocols import SandboxLimits, ToolSchemas
from yunjue.synthesis.template import read_meta
from yunjue.types import CallOutcome, Case, Stage, Tool, Verdict

SOURCE = '''"""{description}"""

from pydantic import BaseModel

__TOOL_META__ = {{
    "name": "{name}",
    "description": "{description}",
    "dependencies": {requirements},
}}


class InputModel(BaseModel):
    number: int


class OutputModel(BaseModel):
    result: int


def run(input: InputModel) -> OutputModel:
    if input.number < 0:
        raise ValueError("negative")
    return OutputModel(result={expression})
'''

CASES = [
    Case(inputs={"number": 2}, expected=4),
    Case(inputs={"number": 5}, expected=10),
    Case(inputs={"number": -1}, raises=True),
]


class InProcess:
    """Runs tools in this process: those that tests write themselves."""

    name, image = "in-process", "python"

    def __init__(self):
        self.jobs = 0

    async def inspect(self, job):
        self.jobs += 1
        if job.requirements:
            raise DependencyError(f"{job.requirements[0]} does not exist.")
        try:
            module = _load(job.source)
        except Exception as error:
            return ToolSchemas(error=f"{type(error).__name__}: {error}")
        models = module["InputModel"], module["OutputModel"]
        return ToolSchemas(module["__TOOL_META__"], *(one.model_json_schema() for one in models))

    async def call(self, job):
        self.jobs += 1
        return [_call(_load(job.source), inputs) for inputs in job.calls]


def _load(source):
    module = {"__name__": "tool"}
    exec(compile(source, "tool.py", "exec", dont_inherit=True), module)
    return module


def _call(module, inputs):
    try:
        result = module["run"](module["InputModel"].model_validate(inputs))
    except (ValidationError, ValueError) as error:
        return CallOutcome(status="input_error", error=str(error))
    except Exception as error:
        return CallOutcome(status="failed", error=str(error), reason="raised")
    return CallOutcome(status="ok", output=result.model_dump())


def source_of(
    name="double", description="Twice the number.", expression="input.number * 2", requirements="[]"
):
    return SOURCE.format(
        name=name, description=description, expression=expression, requirements=requirements
    )


def a_tool(source: str = "", origin: dict | None = None, **parts) -> Tool:
    source = source or source_of(**parts)
    module, meta = _load(source), read_meta(source)
    return Tool(
        id=content_id(source),
        name=meta["name"],
        description=meta["description"],
        signature=f"{meta['name']}(number: int) -> result: int",
        source=source,
        input_schema=module["InputModel"].model_json_schema(),
        output_schema=module["OutputModel"].model_json_schema(),
        requirements=meta["dependencies"],
        origin=origin or {"run": "20260101-secret", "task": "a secret task", "model": "scripted"},
    )


def a_verdict(tool: Tool, cases=CASES, admitted=True) -> Verdict:
    stage = Stage(name="tests", passed=admitted, detail="3 of 3", evidence={"secret": 1}, seconds=2)
    return Verdict(
        tool_id=tool.id,
        admitted=admitted,
        stages=[stage],
        sandbox="docker",
        image="python 3.11",
        cases=list(cases),
    )


def no_embedder():
    raise DownloadError("There is none: the vector index would only take time.")


def open_library(folder: Path) -> Library:
    return Library(folder, no_embedder, lambda warning: None)


def filled(folder: Path, *tools: Tool) -> Library:
    library = open_library(folder)
    for tool in tools or (a_tool(),):
        library.add(tool, a_verdict(tool))
    return library


def bundle_of(folder: Path, *tools: Tool, **options) -> bytes:
    """The bundle of a new library of these tools."""
    library = filled(folder, *tools)
    names = [tool.name for tool in library.active()]
    data = pack(export(library, names, **options))
    library.close()
    return data


def state(folder: Path) -> dict[str, str]:
    """Path -> hash of every file of a library: equal when nothing was changed.

    SQLite's own bookkeeping beside the database (``-shm``) changes on reading.
    """
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("-shm")
    }


async def imported(
    library, where, sandbox=None, trust=(), on_collision="refuse", **options
) -> Report:
    """What ``yunjue tools import`` does."""
    sandbox = sandbox or InProcess()
    with quarantine(library.directory) as folder:
        source = take(str(where), folder)
        signed = verify(source.data, source.signature, list(trust))
        report = planned(library, source, signed, on_collision)

        async def with_cases(incoming):
            return incoming, await prove(sandbox, incoming.tool, incoming.cases, SandboxLimits())

        options.setdefault("veto", lambda tool, verdict: "")
        return await install(library, report, with_cases, **options)

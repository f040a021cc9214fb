"""A sandbox that is none: it runs code in this process, at once, and contains nothing.

For tests of what is built on sandboxes, with code that the tests themselves hold.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from pydantic import ValidationError

from yunjue.hookspecs import hookimpl
from yunjue.protocols import Isolation, SandboxJob, ToolSchemas
from yunjue.synthesis.template import read_meta
from yunjue.types import CallOutcome


class DirectSandbox:
    name = "direct"
    image = "this process"
    isolation = Isolation(False, False, False, False, False, False)

    async def prepare(self) -> None:
        pass

    async def call(self, job: SandboxJob) -> list[CallOutcome]:
        return [_call(job.source, dict(inputs)) for inputs in job.calls]

    async def inspect(self, job: SandboxJob) -> ToolSchemas:
        try:
            module = _module(job.source)
            return ToolSchemas(
                meta=read_meta(job.source),
                input_schema=module.InputModel.model_json_schema(),
                output_schema=module.OutputModel.model_json_schema(),
            )
        except Exception as error:
            return ToolSchemas(error=f"{type(error).__name__}: {error}")

    async def close(self) -> None:
        pass


class DirectPlugin:
    """Offers it as ``--sandbox direct``."""

    @hookimpl
    def register_sandboxes(self, register: Any) -> None:
        register("direct", lambda settings: DirectSandbox())


def _module(source: str) -> types.ModuleType:
    module = types.ModuleType("direct_tool")
    sys.modules["direct_tool"] = module
    exec(compile(source, "tool.py", "exec"), module.__dict__)  # noqa: S102 - see above
    return module


def _call(source: str, inputs: dict[str, Any]) -> CallOutcome:
    try:
        module = _module(source)
        given = module.InputModel.model_validate(inputs)
    except ValidationError as error:
        return CallOutcome(status="input_error", error=str(error.errors()[0]["msg"]))
    except Exception as error:
        return CallOutcome(status="failed", reason="import", error=str(error))
    try:
        return CallOutcome(status="ok", output=module.run(given).model_dump(mode="json"))
    except ValueError as error:
        return CallOutcome(status="input_error", error=str(error))
    except Exception as error:
        return CallOutcome(status="failed", reason="raised", error=f"{error}")

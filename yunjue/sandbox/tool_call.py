"""One call of one tool, in the process that is forked for it and dies with it.

The runner (:mod:`yunjue.sandbox.runner`) is sent the text of this file: it imports only
the standard library and pydantic.
"""

from __future__ import annotations

import contextlib
import json
import linecache
import math
import sys
import traceback
import types
from typing import Any

MAX_DEPTH = 64
"""Levels of nesting a result may have."""
TOO_DEEP = f"The result nests deeper than {MAX_DEPTH} levels."
ERROR_CHARS = 500


class Refused(Exception):
    """The call ends here, with this status, reason and error."""

    def __init__(self, status: str, reason: str, error: str) -> None:
        super().__init__(error)
        self.report = {"status": status, "reason": reason, "error": error}


def one_line(error: BaseException, source: str = "", with_line: bool = False) -> str:
    """``Type: message`` on one line, and where in the tool it was raised."""
    try:
        message = str(error)
    except Exception:
        message = "(its message cannot be shown)"
    unreadable = isinstance(error, SyntaxError) and error.filename == "tool.py"
    if unreadable:
        message = error.msg or "invalid syntax"
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    where = ""
    if with_line:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == "tool.py"]
        number = error.lineno if unreadable else (lines or [None])[-1]
        rows = source.splitlines()
        if number and number <= len(rows):
            where = f" (line {number}: {rows[number - 1].strip()[:160]})"
    text = " ".join(text.split())
    return text[: ERROR_CHARS - len(where)] + where


def load(source: str) -> types.ModuleType:
    """Run the tool's file as the module ``tool``; Refused("import") if it cannot be."""
    from pydantic import BaseModel

    module = types.ModuleType("tool")
    module.__file__ = "tool.py"
    sys.modules["tool"] = module
    linecache.cache["tool.py"] = (len(source), None, source.splitlines(True), "tool.py")
    try:
        exec(compile(source, "tool.py", "exec"), module.__dict__)  # noqa: S102 - its purpose
    except MemoryError:
        raise
    except BaseException as error:
        raise Refused("failed", "import", one_line(error, source, True)) from None
    for name in ("InputModel", "OutputModel"):
        model = getattr(module, name, None)
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise Refused("failed", "import", f"The file defines no pydantic model `{name}`.")
    if not callable(getattr(module, "run", None)):
        raise Refused("failed", "import", "The file defines no function `run`.")
    return module


def problems(error: Any) -> str:
    """A ValidationError on one line."""
    found = (
        f"{'.'.join(map(str, one['loc'])) or 'inputs'}: {one['msg']}" for one in error.errors()
    )
    return " ".join(f"ValidationError: {'; '.join(found)}".split())[:ERROR_CHARS]


def deeper(value: Any, most: int) -> bool:
    """Whether JSON-like data has more than ``most`` levels, counted without recursion; a
    number alone is one level."""
    level, levels = [value], 0
    while level:
        levels += 1
        if levels > most:
            return True
        below = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, (list, tuple)):
                below.extend(item)
        level = below
    return False


def finite(value: Any) -> bool:
    """Whether no float in nested data, which must have an end, is NaN or infinite."""
    rest = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, float) and not math.isfinite(item):
            return False
        if isinstance(item, dict):
            rest.extend(item.values())
        elif isinstance(item, (list, tuple, set, frozenset)):
            rest.extend(item)
    return True


def to_json(value: Any, limit: int) -> str:
    """``value`` as JSON text; Refused if it is none, too deep, or over ``limit`` bytes."""
    if deeper(value, MAX_DEPTH):
        raise Refused("failed", "bad_output", TOO_DEEP)
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except (ValueError, TypeError, RecursionError) as error:
        raise Refused("failed", "bad_output", one_line(error)) from None
    if size > limit:
        message = f"The result is {size} bytes of JSON; at most {limit} are allowed."
        raise Refused("failed", "output_too_large", message)
    return text


def call(module: types.ModuleType, source: str, inputs: Any, limit: int) -> str:
    """Call the loaded tool once, and return its output as JSON text."""
    from pydantic import BaseModel, ValidationError

    try:
        checked = module.InputModel.model_validate_json(json.dumps(inputs))
    except ValidationError as error:
        raise Refused("input_error", "", problems(error)) from None
    except MemoryError:
        raise
    except Exception as error:  # a validator of the tool's own that breaks
        raise Refused("failed", "raised", one_line(error, source, True)) from None
    try:
        result = module.run(checked)
    except ValidationError as error:
        own = error.title == module.OutputModel.__name__
        raise Refused("failed", "bad_output" if own else "raised", problems(error)) from None
    except ValueError as error:
        raise Refused("input_error", "", one_line(error)) from None
    except MemoryError:
        raise
    except BaseException as error:
        raise Refused("failed", "raised", one_line(error, source, True)) from None
    try:
        # An instance may have been made or changed past its validators.
        if isinstance(result, BaseModel):
            result = result.model_dump(round_trip=True, warnings=False)
        output = module.OutputModel.model_validate(result, by_name=True)
        plain = output.model_dump(warnings=False)
        if deeper(plain, MAX_DEPTH):
            raise Refused("failed", "bad_output", TOO_DEEP)
        if not finite(plain):  # JSON mode would make it null
            raise Refused("failed", "bad_output", "The result holds NaN or an infinity.")
        output = output.model_dump(mode="json", warnings=False)
    except ValidationError as error:
        raise Refused("failed", "bad_output", problems(error)) from None
    except (MemoryError, Refused):
        raise
    except Exception as error:
        raise Refused("failed", "bad_output", one_line(error)) from None
    return to_json(output, limit)


def inspect(module: types.ModuleType, limit: int) -> str:
    """What the loaded tool declares, as JSON text."""
    declared = getattr(module, "__TOOL_META__", {})
    meta = {}
    for name, value in declared.items() if isinstance(declared, dict) else ():
        with contextlib.suppress(Refused):
            if isinstance(name, str):
                meta[name] = json.loads(to_json(value, limit))
    try:
        schemas = {
            "input_schema": module.InputModel.model_json_schema(),
            "output_schema": module.OutputModel.model_json_schema(),
        }
    except Exception as error:
        raise Refused("failed", "import", one_line(error)) from None
    return to_json({"meta": meta, **schemas}, limit)


class Loaded:
    """The tool's file, which has been run; what was wrong with it is kept for the report."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._error: BaseException | None = None
        try:
            self._module = load(source)
        except (Refused, MemoryError) as error:
            self._error = error

    def report(self, request: dict[str, Any], limit: int) -> bytes:
        """All that the child says of one request, as JSON."""
        try:
            if self._error:
                raise self._error
            if request.get("inspect"):
                text = inspect(self._module, limit)
            else:
                text = call(self._module, self._source, request["inputs"], limit)
            return b'{"status": "ok", "output": %s}' % text.encode()
        except Refused as refused:
            return json.dumps(refused.report).encode()
        except MemoryError:
            reason = {"reason": "memory", "error": "MemoryError: no more memory may be used"}
            return json.dumps({"status": "failed", **reason}).encode()


WARM_UP = """
import collections, datetime, enum, functools, itertools, math, re, statistics, string, typing
from pydantic import BaseModel, Field

class InputModel(BaseModel):
    text: str = Field(description="any")
    values: list[float] = []

class OutputModel(BaseModel):
    result: int

def run(input):
    return OutputModel(result=len(input.text))
"""


def warm_up() -> None:
    """Load here, once, what nearly every tool loads: each fork then has it."""
    tool = Loaded(WARM_UP)
    tool.report({"inputs": {"text": "a"}}, 4096)
    tool.report({"inputs": {}}, 4096)
    tool.report({"inspect": True}, 4096)
    del sys.modules["tool"]

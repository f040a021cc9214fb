"""Frames to and from the runner. What comes back is hostile until it has passed here."""

from __future__ import annotations

import json
import struct
from typing import Any

from pydantic import ValidationError

from yunjue.protocols import SandboxLimits, ToolSchemas
from yunjue.sandbox.call_process import SLACK
from yunjue.sandbox.tool_call import ERROR_CHARS, MAX_DEPTH, deeper
from yunjue.types import CallOutcome

REASONS = {"raised", "timeout", "memory", "crashed", "output_too_large", "bad_output", "import"}


class Malformed(Exception):
    """Bytes that no honest runner sends."""


def frame(value: Any) -> bytes:
    """``value`` as JSON, length first. Raises ValueError or TypeError if it is not JSON."""
    body = json.dumps(value, allow_nan=False).encode()
    return struct.pack(">I", len(body)) + body


def frame_length(header: bytes, most: int) -> int:
    """The length in a frame's 4-byte ``header``; Malformed if over ``most`` bytes."""
    length = struct.unpack(">I", header)[0]
    if length > most:
        raise Malformed(f"a frame of {length} bytes")
    return length


def most_seen(limits: SandboxLimits) -> int:
    """Longest frame the runner's own observations can need: JSON takes up to 6 bytes for
    one captured byte, twice 6 for one that was not UTF-8."""
    return 24 * limits.stream_bytes + 16 * SLACK


def most_said(limits: SandboxLimits) -> int:
    """Longest report of a child, in bytes."""
    return limits.result_bytes + SLACK


def parse(body: bytes) -> dict[str, Any]:
    """One JSON object of strings that can be stored; Malformed if it is anything else."""
    try:
        value = json.loads(body.decode(), parse_constant=_refuse)
        if not isinstance(value, dict):
            raise Malformed("not a JSON object")
        if deeper(value, MAX_DEPTH + 1):  # one level is the report around the output
            raise Malformed("nested too deep")
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # surrogates, 1e999
    except (ValueError, RecursionError) as error:
        raise Malformed(type(error).__name__) from None
    return value


def _refuse(constant: str) -> None:
    raise Malformed(constant)


def outcome(seen: dict[str, Any], said: bytes) -> CallOutcome:
    """Put together what the runner saw and what the child said of one call."""
    streams = {name: _text(seen, name) for name in ("stdout", "stderr")}
    streams["seconds"] = _measured(seen, "seconds")
    streams["peak_mib"] = _measured(seen, "peak_mib")
    fault = _text(seen, "fault")
    if fault:
        reason = fault if fault in REASONS else "crashed"
        error = one_line(_text(seen, "error"))
        return CallOutcome(status="failed", reason=reason, error=error, **streams)
    try:
        report = parse(said)
        if report.get("status") == "ok":
            return CallOutcome(status="ok", output=_output(report), **streams)
        status, reason = _text(report, "status"), _text(report, "reason")
        if status not in ("input_error", "failed") or (status == "failed") != (reason in REASONS):
            raise Malformed("an unknown status or reason")
        error = one_line(_text(report, "error"))
        return CallOutcome(status=status, reason=reason, error=error, **streams)
    except (Malformed, ValidationError) as error:
        text = f"the tool's report is not valid: {one_line(str(error))}"
        return CallOutcome(status="failed", reason="crashed", error=text, **streams)


def schemas(seen: dict[str, Any], said: bytes) -> ToolSchemas:
    """As :func:`outcome`, for an inspection."""
    result = outcome(seen, said)
    if result.status != "ok" or result.output is None:
        return ToolSchemas(error=result.error or result.reason)
    parts = [result.output.get(name) for name in ("meta", "input_schema", "output_schema")]
    if not all(isinstance(part, dict) for part in parts):
        return ToolSchemas(error="the tool's report is not valid: schemas are missing")
    return ToolSchemas(*parts)


def crashed(error: str, reason: str = "crashed") -> CallOutcome:
    return CallOutcome(status="failed", reason=reason, error=one_line(error))


def one_line(text: str) -> str:
    return " ".join(text.split())[:ERROR_CHARS]


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, str):
        raise Malformed(f"{name} is no text")
    return value


def _measured(seen: dict[str, Any], name: str) -> float:
    value = seen.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        raise Malformed(f"{name} is no number that can be measured")
    return float(value)


def _output(report: dict[str, Any]) -> dict[str, Any]:
    value = report.get("output")
    if not isinstance(value, dict):
        raise Malformed("the output is no JSON object")
    return value

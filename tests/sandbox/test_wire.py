from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.protocols import SandboxLimits
from yunjue.sandbox import wire
from yunjue.types import CallOutcome

SEEN = {"fault": "", "error": "", "stdout": "out", "stderr": "", "seconds": 0.5, "peak_mib": 9.5}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def said(**report) -> bytes:
    return json.dumps(report).encode()


@given(values)
def test_frames_hold_their_length(value):
    try:
        framed = wire.frame(value)
    except ValueError:
        return  # NaN
    assert wire.frame_length(framed[:4], len(framed)) == len(framed) - 4
    assert json.loads(framed[4:]) == value


def test_frames_have_a_longest_length():
    with pytest.raises(wire.Malformed):
        wire.frame_length(struct.pack(">I", 101), 100)


@given(st.binary() | values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_object_or_malformed(body):
    try:
        value = wire.parse(body)
    except wire.Malformed:
        return
    assert isinstance(value, dict)
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a": %s1}' % (b"9" * 5000),
        b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_malformed(body):
    with pytest.raises(wire.Malformed):
        wire.parse(body)


@given(
    st.dictionaries(st.sampled_from([*SEEN]), values),
    st.dictionaries(
        st.sampled_from(["status", "reason", "error", "output"]),
        values | st.sampled_from(["ok", "failed", "input_error", "raised"]),
    ),
)
def test_any_report_is_an_outcome_or_malformed(seen, report):
    try:
        outcome = wire.outcome({**SEEN, **seen}, json.dumps(report).encode())
    except wire.Malformed:
        return
    assert outcome.status in ("ok", "failed", "input_error")
    assert (outcome.status == "failed") == (outcome.reason in wire.REASONS)
    assert (outcome.status == "ok") == (outcome.output is not None)
    assert CallOutcome.model_validate_json(outcome.model_dump_json()) == outcome


def test_a_result():
    outcome = wire.outcome(SEEN, said(status="ok", output={"a": [1]}))
    assert outcome == CallOutcome(
        status="ok", output={"a": [1]}, stdout="out", seconds=0.5, peak_mib=9.5
    )


def test_what_the_runner_saw_counts_more_than_what_the_child_said():
    seen = {**SEEN, "fault": "memory", "error": "too much"}
    outcome = wire.outcome(seen, said(status="ok", output={}))
    assert (outcome.reason, outcome.error, outcome.output) == ("memory", "too much", None)


def test_errors_are_one_short_line():
    report = said(status="failed", reason="raised", error="a\nb" * 1000)
    error = wire.outcome(SEEN, report).error
    assert len(error) == 500 and "\n" not in error


def test_schemas():
    output = {"meta": {"name": "a"}, "input_schema": {"type": "object"}, "output_schema": {}}
    schemas = wire.schemas(SEEN, said(status="ok", output=output))
    assert (schemas.meta, schemas.error) == ({"name": "a"}, "")
    assert "missing" in wire.schemas(SEEN, said(status="ok", output={})).error
    failed = said(status="failed", reason="import", error="SyntaxError")
    assert wire.schemas(SEEN, failed).error == "SyntaxError"


def test_bounds_grow_with_the_limits():
    assert wire.most_said(SandboxLimits(result_bytes=10)) < wire.most_said(SandboxLimits())
    limits = SandboxLimits(stream_bytes=1000)
    worst = {**SEEN, "stdout": "\ufffd" * 1000, "stderr": "\0" * 1000, "error": "é" * 500}
    assert len(wire.frame(worst)) < wire.most_seen(limits)

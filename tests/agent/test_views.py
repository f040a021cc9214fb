from __future__ import annotations

import story
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from yunjue.agent.views import call_schema, elide, outcome_text, show_value
from yunjue.types import CallOutcome


def test_values_read_as_people_write_them():
    assert show_value({"result": 31.0}) == "31"
    assert show_value({"result": 44.5}) == "44.5"
    assert show_value({"result": True}) == "true"
    assert show_value({"result": [3, 5.0, "a"]}) == "3, 5, a"
    assert show_value({"result": " as it is "}) == " as it is "
    assert show_value({"a": 1, "b": 2}) == '{"a": 1, "b": 2}'
    assert show_value(None) == ""


def test_errors_are_sorted_for_the_model():
    refused = CallOutcome(status="input_error", error="ValueError: no")
    broken = CallOutcome(status="failed", reason="timeout", error="")
    assert outcome_text(refused).startswith("ERROR (wrong inputs)")
    assert outcome_text(broken) == "ERROR (the tool failed): timeout"


@given(st.text(max_size=3000), st.integers(min_value=60, max_value=500))
def test_elided_text_fits_and_keeps_both_ends(text, limit):
    cut = elide(text, limit)
    assert len(cut) <= max(limit, 60) + 10
    if len(text) > limit:
        assert cut[0] == text[0] and cut[-1] == text[-1]
    else:
        assert cut == text


def test_call_schema_admits_the_tools_inputs_only():
    schema = call_schema(story.tool(), action={"const": "call"})
    Draft202012Validator.check_schema(schema)
    valid = Draft202012Validator(schema).is_valid
    call = {"action": "call", "tool": "reverse_text", "inputs": {"text": "a"}}
    assert valid(call)
    assert not valid({**call, "tool": "other"})
    assert not valid({**call, "inputs": {"text": "a", "more": 1}})
    assert not valid({**call, "inputs": {}})

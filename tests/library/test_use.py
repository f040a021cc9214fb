"""What calls leave behind: cases, evidence, counts, savings; and repairs put in place."""

from __future__ import annotations

import pytest
from tool_samples import a_tool, a_verdict, open_library

from yunjue.errors import LibraryError
from yunjue.library.economics import Cost, made, saved, total
from yunjue.types import CallOutcome, Case


@pytest.fixture
def library(tmp_path):
    library = open_library(tmp_path / "library")
    yield library
    library.close()


@pytest.fixture
def tool(library):
    tool = a_tool()
    return library.add(tool, a_verdict(tool))


def ok(library, tool, number, inputs, output=None, run="run"):
    outcome = CallOutcome(status="ok", output={"result": 1} if output is None else output)
    library.record_call(run, str(number), tool.id, outcome, inputs)


def test_successes_become_cases_behind_those_of_the_proof(library, tool):
    ok(library, tool, 1, {"text": "one"}, {"result": 1})
    ok(library, tool, 2, {"text": "one"}, {"result": 1})
    ok(library, tool, 3, {"text": "a b"}, {"result": 2})  # the tester has it
    ok(library, tool, 4, {"b": 1, "a": 2}, {"result": 3})
    ok(library, tool, 5, {"a": 2, "b": 1}, {"result": 3})
    found = library.cases(tool.id)
    assert found[:2] == a_verdict(tool).cases
    assert found[2:] == [
        Case(inputs={"a": 2, "b": 1}, expected=3, origin="regression"),
        Case(inputs={"text": "one"}, expected=1, origin="regression"),
    ]


def test_what_makes_no_case(library, tool):
    ok(library, tool, 1, {"text": "x" * 5000})
    ok(library, tool, 2, {"text": "/inputs/data.csv"})
    ok(library, tool, 3, {"text": "long"}, {"result": "y" * 5000})
    ok(library, tool, 4, {"text": "two values"}, {"a": 1, "b": 2})
    ok(library, tool, 5, {"text": "now this"}, {"result": 1})
    ok(library, tool, 6, {"text": "now this"}, {"result": 2})
    failed = CallOutcome(status="failed", error="no")
    library.record_call("run", "7", tool.id, failed, {"text": "failed"})
    assert library.cases(tool.id) == a_verdict(tool).cases


def test_cases_are_the_newest_and_bounded(library, tool):
    for number in range(30):
        ok(library, tool, number, {"text": str(number)})
    texts = [case.inputs["text"] for case in library.cases(tool.id)[2:]]
    assert texts == [str(number) for number in range(29, 9, -1)]


def test_failures_are_evidence(library, tool):
    for number in range(30):
        outcome = CallOutcome(status="failed", reason="raised", error=f"KeyError: {number // 2}")
        library.record_call("run", str(number), tool.id, outcome, {"text": str(number // 2)})
    library.record_call("run", "w", tool.id, CallOutcome(status="input_error", error="no"), {})
    long = CallOutcome(status="failed", reason="timeout", error="e" * 9999)
    library.record_call("run", "long", tool.id, long, {"text": "x" * 9999})
    found = library.evidence(tool.id)
    assert (found[0].inputs, found[0].reason, len(found[0].error)) == (None, "timeout", 500)
    assert [one.error for one in found[1:]] == [f"KeyError: {n}" for n in range(14, -1, -1)]
    assert found[1].inputs == {"text": "14"}
    assert library.evidence("nothing") == []


def test_what_is_masked_is_kept_masked_and_makes_no_case(tmp_path):
    def redact(value):
        if isinstance(value, dict):
            return {key: redact(one) for key, one in value.items()}
        return value.replace("hunter2", "***") if isinstance(value, str) else value

    library = open_library(tmp_path / "library", redact=redact)
    tool = a_tool()
    library.add(tool, a_verdict(tool))
    ok(library, tool, 1, {"text": "hunter2"})
    ok(library, tool, 2, {"text": "echo"}, {"result": "hunter2"})
    failed = CallOutcome(status="failed", error="no hunter2")
    library.record_call("run", "3", tool.id, failed, {"text": "hunter2"})
    assert library.cases(tool.id) == a_verdict(tool).cases
    assert library.evidence(tool.id)[0].error == "no ***"
    library.close()
    for path in (tmp_path / "library").glob("library.db*"):
        assert b"hunter2" not in path.read_bytes()


def test_a_repair_takes_the_place_of_what_it_repairs(library, tool):
    ok(library, tool, 1, {"text": "one"})
    better = a_tool(description="Count words well")
    cases = library.cases(tool.id)
    kept = library.replace(tool.id, better, a_verdict(better, cases=cases), "failed 3 times")
    assert kept.origin["parents"] == [tool.id]
    assert library.get("count_words") == kept
    assert library.cases(better.id) == cases
    assert [one["status"] for one in library.versions("count_words")] == ["retired", "active"]
    told = [(one["what"], one["why"]) for one in library.history("count_words")]
    assert told[1:] == [("retired", "failed 3 times"), ("added", "failed 3 times")]
    assert [found.tool for found in library.search("count words", 5)] == [kept]
    assert library.check() == []


def test_a_repair_that_comes_too_late_or_is_not_proven_changes_nothing(library, tool):
    better = a_tool(description="Count words well")
    with pytest.raises(LibraryError, match="does not admit"):
        library.replace(tool.id, better, a_verdict(better, admitted=False), "why")
    with pytest.raises(LibraryError, match="own place"):
        library.replace(tool.id, tool, a_verdict(tool), "why")
    other = a_tool("other_name")
    with pytest.raises(LibraryError, match="not the other_name in use"):
        library.replace(tool.id, other, a_verdict(other), "why")
    library.retire(tool.id)
    with pytest.raises(LibraryError, match="not the count_words in use"):
        library.replace(tool.id, better, a_verdict(better), "why")
    assert not library.has(better.id)
    assert library.find("count_words") is None


def test_costs():
    cost = Cost(100, 0.5, 2.0)
    assert saved(cost, 3) == Cost(300, 1.5, 6.0)
    assert saved(cost, 0) == Cost()
    assert saved(None, 3) is None
    assert total([cost, None, cost]) == Cost(200, 1.0, 4.0)
    assert made({"cost": cost.to_dict()}) == cost
    for origin in (
        {},
        {"cost": 3},
        {"cost": {"tokens": 1}},
        {"cost": {**cost.to_dict(), "tokens": "x"}},
    ):
        assert made(origin) is None


def test_savings_count_other_runs_that_used_it_with_success(library):
    origin = {"run": "r1", "cost": {"tokens": 1000, "cost_usd": 0.01, "seconds": 60.0}}
    tool = a_tool(origin=origin)
    library.add(tool, a_verdict(tool))
    unknown = a_tool("other_tool", origin={})
    library.add(unknown, a_verdict(unknown))
    for run in ("r1", "r2", "r2", "r3"):
        ok(library, tool, f"{run}{library.stats(tool.id)['calls']}", {}, run=run)
    library.record_call("r4", "1", tool.id, CallOutcome(status="failed"), {})
    first, second = library.economics()
    assert (first["name"], first["runs"], first["later_runs"]) == ("count_words", 4, 2)
    assert first["made"] == {"tokens": 1000, "cost_usd": 0.01, "seconds": 60.0}
    assert first["saved"] == {"tokens": 2000, "cost_usd": 0.02, "seconds": 120.0}
    assert (second["made"], second["saved"], second["calls"]) == (None, None, 0)

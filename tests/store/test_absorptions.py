from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from story import ok, tool

from yunjue.errors import LibraryError, NameTaken
from yunjue.library.library import Library
from yunjue.store.absorptions import Call, Changes, Refused
from yunjue.store.embedders.hashing import HashEmbedder
from yunjue.store.records import Addition
from yunjue.types import CallOutcome, Case, Verdict


def admitted(one) -> Verdict:
    case = Case(inputs={"text": "ab"}, expected="ba")
    return Verdict(tool_id=one.id, admitted=True, stages=[], cases=[case])


def addition(one, active=True, why="") -> Addition:
    return Addition(one, admitted(one), active, why)


def call(one, run="e.1", number=1, outcome=None) -> Call:
    return Call(run, f"call-{number}", one.id, outcome or ok("ba"), {"text": "ab"})


A, B, C = tool("a = 1\n"), tool("b = 1\n"), tool("c = 1\n", "count_words")


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path / "library", HashEmbedder, print)
    yield library
    library.close()


def state(library) -> dict:
    """All of the library that evolutions change."""
    return {
        "status": {one.id: library.status(one.id) for one in (A, B, C)},
        "calls": {one.id: library.stats(one.id)["calls"] for one in (A, B, C)},
        "refusals": library.refusals(),
        "use": {one.name: one.id for one in library.active()},
    }


def test_all_comes_in_at_once_and_is_found(library):
    done = library.absorb("e", 1, Changes(additions=[addition(A), addition(C)], calls=[call(A)]))
    assert state(library)["use"] == {"reverse_text": A.id, "count_words": C.id}
    assert library.stats(A.id)["calls"] == 1
    assert (done.before, done.after) == ({A.id: "", C.id: ""}, {A.id: "active", C.id: "active"})
    assert done.size == 2
    assert {found.tool.id for found in library.search("reverse text", 5)} == {A.id, C.id}


def test_a_step_is_absorbed_once(library):
    changes = Changes(
        additions=[addition(A)],
        calls=[call(A)],
        refused=[Refused("x", "m", "why", "e.1")],
        summary={"added": 1},
    )
    first = library.absorb("e", 1, changes)
    before = state(library)
    assert library.absorb("e", 1, changes) == first
    assert library.absorb("e", 1, Changes()).summary == {"added": 1}
    assert state(library) == before
    assert [one.step for one in library.absorbed("e")] == [1]
    assert library.absorbed("other") == []


def test_nothing_happens_if_anything_is_wrong(library):
    library.add(A, admitted(A))
    before = state(library)
    with pytest.raises(NameTaken):
        library.absorb("e", 1, Changes(additions=[addition(C), addition(B)]))
    with pytest.raises(LibraryError, match="no tool with the id"):
        library.absorb("e", 1, Changes(additions=[addition(C)], calls=[call(B)]))
    assert state(library) == before
    assert library.absorbed("e") == []


def test_a_merge_keeps_the_parents_for_the_history(library):
    library.add(A, admitted(A))
    changes = Changes(retired=[(A.id, "merged into it")], additions=[addition(B)])
    library.absorb("e", 1, changes)
    assert library.find("reverse_text").id == B.id
    assert library.status(A.id) == "retired"
    assert ("retired", "merged into it") in [
        (one["what"], one["why"]) for one in library.history("reverse_text")
    ]
    assert library.undo("e", 1) == []
    assert library.find("reverse_text").id == A.id
    assert library.status(B.id) == "retired"


def test_earlier_versions_are_kept_and_take_calls(library):
    library.absorb("e", 1, Changes(additions=[addition(A), addition(B, False)], calls=[call(B)]))
    assert library.status(B.id) == "retired"
    assert library.stats(B.id)["calls"] == 1


def test_calls_move_tools_by_the_rules_of_life_and_undo_brings_them_back(library):
    library.add(A, admitted(A))
    failed = CallOutcome(status="failed", error="boom", reason="raised")
    calls = [call(A, number=number, outcome=failed) for number in range(3)]
    done = library.absorb("e", 1, Changes(calls=calls))
    assert library.status(A.id) == "suspect"
    assert [(move["id"], move["status"]) for move in done.moves] == [(A.id, "suspect")]
    library.undo("e", 1)
    assert (library.status(A.id), library.stats(A.id)["calls"]) == ("active", 0)


def test_refusals_count_and_are_forgotten_and_come_back(library):
    library.refuse("reverse_text", "m", "too hard", "r")
    library.refuse("other", "m", "too hard", "r")
    before = state(library)
    library.absorb(
        "e",
        1,
        Changes(
            additions=[addition(A)],
            refused=[Refused("new", "m", "no", "e.1")],
            passed_over=[("other", "m")],
        ),
    )
    kept = {one.name: one.passed_over for one in library.refusals()}
    assert kept == {"other": 1, "new": 0}
    library.undo("e", 1)
    after = state(library)
    assert after["refusals"] == before["refusals"]


def test_only_the_last_step_is_undone(library):
    library.absorb("e", 1, Changes(additions=[addition(A)]))
    library.absorb("e", 2, Changes(additions=[addition(C)]))
    with pytest.raises(LibraryError, match="not the last"):
        library.undo("e", 1)
    library.undo("e", 2)
    library.undo("e", 1)
    assert state(library)["use"] == {}
    with pytest.raises(LibraryError, match="not the last"):
        library.undo("e", 1)


def test_undo_is_refused_when_a_name_is_taken_meanwhile(library):
    library.add(A, admitted(A))
    library.absorb("e", 1, Changes(retired=[(A.id, "gone")]))
    library.add(B, admitted(B))
    before = state(library)
    with pytest.raises(NameTaken):
        library.undo("e", 1)
    assert state(library) == before
    assert len(library.absorbed("e")) == 1


def test_an_undone_step_can_be_absorbed_anew(library):
    library.absorb("e", 1, Changes(additions=[addition(A)], calls=[call(A)]))
    library.undo("e", 1)
    library.absorb("e", 1, Changes(additions=[addition(A)], calls=[call(A), call(A, number=2)]))
    assert library.stats(A.id)["calls"] == 2
    assert library.find("reverse_text").id == A.id


outcomes = st.sampled_from(
    [
        ok("ba"),
        CallOutcome(status="failed", error="x", reason="raised"),
        CallOutcome(status="input_error", error="x"),
    ]
)
calls = st.lists(st.tuples(st.sampled_from([A, B, C]), outcomes), max_size=8)
steps = st.fixed_dictionaries(
    {
        "retire": st.sets(st.sampled_from([A.id, C.id])),
        "add": st.sampled_from([(), (A,), (C,), (B, C), (A, C)]),
        "refused": st.sets(st.sampled_from(["count_words", "reverse_text", "x"])),
        "calls": calls,
    }
)


@given(first=st.sampled_from([(), (A,), (C,), (A, C)]), plan=steps)
def test_undo_is_the_inverse_of_absorb(tmp_path_factory, first, plan):
    library = Library(tmp_path_factory.mktemp("l"), HashEmbedder, print)
    try:
        for one in first:
            library.add(one, admitted(one))
        library.refuse("x", "m", "why", "r")
        before = state(library)
        known = {one.id for one in (*first, *plan["add"])}
        changes = Changes(
            retired=[(tool_id, "why") for tool_id in sorted(plan["retire"])],
            additions=[addition(one) for one in plan["add"]],
            calls=[
                call(one, number=number, outcome=outcome)
                for number, (one, outcome) in enumerate(plan["calls"])
                if one.id in known
            ],
            refused=[Refused(name, "m", "no", "e.1") for name in sorted(plan["refused"])],
        )
        try:
            library.absorb("e", 1, changes)
        except NameTaken:
            assert state(library) == before
            return
        assert library.undo("e", 1) == []
        after = state(library)
        # A tool that was not known before stays in the history, out of use.
        expected = {one: status or "retired" for one, status in before["status"].items()}
        found = {one: status or "retired" for one, status in after["status"].items()}
        assert found == expected
        assert (after["calls"], after["refusals"], after["use"]) == (
            before["calls"],
            before["refusals"],
            before["use"],
        )
    finally:
        library.close()

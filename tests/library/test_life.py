"""The rules that move tools, alone and in a library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tool_samples import a_tool, a_verdict, open_library

from yunjue.errors import LibraryError, NameTaken
from yunjue.library.life import CLEARED_AFTER, RETIRED_AFTER, SUSPECT_AFTER, WINDOW, next_status
from yunjue.types import CallOutcome, Case

calls = st.lists(st.sampled_from(["ok", "failed", "input_error"]), max_size=30)
statuses = st.sampled_from(["candidate", "active", "suspect", "retired", "deleted"])


def judged(found):
    return [call for call in found if call != "input_error"][-WINDOW:]


@given(statuses, calls)
def test_a_move_goes_along_an_arrow_and_says_why(status, found):
    move = next_status(status, found)
    if move:
        assert (status, move.status) in {
            ("active", "suspect"),
            ("suspect", "active"),
            ("suspect", "retired"),
        }
        assert move.why and move.what


@given(statuses, calls)
def test_wrong_inputs_say_nothing(status, found):
    without = [call for call in found if call != "input_error"]
    assert next_status(status, found) == next_status(status, without)


@given(statuses, calls, calls)
def test_only_the_newest_calls_count(status, old, new):
    if len(judged(new)) == WINDOW:
        assert next_status(status, old + new) == next_status(status, new)


@given(calls)
def test_active_becomes_suspect_just_when_enough_failed(found):
    move = next_status("active", found)
    assert (move is not None) == (judged(found).count("failed") >= SUSPECT_AFTER)


@given(calls)
def test_suspect_is_retired_or_cleared_just_when_it_should(found):
    move = next_status("suspect", found)
    newest = judged(found)
    if newest.count("failed") >= RETIRED_AFTER:
        assert move.status == "retired"
    elif newest[-CLEARED_AFTER:] == ["ok"] * CLEARED_AFTER:
        assert move.status == "active"
    else:
        assert move is None


@given(statuses, calls)
def test_success_never_makes_it_worse(status, found):
    order = ["retired", "suspect", "active"]
    before, after = next_status(status, found), next_status(status, [*found, "ok"])
    if status in order:
        worse = order.index(after.status if after else status)
        assert worse >= order.index(before.status if before else status) or before is None


@pytest.fixture
def library(tmp_path):
    library = open_library(tmp_path / "library")
    yield library
    library.close()


def added(library, name="count_words", description="Count words", **changes):
    tool = a_tool(name, description, **changes)
    return library.add(tool, a_verdict(tool))


class Caller:
    """Calls of one tool, each with a number of its own."""

    def __init__(self, library, tool):
        self.library, self.tool, self.number = library, tool, 0

    def __call__(self, *statuses, **fields):
        moves = []
        for status in statuses:
            self.number += 1
            call = CallOutcome(status=status, **fields)
            run = ("run", str(self.number), self.tool.id, call, {"n": self.number})
            moves.append(self.library.record_call(*run))
        return [move.status if move else None for move in moves]


def test_from_active_to_suspect_and_back(library):
    tool = added(library)
    other = added(library, "count_lines", "Count lines of words")
    call = Caller(library, tool)
    assert call("ok", "failed", "input_error", "failed", "failed")[-2:] == [None, "suspect"]
    assert library.status(tool.id) == "suspect"
    assert library.get("count_words") == tool  # still at hand
    found = library.search("count words", 5)
    assert [(one.tool.id, one.status) for one in found] == [
        (other.id, "active"),
        (tool.id, "suspect"),
    ]
    assert call(*["ok"] * 5)[-1] == "active"
    assert call("failed", "failed") == [None, None]  # judged from then on
    told = [(one["what"], one["why"]) for one in library.history("count_words")]
    assert told == [
        ("added", ""),
        ("suspected", "3 of the last 4 calls failed"),
        ("cleared", "the last 5 calls went well"),
    ]
    assert library.search("count words", 1)[0].tool == tool
    assert library.check() == []


def test_from_suspect_to_retired(library):
    tool = added(library)
    call = Caller(library, tool)
    call(*["failed"] * 3)
    assert call(*["failed"] * 5) == [None] * 4 + ["retired"]
    assert library.find("count_words") is None
    assert library.search("count words", 5) == []
    assert library.history("count_words")[-1]["why"] == (
        "5 of the last 5 calls failed since it is suspect"
    )
    assert call("failed") == [None]
    library.restore(tool.id, "mended outside")
    assert library.status(tool.id) == "active"
    assert call("failed", "failed") == [None, None]


def test_a_call_told_twice_moves_nothing(library):
    tool = added(library)
    failed = CallOutcome(status="failed")
    for _ in range(9):
        assert library.record_call("run", "1", tool.id, failed, {}) is None
    assert library.status(tool.id) == "active"


def test_a_candidate_is_never_found_before_its_proof(library):
    tool = a_tool()
    library.propose(tool, [Case(inputs={"text": "a"}, expected=1)], "imported")
    library.propose(tool, [], "again")
    assert library.status(tool.id) == "candidate"
    assert library.search("count words", 5) == []
    assert library.find(tool.name) is None
    assert len(library.cases(tool.id)) == 1
    assert library.get_by_id(tool.id) == tool
    with pytest.raises(LibraryError, match="is candidate"):
        library.restore(tool.id)
    library.retire(tool.id)
    with pytest.raises(LibraryError, match="never proven"):
        library.restore(tool.id)
    other = added(library, description="Another one")  # the name is not taken
    with pytest.raises(NameTaken):
        library.add(tool, a_verdict(tool))
    library.retire(other.id)
    library.add(tool, a_verdict(tool))
    assert library.status(tool.id) == "active"
    assert library.search("count words", 5)[0].tool == tool
    assert len(library.cases(tool.id)) == 2
    assert library.check() == []


def test_search_by_domain_and_permissions(library):
    web = added(library, "fetch_page", "Fetch a page", origin={"domain": "web"})
    net = added(
        library, "fetch_feed", "Fetch a feed", origin={"permissions": ["network", 3, "files"]}
    )
    plain = added(library, "fetch_word", "Fetch a word")

    def names(**filters):
        return {one.tool.name for one in library.search("fetch", 9, **filters)}

    assert names() == {web.name, net.name, plain.name}
    assert names(domain="web") == {web.name, net.name, plain.name}
    assert names(domain="sql") == {net.name, plain.name}
    assert names(permissions=[]) == {web.name, plain.name}
    assert names(permissions=["files"]) == {web.name, plain.name}
    assert names(permissions=["network", "files"]) == {web.name, net.name, plain.name}


def test_filters_look_deeper_when_few_pass(library):
    for number in range(60):
        added(library, f"fetch_{number}", f"Fetch page {number}", origin={"domain": "web"})
    rare = added(library, "bake_bread", "Bake bread at home")
    assert library.search("fetch page", 1, domain="kitchen")[0].tool == rare

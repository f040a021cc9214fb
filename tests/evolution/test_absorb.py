from __future__ import annotations

import pytest
from story import ok
from test_merge import TEXT, contender

from yunjue.events import Events
from yunjue.evolution.absorb import Absorber
from yunjue.evolution.branch import Branch, Harvest
from yunjue.library.library import Library
from yunjue.limits import Limits, Meter
from yunjue.models.gateway import Gateway, Unrecorded
from yunjue.models.scripted import ScriptedModel
from yunjue.protocols import SandboxLimits
from yunjue.store.absorptions import Call
from yunjue.store.embedders.hashing import HashEmbedder
from yunjue.testing.direct import DirectSandbox
from yunjue.types import Case, Verdict


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path / "library", HashEmbedder, print)
    yield library
    library.close()


def absorber(library, replies=()) -> Absorber:
    model = ScriptedModel(list(replies))
    gateway = Gateway(
        {"aggregator": [model], "merger": [model]}, Unrecorded(), Meter(Limits()), Events()
    )
    return Absorber(
        gateway, DirectSandbox(), SandboxLimits(), library, Unrecorded(), Events(), {"run": "s"}
    )


def harvest(name, code, expected, run="e.1", invoked=True) -> Harvest:
    one = contender(name, TEXT, code, [({"text": "ab"}, expected)])
    verdict = Verdict(
        tool_id=one.tool.id,
        admitted=True,
        stages=[],
        cases=[Case(inputs={"text": "ab"}, expected=expected)],
    )
    calls = [Call(run, "call-1", one.tool.id, ok(expected), {"text": "ab"})] if invoked else []
    return Harvest(made=[(one.tool, verdict)], calls=calls)


async def test_a_tool_that_was_never_called_is_dropped(library):
    plan = await absorber(library).plan([harvest("up", "text.upper()", "AB", invoked=False)])
    assert plan.dropped == [("up", "it was never called")]
    assert plan.added == []


async def test_the_same_code_is_one_tool_without_a_model(library):
    plan = await absorber(library).plan(
        [harvest("up", "text.upper()", "AB"), harvest("up", "(text.upper())", "AB", "e.2")]
    )
    assert [one.tool.name for one in plan.added] == ["up"]
    assert (plan.merges, plan.merged) == (1, 2)
    assert [one.active for one in plan.earlier] == [False]
    assert "their code is the same" in plan.earlier[0].why


async def test_one_name_for_two_functions_is_not_kept_twice(library):
    """They contradict each other, and share a name: the best stays, and no tool is renamed."""
    first, second = harvest("f", "text.upper()", "AB"), harvest("f", "text.title()", "Ab", "e.2")
    absorbing = absorber(library, ["```python\nno\n```"] * 2)
    plan = await absorbing.plan([first, second])
    assert len(plan.added) == 1
    changes = plan.changes([first, second], library, {})
    library.absorb("e", 1, changes)
    assert len(library.active()) == 1
    assert library.find("f").id == first.made[0][0].id


async def test_a_name_of_the_library_is_not_taken_over(library):
    kept = contender("f", TEXT, "text.lower()", [({"text": "ab"}, "ab")])
    library.add(kept.tool, Verdict(tool_id=kept.tool.id, admitted=True, stages=[]))
    # Its output has another type, so the two are never one.
    one = contender("f", TEXT, "len(text)", [({"text": "ab"}, 2)], output="int")
    verdict = Verdict(tool_id=one.tool.id, admitted=True, stages=[])
    made = Harvest([(one.tool, verdict)], [Call("e.1", "c", one.tool.id, ok(2), {"text": "ab"})])
    plan = await absorber(library, [{"groups": [[1], [2]]}]).plan([made])
    assert plan.dropped == [("f", "another tool has its name")]


async def test_calls_of_tools_that_do_not_come_in_are_left_out(library):
    dropped = harvest("up", "text.upper()", "AB", invoked=False)
    stray = Call("e.9", "c", "9" * 64, ok("x"), {})
    dropped.calls.append(stray)
    plan = await absorber(library).plan([dropped])
    assert plan.changes([dropped], library, {}).calls == []


def test_a_branch_keeps_what_it_makes_to_itself(library):
    kept = contender("f", TEXT, "text.lower()", [({"text": "ab"}, "ab")])
    library.add(kept.tool, Verdict(tool_id=kept.tool.id, admitted=True, stages=[]))
    branch = Branch(library)
    one = harvest("up", "text.upper()", "AB").made[0]
    branch.add(*one)
    assert branch.find("up").id == one[0].id
    assert library.find("up") is None
    assert branch.find("f").id == kept.tool.id
    assert branch.has(one[0].id) and branch.has(kept.tool.id)
    assert {found.tool.name for found in branch.search("up", 5)} == {"up", "f"}
    branch.record_call("r", "call-1", kept.tool.id, ok("x"), {"text": "x"})
    assert library.stats(kept.tool.id)["calls"] == 0
    branch.refuse("g", "m", "why", "r")
    assert library.refusals() == []
    assert Harvest.from_dict(branch.harvest.to_dict()) == branch.harvest


def test_a_refusal_counts_for_a_branch_but_is_not_counted_by_it(library):
    library.refuse("g", "m", "why", "r")
    branch = Branch(library)
    assert branch.pass_over("g", "m").why == "why"
    assert branch.pass_over("g", "m").passed_over == 0
    assert library.refusals()[0].passed_over == 0

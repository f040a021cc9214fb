from __future__ import annotations

from yunjue.events import Events
from yunjue.evolution.contender import Contender
from yunjue.evolution.merge import Merger, called, distinct, share
from yunjue.hashing import content_id
from yunjue.hookspecs import hookimpl
from yunjue.limits import Limits, Meter
from yunjue.models.gateway import Gateway, Unrecorded
from yunjue.models.scripted import ScriptedModel
from yunjue.plugins import plugins
from yunjue.protocols import SandboxLimits
from yunjue.synthesis.template import render_tool
from yunjue.testing.direct import DirectSandbox
from yunjue.types import Case, FieldSpec, Tool, ToolSpec, Verdict

SCHEMAS = {"str": {"type": "string"}, "int": {"type": "integer"}}


def contender(name, inputs, code, cases, kept=False, calls=1, output="str") -> Contender:
    spec = ToolSpec(
        name=name,
        description=f"What {name} gives.",
        inputs=[FieldSpec(name=one, type=kind) for one, kind in inputs.items()],
        output=FieldSpec(name="result", type=output),
    )
    arguments = ", ".join(f"{one}: {kind}" for one, kind in inputs.items())
    source = render_tool(spec, f"def {name}({arguments}) -> {output}:\n    return {code}", [])
    properties = {one: SCHEMAS[kind] for one, kind in inputs.items()}
    tool = Tool(
        id=content_id(source),
        name=name,
        description=spec.description,
        signature=spec.signature(),
        source=source,
        input_schema={"properties": properties, "required": list(inputs)},
        output_schema={"properties": {"result": SCHEMAS[output]}},
    )
    verdict = None if kept else Verdict(tool_id=tool.id, admitted=True, stages=[])
    given = tuple(Case(inputs=one, expected=expected) for one, expected in cases)
    return Contender(tool, verdict, given, calls)


def merger(replies=(), taken=()) -> tuple[Merger, ScriptedModel]:
    model = ScriptedModel(list(replies))
    gateway = Gateway({"merger": [model]}, Unrecorded(), Meter(Limits()), Events())
    made = Merger(
        gateway, DirectSandbox(), SandboxLimits(), {"run": "e.step-1"}, lambda name: name in taken
    )
    return made, model


TEXT = {"text": "str"}
GOOD = contender("to_upper", TEXT, "text.upper()", [({"text": "ab"}, "AB"), ({"text": "c"}, "C")])


async def test_a_parent_that_passes_all_needs_no_model():
    worse = contender("shout", TEXT, "text.title()", [({"text": "d"}, "D")])
    made, model = merger()
    merged = await made.merge([worse, GOOD])
    assert merged.winner is GOOD
    assert merged.others == [worse]
    assert merged.how == "to_upper passes 3 of the 3 cases of all"
    assert model.requests == []


async def test_of_equal_parents_the_librarys_stays():
    new = contender("shout", TEXT, "text.upper()", [({"text": "d"}, "D")])
    kept = contender("to_upper", TEXT, "(text).upper()", [({"text": "ab"}, "AB")], kept=True)
    made, _ = merger()
    assert (await made.merge([new, kept])).winner is kept


ONE = contender("shift", TEXT, "text.upper()", [({"text": "ab"}, "AB"), ({"text": ""}, "")])
TWO = contender("shift", TEXT, "text.upper() or '-'", [({"text": "x"}, "X"), ({"text": " "}, "-")])
"""Neither passes all: the first gives " " for " "."""

WRITTEN = "```python\ndef shift(text: str) -> str:\n    return {}\n```"


async def test_the_merger_writes_what_passes_the_tests_of_all():
    made, model = merger([WRITTEN.format("'-' if text == ' ' else text.upper()")])
    merged = await made.merge([ONE, TWO])
    assert merged.winner is None
    assert merged.tool is not None and merged.verdict.admitted
    assert merged.tool.origin["parents"] == [ONE.tool.id, TWO.tool.id]
    assert merged.tool.origin["run"] == "e.step-1"
    assert [case.expected for case in merged.verdict.cases] == ["AB", "", "X", "-"]
    # The merger sees what it is to replace.
    assert "text.upper() or '-'" in model.requests[0].messages[-1].content


async def test_a_plugin_may_refuse_what_the_merger_wrote():
    class Careful:
        @hookimpl
        def admit_tool(self, tool):
            return "no shifting"

    careful = Careful()
    plugins().manager.register(careful, name="careful")
    try:
        made, _ = merger([WRITTEN.format("'-' if text == ' ' else text.upper()")])
        merged = await made.merge([ONE, TWO])
    finally:
        plugins().manager.unregister(careful)
    assert merged.tool is None and merged.winner in (ONE, TWO)


async def test_a_merger_that_breaks_the_tool_changes_nothing_but_the_best_stays():
    made, model = merger([WRITTEN.format("text.lower()"), "no code at all"])
    merged = await made.merge([ONE, TWO])
    assert merged.tool is None
    assert merged.winner in (ONE, TWO)
    assert merged.how.startswith("the best stays: shift passes 3 of the 4")
    assert len(model.requests) == 2


async def test_tools_of_other_names_stay_apart_when_nothing_passes():
    other = contender("shout", TEXT, "text.upper() or '-'", [({"text": " "}, "-")])
    made, _ = merger([WRITTEN.format("text.lower()")] * 2)
    merged = await made.merge([ONE, other])
    assert (merged.winner, merged.tool, merged.others) == (None, None, [])
    assert merged.how.startswith("they stay apart: ")


RED = contender(
    "count_a", TEXT, "text.count('a')", [({"text": "aab"}, 2), ({"text": "b"}, 0)], output="int"
)
BLUE = contender(
    "count_b", TEXT, "text.count('b')", [({"text": "aab"}, 1), ({"text": "b"}, 1)], output="int"
)
COUNT = {
    "name": "count_letter",
    "description": "How often a letter stands in a text.",
    "inputs": [
        {"name": "text", "description": "the text", "type": "str"},
        {"name": "letter", "description": "the letter", "type": "str"},
    ],
    "output": {"name": "count", "description": "how often", "type": "int"},
}
COUNTS = "```python\ndef count_letter(text: str, letter: str) -> int:\n    return {}\n```"


def calling(letter):
    return {"text": {"from": "text"}, "letter": {"value": letter}}


async def test_what_tools_differ_in_becomes_an_input():
    made, model = merger([COUNT, calling("a"), calling("b"), COUNTS.format("text.count(letter)")])
    merged = await made.merge([RED, BLUE])
    assert merged.tool.name == "count_letter"
    assert [case.inputs for case in merged.verdict.cases] == [
        {"text": "aab", "letter": "a"},
        {"text": "b", "letter": "a"},
        {"text": "aab", "letter": "b"},
        {"text": "b", "letter": "b"},
    ]
    assert len(model.requests) == 4


async def test_a_specification_without_that_input_is_sent_back():
    narrow = {**COUNT, "inputs": COUNT["inputs"][:1]}
    made, model = merger(
        [narrow, COUNT, calling("a"), calling("b"), COUNTS.format("text.count(letter)")]
    )
    assert (await made.merge([RED, BLUE])).tool is not None
    assert "must be one more input" in model.requests[1].messages[-1].content


async def test_a_call_that_loses_an_input_is_sent_back():
    lost = {"text": {"value": "aab"}, "letter": {"value": "a"}}
    made, model = merger(
        [COUNT, lost, calling("a"), calling("b"), COUNTS.format("text.count(letter)")]
    )
    assert (await made.merge([RED, BLUE])).tool is not None
    assert "The old input text is not used" in model.requests[2].messages[-1].content


async def test_a_name_that_is_taken_is_not_used():
    renamed = {**COUNT, "name": "count_any"}
    code = COUNTS.format("text.count(letter)").replace("count_letter", "count_any")
    replies = [COUNT, renamed, calling("a"), calling("b"), code]
    made, _ = merger(replies, taken=("count_letter",))
    assert (await made.merge([RED, BLUE])).tool.name == "count_any"


async def test_the_widest_parent_may_cover_the_others():
    wide = contender(
        "count_letter",
        {"text": "str", "letter": "str"},
        "text.count(letter)",
        [({"text": "xx", "letter": "x"}, 2)],
        kept=True,
        output="int",
    )
    made, model = merger([calling("a")])
    merged = await made.merge([RED, wide])
    assert merged.winner is wide
    assert merged.others == [RED]
    assert len(model.requests) == 1


async def test_tests_that_contradict_each_other_keep_tools_apart():
    made, _ = merger([COUNT, calling("a"), calling("a")])
    merged = await made.merge([RED, BLUE])
    assert merged.how == (
        "they stay apart: their tests expect different results for the same inputs"
    )


async def test_nonsense_of_the_merger_keeps_tools_apart():
    made, _ = merger(["?"] * 3)
    assert (await made.merge([RED, BLUE])).how.startswith("they stay apart: no specification")


def test_called():
    inputs = {"text": "x", "n": 2}
    call = {"a": {"from": "n"}, "b": {"value": True}, "c": {"from": "gone"}}
    assert called(call, inputs) == {"a": 2, "b": True, "c": None}


def test_cases_are_shared_and_distinct():
    cases = [Case(inputs={"a": number}, expected=number) for number in range(60)]
    assert len(share(cases, 2)) == 20
    assert len(share(cases, 100)) == 1
    assert distinct([cases[0], cases[0], cases[1]]) == cases[:2]
    wrong = Case(inputs={"a": 0}, raises=True)
    assert distinct([cases[0], wrong]) == [cases[0], wrong]

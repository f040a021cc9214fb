"""What a domain changes in a run: prompts, tools, files, verifiers."""

from __future__ import annotations

import json
import textwrap

import pytest
import story
from typer.testing import CliRunner

from yunjue.agent.replay import replay
from yunjue.agent.run import runs, solve
from yunjue.cli.main import command_line
from yunjue.domains import Domain, Judged
from yunjue.errors import UsageError
from yunjue.evolution.domains import tasks_of
from yunjue.hookspecs import hookimpl
from yunjue.library.open import open_library
from yunjue.plugins import plugins
from yunjue.testing.direct import DirectPlugin
from yunjue.traces.trace import read_trace

SOURCE = '''
"""Counts the letters of a text."""

from pydantic import BaseModel

__TOOL_META__ = {"name": "NAME", "description": "Counts the letters.", "dependencies": []}


class InputModel(BaseModel):
    text: str


class OutputModel(BaseModel):
    result: int


def run(input: InputModel) -> OutputModel:
    return OutputModel(result=BODY)
'''
CASES = [{"inputs": {"text": "abc"}, "expected": 3}, {"inputs": {"text": "a"}, "expected": 1}]
TASK = "Reverse the text 'cedar'."
CALLED = [
    {"when": "Which function answers", "reply": {"kind": "compute", "function": "count_letters"}},
    {"when": "Call count_letters", "reply": {"tool": "count_letters", "inputs": {"text": "cedar"}}},
]


@pytest.fixture
def field(tmp_path):
    """Registers a domain ``letters`` for the test, with what is changed of it."""
    folder = tmp_path / "field_tools"
    folder.mkdir()
    for name, body in (("count_letters", "len(input.text)"), ("count_wrongly", "7")):
        source = SOURCE.replace("NAME", name).replace("BODY", body)
        (folder / f"{name}.py").write_text(source)
    cases = {"count_letters": CASES, "count_wrongly": CASES}
    (folder / "cases.json").write_text(json.dumps(cases))
    registered = [DirectPlugin()]
    plugins().manager.register(registered[0])

    def register(**changes):
        domain = Domain("letters", "work on letters", fits=lambda task, files: False, **changes)

        class Offers:
            @hookimpl
            def register_domains(self, register):
                register(domain)

        registered.append(Offers())
        plugins().manager.register(registered[-1], name="letters")
        return folder

    yield register
    for plugin in registered:
        if plugins().manager.is_registered(plugin):
            plugins().manager.unregister(plugin)


def settings_of(tmp_path, first=(), **flags):
    chosen = {"sandbox": "direct", "domain": "letters", **flags}
    return story.story_settings(tmp_path, chosen, first=list(first))


def events_of(result, kind):
    trace = read_trace(runs().directory / result.run / "trace.jsonl")
    return [event.data for event in trace if event.kind == kind]


def prompts_of(result):
    requests = [data["request"] for data in events_of(result, "effect")]
    return [json.dumps(one["messages"]) for one in requests if "messages" in one]


async def replayed(result, settings):
    return await replay(runs().directory / result.run / "trace.jsonl", settings)


async def test_tools_of_a_domain_are_proved_marked_and_used(tmp_path, field):
    folder = tmp_path / "field_tools"
    field(tools=folder, prompt="Letters are counted, not guessed.")
    settings = settings_of(tmp_path, CALLED)
    result = await solve(TASK, settings)
    assert (result.answer, result.tools_used, result.new_tools) == ("5", ["count_letters"], [])
    assert result.domain == "letters"
    (provided,) = events_of(result, "tools.provided")
    assert provided["added"] == ["count_letters"]
    assert provided["refused"][0].startswith("count_wrongly: tests")
    assert all("Letters are counted" in prompt for prompt in prompts_of(result))

    library = open_library(settings, print)
    assert library.get("count_letters").origin["domain"] == "letters"
    assert [one.tool.name for one in library.search("letters", 5, domain="moons")] == []
    library.close()

    again = await solve(TASK, settings)
    assert events_of(again, "tools.provided") == []  # there already; what failed is passed over
    assert (await replayed(result, settings)).differences == []

    plain = await solve(TASK, settings_of(tmp_path, domain="none"))
    assert plain.domain == "" and "domain" not in plain.to_dict()
    assert not any("Letters are counted" in prompt for prompt in prompts_of(plain))


@pytest.mark.parametrize("mended", [True, False])
async def test_inputs_that_a_tool_refused_are_written_anew_before_anything_else(
    tmp_path, field, mended
):
    folder = field(tools=tmp_path / "field_tools")
    strict = SOURCE.replace("NAME", "count_letters")
    strict = strict.replace("BODY", "len(input.text) if input.text.islower() else int('no')")
    (folder / "count_letters.py").write_text(strict)
    wrong = {"tool": "count_letters", "inputs": {"text": "CEDAR"}}
    right = {"action": "call", **wrong, "inputs": {"text": "cedar" if mended else "CEDAR"}}
    other = {"action": "finish"} if mended else {"action": "answer", "text": "none"}
    told = [
        CALLED[0],
        {"when": "Call count_letters", "reply": wrong},
        {"when": "What next.*to write the answer", "reply": other},
        {"when": "What next", "reply": right},
    ]
    result = await solve(TASK, settings_of(tmp_path, told))
    asked = [data["request"]["request"] for data in events_of(result, "effect")
             if data["effect"] == "model" and "What next" in str(data["request"])]  # fmt: skip
    choices = [len(one["schema_"]["anyOf"]) for one in asked]
    if mended:
        assert choices[0] == 1 and (result.status, result.answer) == ("solved", "5")
    else:  # told twice that it is the same call; then it may do something else
        assert choices[:3] == [1, 1, 1] and choices[3] > 1
        assert result.status == "not_solved"


@pytest.mark.parametrize(("written", "answer"), [("5", "5"), ("6", "word: cedar, letters: 5")])
async def test_of_a_result_with_parts_the_one_asked_for_is_the_answer(
    tmp_path, field, written, answer
):
    folder = field(tools=tmp_path / "field_tools")
    told = SOURCE.replace("NAME", "count_letters").replace("result: int", "result: str")
    told = told.replace("BODY", 'f"word: {input.text}, letters: {len(input.text)}"')
    (folder / "count_letters.py").write_text(told)
    cases = [
        {"inputs": {"text": text}, "expected": f"word: {text}, letters: {len(text)}"}
        for text in ("abc", "a")
    ]
    (folder / "cases.json").write_text(json.dumps({"count_letters": cases}))
    asked = {"when": "Write the final answer", "reply": {"answer": written}}
    result = await solve(TASK, settings_of(tmp_path, [*CALLED, asked]))
    assert (result.status, result.answer) == ("solved", answer)


async def test_plugins_that_come_later_do_not_spoil_a_replay(tmp_path, field):
    field()  # the sandbox of these tests
    before = await solve(TASK, settings_of(tmp_path, domain="auto"))

    class Later:
        @hookimpl
        def register_domains(self, register):
            register(Domain("later", "work on all", fits=lambda task, files: True))

        @hookimpl
        def register_tools(self, register):
            register("later", tmp_path / "field_tools")

        @hookimpl
        def register_verifiers(self, register):
            register("later", lambda task, answer, files: Judged(False, "never"))

    later = Later()
    plugins().manager.register(later, name="later")
    try:
        again = await replayed(before, settings_of(tmp_path))
    finally:
        plugins().manager.unregister(later)
    assert (again.differences, again.result.answer) == ([], "radec")


async def test_a_folder_that_cannot_be_read_is_said_and_the_run_goes_on(tmp_path, field):
    folder = field(tools=tmp_path / "field_tools")
    (folder / "cases.json").write_text('{"count_letters": 3}')
    result = await solve(TASK, settings_of(tmp_path))
    assert result.answer == "radec"
    assert "cases.json" in events_of(result, "tools.provided")[0]["refused"][0]


async def test_readers_tell_of_files_once_and_a_replay_needs_no_file(tmp_path, field):
    calls = []

    def read(path):
        calls.append(path.name)
        return "3 letters,\nall of them small"

    def broken(path):
        raise OSError("no such letters")

    field(readers={".abc": read, ".bad": broken})
    files = {}
    for name in ("one.abc", "two.bad"):
        files[name] = tmp_path / name
        files[name].write_text("abc")
    settings = settings_of(tmp_path)
    result = await solve(TASK, settings, files=files)
    assert calls == ["one.abc"]
    assert all("one.abc (3 letters, all of them small)" in prompt for prompt in prompts_of(result))
    assert "no such letters" in " ".join(data["message"] for data in events_of(result, "warning"))
    trace = runs().directory / result.run / "trace.jsonl"
    assert (await replay(trace, settings, files=files)).differences == []
    with pytest.raises(UsageError, match=r"had the input two\.bad"):
        await replay(trace, settings, files={"one.abc": files["one.abc"]})
    files["one.abc"].unlink()
    assert (await replayed(result, settings)).differences == []


async def test_a_verifiers_word_sends_the_answer_back_with_its_reason(tmp_path, field):
    def verify(task, answer, files):
        return Judged(answer == "5", "letters are counted in digits", 0.5)

    field(verify=verify)
    told = {"when": "counted in digits.*What next", "reply": {"action": "answer", "text": "5"}}
    settings = settings_of(tmp_path, [told])
    result = await solve(TASK, settings)
    assert (result.status, result.answer) == ("solved", "5")
    assert result.checks == [
        {"by": "letters", "holds": True, "why": "letters are counted in digits", "score": 0.5}
    ]
    assert [data["answered"] for data in events_of(result, "critic.judged")] == [False, True]
    assert (await replayed(result, settings)).differences == []


@pytest.mark.parametrize(
    "word", ["raise KeyError('moon')", "return 'fine'", "import sys; sys.exit()"]
)
async def test_a_verifier_that_fails_says_nothing(tmp_path, field, word):
    space = {}
    exec(textwrap.dedent(f"def verify(task, answer, files):\n    {word}\n"), space)
    field(verify=space["verify"])
    result = await solve(TASK, settings_of(tmp_path))
    assert (result.answer, result.checks) == ("radec", [])
    assert "says nothing" in " ".join(data["message"] for data in events_of(result, "warning"))


async def test_verifiers_and_tools_without_a_domain_go_for_all_tasks(tmp_path, field):
    folder = field()

    class Everywhere:
        @hookimpl
        def register_tools(self, register):
            register("letters_everywhere", folder)

        @hookimpl
        def register_verifiers(self, register):
            register("never", lambda task, answer, files: Judged(False, "no answer is good"))

    everywhere = Everywhere()
    plugins().manager.register(everywhere, name="everywhere")
    try:
        wrong = {"action": "answer", "text": "no"}
        settings = story.story_settings(
            tmp_path, {"sandbox": "direct", "domain": "none"}, first=CALLED, next=wrong
        )
        result = await solve(TASK, settings)
    finally:
        plugins().manager.unregister(everywhere)
    assert result.status == "not_solved" and result.checks[0]["by"] == "never"
    library = open_library(settings, print)
    assert library.get("count_letters").origin.get("domain") is None


async def test_of_two_plugins_with_one_tool_the_first_keeps_it_and_may_update_it(tmp_path, field):
    folder = field(tools=tmp_path / "field_tools")
    settings = settings_of(tmp_path, CALLED)
    await solve(TASK, settings)
    other = tmp_path / "other"
    other.mkdir()
    source = (folder / "count_letters.py").read_text() + "# another\n"
    (other / "count_letters.py").write_text(source)
    (other / "cases.json").write_text(json.dumps({"count_letters": CASES}))

    class Other:
        @hookimpl
        def register_tools(self, register):
            register("other", other)

    plugin = Other()
    plugins().manager.register(plugin, name="other")
    try:
        refused = events_of(await solve(TASK, settings), "tools.provided")[0]["refused"]
    finally:
        plugins().manager.unregister(plugin)
    assert refused == ["count_letters: collision: another tool has its name"]
    (folder / "count_letters.py").write_text(source)
    updated = await solve(TASK, settings)
    assert events_of(updated, "tools.provided")[0]["added"] == ["count_letters"]
    library = open_library(settings, print)
    assert library.get("count_letters").source == source


def test_an_evolution_takes_a_domains_tasks_and_tools(tmp_path, field, monkeypatch):
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text(json.dumps({"id": "one", "task": TASK, "answer": "5"}) + "\n")
    field(tools=tmp_path / "field_tools", tasks=tasks)

    class Measure:
        @hookimpl
        def register_metrics(self, register):
            register("letters", lambda past: {"tasks": len(past.tasks), "odd": object})
            register("broken", lambda past: 1 / 0)

    plugin = Measure()
    plugins().manager.register(plugin, name="measure")
    settings = settings_of(tmp_path, CALLED)
    model = ["--model", settings.model, "--sandbox", "direct"]
    monkeypatch.setenv("YUNJUE_EMBEDDER", "hash")
    monkeypatch.setenv("YUNJUE_MIN_SIMILARITY", "-1")
    try:
        run = CliRunner().invoke(command_line(), ["evolve", "domain:letters", "--json", *model])
        assert run.exit_code == 0, run.stderr
        shown = json.loads(CliRunner().invoke(command_line(), ["metrics", "--json"]).stdout)
    finally:
        plugins().manager.unregister(plugin)
    assert "letters brings count_letters" in run.stderr
    assert [(row["domain"], row["right"]) for row in shown["domains"]] == [("letters", 1)]
    assert shown["arms"]["evolve"]["made"] == 0
    assert shown["plugins"]["letters"]["tasks"] == 1
    assert "ZeroDivisionError" in shown["plugins"]["broken"]["error"]
    with pytest.raises(UsageError, match="no domain 'moon'"):
        tasks_of("domain:moon")

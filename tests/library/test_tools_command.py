"""``yunjue tools``."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tool_samples import a_tool, a_verdict, open_library
from typer.testing import CliRunner

from yunjue.cli.tool_inputs import parse_inputs
from yunjue.cli.tools import app
from yunjue.errors import UnknownToolError, UsageError
from yunjue.types import CallOutcome, Case


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YUNJUE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("YUNJUE_EMBEDDER", "hash")
    return tmp_path / "home"


@pytest.fixture
def tool(home):
    library = open_library(home / "library")
    tool = a_tool()
    library.add(tool, a_verdict(tool))
    library.record_call("run", "1", tool.id, CallOutcome(status="ok", seconds=0.25), {})
    library.record_call("run", "2", tool.id, CallOutcome(status="failed"), {})
    library.close()
    return tool


def invoke(*args):
    return CliRunner().invoke(app, list(args), catch_exceptions=False)


def invoke_json(*args):
    result = invoke(*args, "--json")
    assert result.exit_code == 0
    return json.loads(result.stdout)


def test_list_of_nothing(home):
    result = invoke("list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "empty" in result.stderr
    assert invoke_json("list") == []
    assert not home.exists()


def test_list(tool):
    assert invoke("list").stdout == (
        "name\tcalls\tsuccess\tdescription\ncount_words\t2\t50%\tCount words\n"
    )
    (listed,) = invoke_json("list")
    assert listed["name"] == "count_words"
    assert (listed["calls"], listed["success"], listed["seconds"]) == (2, 0.5, 0.25)


def test_another_library(tool, tmp_path):
    assert invoke_json("list", "--library", str(tmp_path / "elsewhere")) == []


def test_show(tool):
    shown = invoke("show", "count_words").stdout
    assert shown.startswith("count_words(text: str) -> result: int\n")
    for part in (tool.id, "numpy>=2", "model    scripted", "2 (1 ok", "cases          passed"):
        assert part in shown
    assert "__TOOL_META__" not in shown


def test_show_the_source_byte_for_byte(tool):
    assert invoke("show", "count_words", "--source").stdout == tool.source


def test_show_the_verdict(tool):
    shown = invoke("show", "count_words", "--verdict").stdout
    assert '{"n": [1, 2]}' in shown
    assert '{"text": "a b"} -> 2  (tester)' in shown
    assert '{"text": ""} -> an error  (regression)' in shown


def test_show_json(tool):
    shown = invoke_json("show", "count_words")
    assert shown["source"] == tool.source
    assert shown["verdict"]["stages"][0]["passed"] is True
    assert len(shown["cases"]) == 2
    assert shown["stats"]["calls"] == 2


def test_show_what_is_not_there(tool):
    with pytest.raises(UnknownToolError, match="count_words"):
        invoke("show", "count_word")


def test_search_and_reindex(tool):
    (found,) = invoke_json("search", "count the words of a text")
    assert found["name"] == "count_words" and found["score"] > 0
    assert "count_words\t" in invoke("search", "words").stdout
    assert invoke_json("reindex") == {"tools": 1}


class FakeSandbox:
    """Answers as told and remembers the job: running tools is the sandbox's own test."""

    def __init__(self, outcome):
        self.outcome = outcome
        self.closed = False

    async def call(self, job):
        self.job = job
        return [self.outcome]

    async def close(self):
        self.closed = True


@pytest.fixture
def sandbox(monkeypatch):
    sandbox = FakeSandbox(CallOutcome(status="ok", output={"result": 2}, stdout="noise\n"))

    async def open_sandbox(settings, warn):
        sandbox.settings = settings
        return sandbox

    monkeypatch.setattr("yunjue.sandbox.select.open_sandbox", open_sandbox)
    return sandbox


def test_run(tool, sandbox):
    result = invoke("run", "count_words", "text=1 2", "--sandbox", "process")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"result": 2})
    assert result.stderr == "noise\n"
    assert sandbox.job.source == tool.source
    assert sandbox.job.calls == [{"text": "1 2"}]
    assert sandbox.job.requirements == ["numpy>=2"]
    assert (sandbox.job.limits.seconds, sandbox.job.limits.memory_mib) == (10.0, 512)
    assert sandbox.settings.sandbox == "process"
    assert sandbox.closed


def test_run_json(tool, sandbox):
    answer = invoke_json("run", "count_words", "--args", '{"text": "a"}')
    assert answer["inputs"] == {"text": "a"}
    assert answer["output"] == {"result": 2}


def test_a_failed_run(tool, sandbox):
    sandbox.outcome = CallOutcome(status="failed", error="ValueError: no", reason="raised")
    result = invoke("run", "count_words", "text=a")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: ValueError: no\n"
    result = invoke("run", "count_words", "text=a", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["reason"] == "raised"
    assert sandbox.closed


SCHEMA = {
    "properties": {
        "text": {"type": "string"},
        "n": {"type": "integer"},
        "values": {"type": "array"},
        "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    }
}


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("text=3", "3"),
        ("text=", ""),
        ("text=a=b", "a=b"),
        ("n=3", 3),
        ("n=three", "three"),
        ("values=[1, 2]", [1, 2]),
        ("maybe=3", "3"),
        ("maybe=null", None),
        ("unknown=true", True),
    ],
)
def test_pairs(pair, value):
    assert list(parse_inputs(SCHEMA, None, [pair]).values()) == [value]


def test_args_and_pairs_together():
    assert parse_inputs(SCHEMA, '{"n": 1}', ["text=a"]) == {"n": 1, "text": "a"}


@pytest.mark.parametrize(
    ("args", "pairs"),
    [("{", []), ("[1]", []), (None, ["text"]), (None, ["=a"]), ('{"n": 1}', ["n=2"])],
)
def test_wrong_inputs(args, pairs):
    with pytest.raises(UsageError):
        parse_inputs(SCHEMA, args, pairs)


@given(st.text())
def test_any_text_is_an_input(text):
    assert parse_inputs(SCHEMA, None, [f"text={text}"]) == {"text": text}


@pytest.fixture
def versions(home):
    """Two versions of a tool, the second in use; their ids."""
    library = open_library(home / "library")
    first, second = a_tool(), a_tool(description="Count words well")
    library.add(first, a_verdict(first))
    library.retire(first.id, "wrong")
    library.add(second, a_verdict(second))
    library.close()
    return first.id, second.id


def test_history(versions):
    found = invoke_json("history", "count_words")
    assert [one["id"] for one in found["versions"]] == list(versions)
    assert [one["what"] for one in found["events"]] == ["added", "retired", "added"]
    shown = invoke("history", "count_words").stdout
    assert versions[0][:12] in shown and "wrong" in shown


def test_diff(versions):
    shown = invoke("diff", "count_words").stdout
    assert '-"""Count words"""' in shown and '+"""Count words well"""' in shown
    back = invoke("diff", "count_words", versions[1][:8], versions[0][:8]).stdout
    assert '+"""Count words"""' in back
    with pytest.raises(UnknownToolError, match="begins with 'zz'"):
        invoke("diff", "count_words", "zz")


def test_retire_restore_and_rollback(versions):
    assert invoke_json("rollback", "count_words", "--why", "a test")["id"] == versions[0]
    with pytest.raises(UsageError, match="no earlier version"):
        invoke("rollback", "count_words")
    assert invoke_json("restore", "count_words", "--id", versions[1][:10])["id"] == versions[1]
    assert invoke_json("retire", "count_words")["status"] == "retired"
    assert invoke_json("list") == []
    with pytest.raises(UsageError, match="not in use"):
        invoke("rollback", "count_words")
    assert invoke_json("restore", "count_words")["id"] == versions[1]
    whys = [one["why"] for one in invoke_json("history", "count_words")["events"]]
    assert "a test" in whys and "by hand" in whys


def test_history_says_where_versions_came_from_and_what_they_were_used_for(home):
    library = open_library(home / "library")
    first = a_tool(origin={"run": "r1", "model": "small", "task": "Count the\nwords " * 9})
    library.add(first, a_verdict(first))
    library.record_call("r2", "1", first.id, CallOutcome(status="failed"), {})
    second = a_tool(description="Count words well", origin={"import": "tools.zip"})
    library.replace(first.id, second, a_verdict(second), "repaired")
    library.close()
    old, new = invoke_json("history", "count_words")["versions"]
    assert (old["runs"], old["calls"], old["failed"], old["last_used"] > "2") == (1, 1, 1, True)
    assert new["origin"] == {"import": "tools.zip", "parents": [first.id]}
    shown = invoke("history", "count_words").stdout
    assert "run r1; model small; task: Count the words Count" in shown
    assert f"import tools.zip; parents {first.id[:12]}" in shown


def test_a_suspect_is_marked(tool, home):
    library = open_library(home / "library")
    for number in range(2):
        failed = CallOutcome(status="failed", reason="raised", error="KeyError: 'x'")
        library.record_call("r3", str(number), tool.id, failed, {"text": str(number)})
    library.close()
    assert "count_words (suspect)\t" in invoke("list").stdout
    assert "count_words (suspect)\t" in invoke("search", "words").stdout
    assert invoke_json("list")[0]["status"] == "suspect"
    assert "status   suspect" in invoke("show", "count_words").stdout
    shown = invoke("show", "count_words", "--verdict").stdout
    assert "failures 3" in shown and "raised: KeyError: 'x'" in shown
    assert invoke_json("show", "count_words")["evidence"][0]["inputs"] == {"text": "1"}


def test_stats(home):
    assert invoke_json("stats")["tools"] == []
    assert "empty" in invoke("stats").stderr
    library = open_library(home / "library")
    made = {"tokens": 1000, "cost_usd": 0.01, "seconds": 60.0}
    tool, other = a_tool(origin={"run": "r1", "cost": made}), a_tool("other_tool")
    for one in (tool, other):
        library.add(one, a_verdict(one))
    for run in ("r1", "r2", "r3"):
        library.record_call(run, "1", tool.id, CallOutcome(status="ok"), {})
    library.close()
    found = invoke_json("stats")
    assert found["total"]["saved"] == {"tokens": 2000, "cost_usd": 0.02, "seconds": 120.0}
    assert (found["total"]["made"]["tokens"], found["total"]["cost_unknown"]) == (1000, 1)
    assert "would have made it anew" in found["assumption"]
    result = invoke("stats")
    assert "count_words\tactive\t1000\t0.0100\t60.0\t3\t0\t3\t2\t2000" in result.stdout
    assert "all\t" in result.stdout and "anew" in result.stderr
    assert "1 more tools" in invoke("stats", "--most", "1").stderr


def test_gc_shows_first_and_deletes_when_told(versions, home):
    file = home / "library" / "code" / versions[0][:2] / f"{versions[0]}.py"
    assert invoke_json("gc")["leftovers"] == []
    assert "nothing to delete" in invoke("gc").stderr
    shown = invoke("gc", "--older-than", "0")
    assert f"version\tcount_words {versions[0][:12]}" in shown.stdout
    assert "nothing was deleted" in shown.stderr and file.exists()
    done = invoke_json("gc", "--older-than", "0", "--apply")
    assert done["freed"] == done["bytes"] > 0 and not file.exists()
    found = invoke_json("history", "count_words")
    assert [one["status"] for one in found["versions"]] == ["deleted", "active"]
    assert found["events"][-1]["what"] == "deleted"


SOURCE = """
from pydantic import BaseModel

__TOOL_META__ = {{"name": "double", "description": "Twice the number.", "dependencies": []}}


class InputModel(BaseModel):
    number: int


class OutputModel(BaseModel):
    result: int


def run(input: InputModel) -> OutputModel:
    return OutputModel(result=input.number {operation})
"""


@pytest.fixture
def double(home, shared_base, monkeypatch):
    """A right version of a tool, then a wrong one in use; their ids."""
    monkeypatch.setenv("YUNJUE_SANDBOX", "process")
    monkeypatch.setenv("YUNJUE_ALLOW_UNSAFE", "true")
    library = open_library(home / "library")
    number = {"number": {"title": "Number", "type": "integer"}}
    result = {"result": {"title": "Result", "type": "integer"}}
    tools = [
        a_tool(
            "double",
            source=SOURCE.format(operation=operation),
            requirements=[],
            input_schema={
                "properties": number,
                "required": ["number"],
                "title": "InputModel",
                "type": "object",
            },
            output_schema={
                "properties": result,
                "required": ["result"],
                "title": "OutputModel",
                "type": "object",
            },
        )
        for operation in ("* 2", "+ 2")
    ]
    cases = [Case(inputs={"number": 2}, expected=4), Case(inputs={"number": 5}, expected=10)]
    library.add(tools[0], a_verdict(tools[0], cases=cases))
    library.retire(tools[0].id)
    library.add(tools[1], a_verdict(tools[1], cases=cases))
    library.close()
    return [tool.id for tool in tools]


def test_verify_rolls_back_what_fails(double):
    looked = invoke("verify", "--all", "--dry-run", "--json")
    assert looked.exit_code == 1
    assert json.loads(looked.stdout)[0]["reason"] == "tests: 1 of 2 cases pass"
    assert invoke_json("show", "double")["id"] == double[1]

    done = invoke("verify", "double")
    assert done.exit_code == 1
    assert f"FAILED   double: 1 of 2 cases pass; replaced by {double[0][:12]}" in done.stdout
    assert invoke_json("show", "double")["id"] == double[0]
    whys = [one["why"] for one in invoke_json("history", "double")["events"]]
    assert "verify: tests: 1 of 2 cases pass" in whys

    again = invoke("verify", "--all")
    assert (again.exit_code, again.stdout) == (0, "ok       double: 2 of 2 cases pass\n")
    assert invoke_json("show", "double")["verdict"]["sandbox"] == "process"


def test_verify_needs_names_or_all(double):
    for arguments in ((), ("double", "--all")):
        with pytest.raises(UsageError, match="--all"):
            invoke("verify", *arguments)


def test_versions_of_an_unknown_tool(versions):
    for command in ("history", "diff", "retire", "restore", "rollback"):
        with pytest.raises(UnknownToolError, match="count_words"):
            invoke(command, "count_word")


def test_diff_of_one_version(tool):
    with pytest.raises(UsageError, match="one version"):
        invoke("diff", "count_words")


def test_refused(home):
    assert invoke_json("refused") == []
    assert "No tool was refused" in invoke("refused").stderr
    library = open_library(home / "library")
    library.refuse("luhn", "small", "no two agree", "run")
    library.pass_over("luhn", "small")
    library.close()
    (one,) = invoke_json("refused")
    assert (one["name"], one["model"], one["times"]) == ("luhn", "small", 1)
    assert (one["passed_over"], one["left"]) == (1, 1)
    assert "no two agree" in invoke("refused").stdout
    with pytest.raises(UnknownToolError, match="crc"):
        invoke("refused", "--forget", "luhn", "--forget", "crc")
    assert invoke_json("refused", "--forget", "luhn") == []

"""The runner as a plain process: enough to see forks, limits and frames."""

from __future__ import annotations

import json
import os
import sys
import threading

import pytest
from tool_files import DOUBLE, tool

from yunjue.protocols import SandboxJob, SandboxLimits
from yunjue.sandbox.backend import about, runner_command
from yunjue.sandbox.local_stream import LocalStream
from yunjue.sandbox.runner import clean_scratch, descendants
from yunjue.sandbox.session import Session, Talk
from yunjue.sandbox.tool_call import MAX_DEPTH, Refused, call, deeper, finite, one_line, to_json

LIMITS = SandboxLimits(seconds=5, stream_bytes=100, result_bytes=1000)


@pytest.fixture
def talk_about(tmp_path):
    talks = []

    before = set(descendants(os.getpid()))  # what other tests started and keep

    def make(source, limits=LIMITS):
        def start():
            stream = LocalStream(runner_command(sys.executable), {}, threading.Event())
            header = about([], str(tmp_path), {"RLIMIT_CORE": 0}, None)
            return Session(stream, SandboxJob(source, limits=limits), header)

        talks.append(Talk(start))
        return talks[-1]

    yield make
    for talk in talks:
        talk.end()
    assert set(descendants(os.getpid())) <= before


def test_calls_and_schemas(talk_about):
    talk = talk_about(DOUBLE)
    assert [talk.call({"value": n})[0].output for n in (1, 2)] == [{"result": 2}, {"result": 4}]
    assert talk.inspect().meta["name"] == "probe"


def test_streams_are_cut(talk_about):
    body = "print('é' * 5000)\nsys.stderr.write('e' * 100_000)\nreturn {'result': 1}"
    outcome = talk_about(tool(body)).call({})[0]
    assert outcome.status == "ok"
    assert (outcome.stdout, outcome.stderr) == ("é" * 50, "e" * 100)


def test_timeout_and_the_call_after_it(talk_about):
    source = tool("while input.value: pass\nreturn {'result': 1}")
    talk = talk_about(source, SandboxLimits(seconds=0.5))
    assert talk.call({"value": 1})[0].reason == "timeout"
    assert talk.call({"value": 0})[0].status == "ok"


def test_too_large(talk_about):
    outcome = talk_about(tool("return {'result': 'x' * 1000}")).call({})[0]
    assert outcome.reason == "output_too_large" and "1000" in outcome.error


def test_processes_left_behind_die(talk_about):
    body = (
        "pid = os.fork()\nif not pid:\n    os.setsid()\n    time.sleep(99)\nreturn {'result': pid}"
    )
    pid = talk_about(tool(body)).call({})[0].output["result"]
    assert not os.path.exists(f"/proc/{pid}")


def test_a_fork_that_comes_back_says_nothing(talk_about):
    body = "pid = os.fork()\nif pid:\n    os.wait()\nreturn {'result': bool(pid)}"
    assert talk_about(tool(body)).call({})[0].output == {"result": True}


def test_killing_the_runner_costs_one_call(talk_about):
    talk = talk_about(tool("if input.value: os.kill(os.getppid(), 9)\nreturn {'result': 1}"))
    outcomes = [talk.call({"value": value})[0] for value in (0, 1, 0)]
    assert [outcome.status for outcome in outcomes] == ["ok", "failed", "ok"]


def refusal(body, **types):
    with pytest.raises(Refused) as caught:
        call(tool(body, **types), {}, 10_000)
    return caught.value.report


def test_lines_in_errors():
    report = refusal("def inner():\n    return {}['k']\ninner()")
    assert report["error"].endswith(": return {}['k'])") and "KeyError: 'k'" in report["error"]
    assert refusal("eval('1 +')")["error"].endswith(": eval('1 +'))")


def test_errors_that_fight_back():
    body = "class Bad(Exception):\n    def __str__(self): raise Exception\nraise Bad"
    assert refusal(body)["error"].startswith("Bad: (its message cannot be shown)")
    assert len(refusal("raise OSError('x\\n' * 5000)")["error"]) <= 500


@pytest.mark.parametrize(
    "body",
    ["return OutputModel.model_construct(result='x')", "return {'result': 'x'}", "return None"],
)
def test_outputs_are_checked_however_made(body):
    assert refusal(body, output="result: int")["reason"] == "bad_output"


def test_aliases_and_computed_fields():
    output = "result: int = __import__('pydantic').Field(alias='other')"
    assert json.loads(call(tool("return OutputModel(other=1)", output=output), {}, 999)) == {
        "result": 1
    }


@pytest.mark.parametrize("value", ["float('nan')", "[1, {'a': float('inf')}]", "{1e999}"])
def test_numbers_that_are_none(value):
    assert refusal(f"return {{'result': {value}}}")["reason"] == "bad_output"


def test_depth():
    value = []
    for levels in range(1, MAX_DEPTH + 1):
        assert deeper(value, levels - 1) and not deeper(value, levels)
        value = [value]
    with pytest.raises(Refused, match="deeper"):
        to_json(value, 10_000)
    assert finite({"a": [1.0, (2.5,)]})


def test_one_line():
    assert one_line(ValueError("a\n b")) == "ValueError: a b"
    assert one_line(KeyError()) == "KeyError"


def test_scratch_is_emptied_and_links_are_not_followed(tmp_path):
    outside, scratch = tmp_path / "outside", tmp_path / "scratch"
    outside.mkdir()
    (outside / "kept").touch()
    (scratch / "deep" / "er").mkdir(parents=True)
    (scratch / "link").symlink_to(outside)
    (scratch / "deep" / "link").symlink_to(outside)
    assert clean_scratch(str(scratch))
    assert not list(scratch.iterdir()) and (outside / "kept").exists()

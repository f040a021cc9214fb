"""The runner as a plain process: enough to see forks, limits and frames."""

from __future__ import annotations

import json
import os
import sys
import threading
import time

import pytest
from tool_files import DOUBLE, tool

from yunjue.protocols import SandboxJob, SandboxLimits
from yunjue.sandbox.backend import about, runner_command
from yunjue.sandbox.local_stream import LocalStream
from yunjue.sandbox.runner import clean_scratch, descendants
from yunjue.sandbox.session import Session, Talk
from yunjue.sandbox.tool_call import (
    MAX_DEPTH,
    Refused,
    call,
    deeper,
    finite,
    load,
    one_line,
    to_json,
)

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


def eventually(holds):
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


COUNTS = """
import threading, time
count = 0
def go_on():
    global count
    while True:
        count += 1
        time.sleep(0.01)
threading.Thread(target=go_on, daemon=True).start()
loaded = time.time()
"""


def test_the_next_call_has_loaded_its_tool_and_stands_still(talk_about):
    body = "time.sleep(0.1)\nreturn {'result': [os.getpid(), loaded, count]}"
    talk = talk_about(COUNTS + tool(body, output="result: list[float]"))
    first = talk.call({}, more=True)[0].output["result"]
    time.sleep(1)
    asked = time.time()
    second = talk.call({}, more=True)[0].output["result"]
    assert second[0] != first[0]  # no two calls share a process
    assert second[1] < asked - 0.5  # loaded before it was asked for
    assert second[2] < 60  # some 110 if it had gone on while it waited


def test_a_tool_that_never_loads_is_stopped_and_runs_out_of_time(talk_about, tmp_path_factory):
    mark = str(tmp_path_factory.mktemp("outside") / "mark")
    makes_it = tool(f"open({mark!r}, 'w').close()\nreturn {{'result': os.getpid()}}")
    source = f"import os\nwhile os.path.exists({mark!r}): pass\n" + makes_it
    talk = talk_about(source, SandboxLimits(seconds=0.5))
    before = set(descendants(os.getpid()))
    talk.call({}, more=True)
    assert eventually(lambda: "T" in map(state, set(descendants(os.getpid())) - before))
    assert talk.call({})[0].reason == "timeout"


FILLED = """
    full = os.open("/proc/self/fd/201", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(full, bytes(4096))
    except BlockingIOError:
        time.sleep(99)
"""
FAR = """
    os.lseek(202, (1 << 63) - 2, os.SEEK_SET)
"""


@pytest.mark.parametrize("meddling", [FILLED, FAR])
def test_a_tool_that_meddles_with_how_it_is_asked_does_not_hurt_the_runner(
    talk_about, tmp_path_factory, meddling
):
    """While it is loaded, before the request is there."""
    mark = str(tmp_path_factory.mktemp("outside") / "mark")
    makes_it = tool(f"open({mark!r}, 'w').close()\nreturn {{'result': os.getppid()}}")
    source = f"import os, time\nif os.path.exists({mark!r}):{meddling}" + makes_it
    talk = talk_about(source, SandboxLimits(seconds=0.5))
    runner = talk.call({}, more=True)[0].output["result"]
    time.sleep(0.3)
    started = time.monotonic()
    talk.call({})
    assert time.monotonic() - started < 4
    os.unlink(mark)
    assert talk.call({})[0].output == {"result": runner}


def state(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def called(source, limit):
    return call(load(source), source, {}, limit)


def refusal(body, **types):
    with pytest.raises(Refused) as caught:
        called(tool(body, **types), 10_000)
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
    assert json.loads(called(tool("return OutputModel(other=1)", output=output), 999)) == {
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

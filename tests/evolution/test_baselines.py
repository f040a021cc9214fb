"""The two baselines, played by scripted models; programs run on this host and are ours."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from yunjue.config import load_settings
from yunjue.errors import (
    ModelAuthError,
    ModelError,
    ReplayMiss,
    SandboxUnavailable,
    TraceError,
    UsageError,
)
from yunjue.evolution.baselines import BASELINES, replay_baseline, run_baseline
from yunjue.evolution.interpreter import read_reply
from yunjue.models.scripted import ScriptedModel
from yunjue.sandbox.select import open_sandbox
from yunjue.traces.trace import read_trace

TASK = "What is 6 times 7?"


def block(code: str) -> str:
    return f"```python\n{code}\n```"


RIGHT = block("print(6 * 7)")
FINISH = {"action": "finish"}
AGAIN = {"action": "run"}


@pytest.fixture
def settings(shared_base):
    return load_settings(sandbox="process", allow_unsafe=True, model="scripted", max_steps=4)


@pytest.fixture
async def sandbox(settings):
    opened = await open_sandbox(settings, lambda message: None)
    yield opened
    await opened.close()


@pytest.fixture
def give(settings, sandbox, tmp_path):
    """Gives TASK to an arm whose model has these replies; keeps the model in ``give.model``."""

    async def run(*replies, arm="interpreter", folder="run", **changes):
        answerer = replies[0] if replies and callable(replies[0]) else list(replies)
        run.model = ScriptedModel(answerer)
        flags = settings.model_copy(update=changes)
        models = {"executor": [run.model]}
        return await run_baseline(
            arm, TASK, flags, models, sandbox, tmp_path / folder, run="r-1", files=None
        )

    return run


def kinds(folder: Path) -> list[str]:
    return [event.kind for event in read_trace(folder / "trace.jsonl")]


def cut(folder: Path, events: int) -> None:
    """Leave the first ``events`` lines and half of the next, as a killed process does."""
    path = folder / "trace.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:events]) + lines[events][: len(lines[events]) // 2])


# ---- the model alone ---------------------------------------------------------------------


async def test_the_model_alone_answers_in_one_reply(give, tmp_path):
    result = await give({"thinking": "6 * 7", "answer": " 42 "}, arm="model")
    assert (result.status, result.answer, result.calls) == ("solved", "42", 0)
    assert result.roles == {"executor": result.tokens} and result.tokens > 0
    assert kinds(tmp_path / "run") == ["run.started", "effect", "run.finished"]


async def test_an_empty_answer_is_none(give):
    result = await give({"thinking": "", "answer": "  "}, arm="model")
    assert (result.status, result.answer) == ("not_solved", "")


async def test_a_model_that_gives_no_json_fails_its_task_alone(give, tmp_path):
    result = await give(lambda request: "I think it is 42.", arm="model")
    assert (result.status, result.answer) == ("failed", "")
    assert "no usable JSON" in result.error
    assert kinds(tmp_path / "run")[-1] == "run.failed"


# ---- the interpreter ---------------------------------------------------------------------


async def test_solved_with_one_program(give, tmp_path):
    result = await give(RIGHT, FINISH)
    assert (result.status, result.answer) == ("solved", "42")
    assert (result.calls, result.ok, result.input_errors) == (1, 1, 0)
    called = next(e for e in read_trace(tmp_path / "run/trace.jsonl") if e.kind == "tool.called")
    assert called.data["inputs"] == {"code": "print(6 * 7)"}
    assert called.data["outcome"]["output"] == {"stdout": "42\n"}


async def test_an_error_is_shown_and_mended(give):
    result = await give(block("x = 6\nprint(x / 0)"), RIGHT, FINISH)
    assert (result.status, result.answer) == ("solved", "42")
    assert (result.calls, result.ok) == (2, 1)
    seen = give.model.requests[1].messages[-1].content
    assert "ZeroDivisionError: division by zero (line 2: print(x / 0))" in seen
    assert "ProgramFailed" not in seen


async def test_what_was_printed_before_an_error_is_shown(give):
    await give(block("print('half way')\n1 / 0"), RIGHT, FINISH)
    assert "half way" in give.model.requests[1].messages[-1].content


async def test_the_model_may_put_the_answer_in_its_own_words(give):
    result = await give(block("print('The result is', 42)"), {"action": "answer", "text": "42"})
    assert (result.status, result.answer) == ("solved", "42")


async def test_only_a_single_line_can_be_the_answer_as_it_stands(give):
    await give(block("print(1)\nprint(42)"), {"action": "answer", "text": "42"})
    offered = json.dumps(give.model.requests[1].schema_)
    assert "answer" in offered and "finish" not in offered


async def test_another_program_after_a_wrong_one(give):
    result = await give(block("print(41)"), AGAIN, RIGHT, FINISH)
    assert (result.answer, result.calls, result.ok) == ("42", 2, 2)


async def test_the_same_program_again_ends_the_task(give):
    result = await give(block("print(41)"), AGAIN, block("print(41)"))
    assert (result.status, result.answer, result.calls) == ("solved", "41", 1)


async def test_a_failed_program_is_not_run_again_and_the_model_starts_afresh(give):
    result = await give(block("1 / 0"), block("1 / 0"), RIGHT, FINISH)
    assert (result.answer, result.calls, result.ok) == ("42", 2, 1)
    first, _, afresh, _ = give.model.requests
    assert afresh.messages == first.messages and afresh.seed != first.seed


async def test_out_of_steps_the_last_line_is_a_guess(give):
    programs = [block(f"print('so far')\nprint({number})") for number in range(4)]
    replies = [reply for program in programs for reply in (program, AGAIN)]
    result = await give(*replies)
    assert (result.status, result.answer, result.calls) == ("not_solved", "3", 4)


async def test_endless_printing_is_stopped_at_once(give):
    result = await give(
        block(
            "while True:\n    try:\n        print('x' * 100)\n    except Exception:\n        pass"
        ),
        RIGHT,
        FINISH,
        tool_seconds=60.0,
    )
    assert (result.answer, result.calls, result.ok) == ("42", 2, 1)
    assert result.seconds < 30
    assert "printed more than 20000 characters" in give.model.requests[1].messages[-1].content


async def test_an_endless_program_runs_out_of_time(give):
    result = await give(block("while True: pass"), RIGHT, FINISH, tool_seconds=0.5)
    assert (result.answer, result.ok) == ("42", 1)
    assert "still running after 0.5 s" in give.model.requests[1].messages[-1].content


async def test_nothing_is_kept_between_programs(give):
    first = "import math\nmath.kept = 1\nopen('kept', 'w').close()\nvalue = 1"
    second = "import math, os\nprint(hasattr(math, 'kept'), os.path.exists('kept'))\nprint(value)"
    await give(block(first), block(second), RIGHT, FINISH)
    seen = give.model.requests[2].messages[-1].content
    assert "False False" in seen and "NameError" in seen


@pytest.mark.parametrize(
    "code, printed",
    [
        ("6 * 7", "42"),  # as in a notebook
        ("if __name__ == '__main__':\n    print(42)", "42"),
        ("print(42)\nraise SystemExit", "42"),
        ("print(Counter('aab')['a'] + 40)", "42"),  # a forgotten import
        (
            "from __future__ import annotations\nfrom dataclasses import dataclass\n\n\n"
            "@dataclass\nclass Pair:\n    a: int\n\n\nprint(Pair(42).a)",
            "42",
        ),
    ],
)
async def test_programs_in_the_ways_models_write_them(give, code, printed):
    assert (await give(block(code), FINISH)).answer == printed


@pytest.mark.parametrize(
    "code, error",
    [
        ("print(42", "SyntaxError"),
        ("import sys\nsys.exit('no data')", "SystemExit: no data"),
        ("input()", "EOFError"),
        ("import os\nos._exit(3)", "exit code 3"),
        ("print('\\ud800')", "surrogates not allowed"),
        ("x = '\x00'", "null"),
        ("def f():\n    return f()\nf()", "RecursionError"),
    ],
)
async def test_programs_that_fail_say_why(give, code, error):
    result = await give(block(code), RIGHT, FINISH)
    assert (result.answer, result.calls, result.ok) == ("42", 2, 1)
    assert error in give.model.requests[1].messages[-1].content


@pytest.mark.parametrize(
    "reply", ["", "42", "The answer is 42.", "```python\n```", "```", "\x00", "```\nXII\n```"]
)
async def test_replies_without_a_program_cost_a_step(give, reply):
    result = await give(reply, RIGHT, FINISH)
    assert (result.status, result.answer, result.calls) == ("solved", "42", 1)
    assert "no program" in give.model.requests[1].messages[-1].content


async def test_only_prose_ends_without_an_answer(give):
    result = await give(lambda request: "Certainly! It is 42.")
    assert (result.status, result.answer, result.calls) == ("not_solved", "", 0)
    assert len(give.model.requests) == 4


async def test_a_choice_that_is_no_json_fails_the_task(give):
    replies = {None: RIGHT}
    result = await give(lambda request: replies.get(request.schema_ and "json", "finish it"))
    assert (result.status, result.answer, result.calls, result.ok) == ("failed", "", 1, 1)


def test_programs_are_found_in_replies():
    run = {"action": "run", "code": "print(1)"}
    assert read_reply("Sure:\n```python\nprint(1)\n```\nIt prints 1.") == run
    assert read_reply("```\nprint(1)\n```") == run
    assert read_reply("```python\nprint(1)") == run  # cut off at a stop
    assert read_reply("print(1)") == run
    assert read_reply("<think>```python\nprint(2)\n```</think>\n```python\nprint(1)\n```") == run
    assert read_reply("```python\nprint('\ud800')\n```")["code"] == "print('?')"


async def test_the_prompt_keeps_its_beginning_and_forgets_the_oldest_turns(give):
    programs = [block(f"print({number})\nprint(0)") for number in range(6)]
    replies = [reply for program in programs for reply in (program, AGAIN)]
    await give(*replies, max_steps=6)
    prompts = [request.messages for request in give.model.requests]
    assert all(messages[:2] == prompts[0][:2] for messages in prompts)
    assert max(len(messages) for messages in prompts) == 2 + 2 * 3


# ---- limits and errors -------------------------------------------------------------------


async def test_a_limit_ends_the_task_with_what_was_spent(give, tmp_path):
    result = await give(block("print(41)"), AGAIN, RIGHT, FINISH, max_calls=2)
    assert (result.status, result.answer, result.calls) == ("limit", "", 1)
    assert "model calls" in result.error and result.tokens > 0
    last = read_trace(tmp_path / "run/trace.jsonl")[-1]
    assert (last.kind, last.data["status"]) == ("run.failed", "limit")


async def test_steps_are_not_counted_twice(give):
    """The loop counts them: the meter's limit on steps would end it one too early."""
    result = await give(block("1 / 0"), block("2 / 0"), block("3 / 0"), RIGHT, max_steps=4)
    assert (result.status, result.answer, result.calls) == ("not_solved", "42", 4)


async def test_without_a_key_everything_stops(give, tmp_path):
    def refuse(request):
        raise ModelAuthError("No key.")

    with pytest.raises(ModelAuthError):
        await give(refuse)
    assert kinds(tmp_path / "run")[-1] == "run.failed"


async def test_another_error_of_the_model_fails_one_task(give):
    def refuse(request):
        raise ModelError("The content filter said no.")

    result = await give(refuse)
    assert (result.status, result.error) == ("failed", "The content filter said no.")


async def test_without_a_sandbox_everything_stops(settings, tmp_path):
    refusing = await open_sandbox(settings, lambda message: None)
    await refusing.close()

    async def call(job):
        raise SandboxUnavailable("The engine is gone.")

    refusing.call = call
    models = {"executor": [ScriptedModel([RIGHT])]}
    with pytest.raises(SandboxUnavailable):
        await run_baseline("interpreter", TASK, settings, models, refusing, tmp_path, run="r")


async def test_an_unknown_arm_is_refused(give):
    assert BASELINES == ("model", "interpreter")
    with pytest.raises(UsageError, match="no baseline"):
        await give(RIGHT, arm="oracle")


# ---- killed, resumed, replayed -----------------------------------------------------------

STORY = (block("1 / 0"), block("print(41)"), AGAIN, RIGHT, FINISH)


async def test_a_killed_run_asks_nothing_twice_wherever_it_was_killed(give, tmp_path):
    whole = await give(*STORY, folder="whole")
    events = read_trace(tmp_path / "whole/trace.jsonl")
    for kept in range(1, len(events)):
        folder = f"killed-{kept}"
        (tmp_path / folder).mkdir()
        lines = (tmp_path / "whole/trace.jsonl").read_bytes()
        (tmp_path / folder / "trace.jsonl").write_bytes(lines)
        cut(tmp_path / folder, kept)
        asked = sum(e.kind == "effect" and e.data["effect"] == "model" for e in events[:kept])
        result = await give(*STORY[asked:], folder=folder)
        assert result == dataclasses.replace(whole, seconds=result.seconds)
        assert len(give.model.requests) == len(STORY) - asked
        again = read_trace(tmp_path / folder / "trace.jsonl")
        story = [e.kind for e in again if e.kind != "run.resumed"]
        assert story == [e.kind for e in events]


async def test_a_finished_run_gives_its_result_again(give):
    first = await give(RIGHT, FINISH)
    assert await give() == first


async def test_a_failed_run_goes_on_with_a_higher_limit(give):
    assert (await give(RIGHT, max_calls=1)).status == "limit"
    result = await give(FINISH)
    assert (result.status, result.answer) == ("solved", "42")


async def test_a_folder_holds_one_task_only(give, settings, sandbox, tmp_path):
    await give(RIGHT, FINISH)
    models = {"executor": [ScriptedModel([])]}
    with pytest.raises(UsageError, match="another task"):
        await run_baseline(
            "interpreter", "Other.", settings, models, sandbox, tmp_path / "run", run="r"
        )


async def test_a_replay_is_as_recorded(give, settings, sandbox, tmp_path):
    for arm, replies in (
        ("interpreter", STORY),
        ("model", [{"thinking": "", "answer": "42"}]),
    ):
        recorded = await give(*replies, arm=arm, folder=arm)
        result, differences = await replay_baseline(
            tmp_path / arm / "trace.jsonl", settings, sandbox
        )
        assert differences == []
        assert result == dataclasses.replace(recorded, seconds=result.seconds)


async def test_a_replay_tells_of_a_program_that_ends_otherwise(give, settings, sandbox, tmp_path):
    await give(RIGHT, FINISH)
    path = tmp_path / "run/trace.jsonl"
    path.write_text(path.read_text().replace('{"stdout": "42\\n"}', '{"stdout": "43\\n"}'))
    with pytest.raises(ReplayMiss):  # the model was never told 42
        await replay_baseline(path, settings, sandbox)


async def test_a_run_that_did_not_finish_is_not_replayed(give, settings, sandbox, tmp_path):
    await give(RIGHT, FINISH)
    cut(tmp_path / "run", 3)
    with pytest.raises(TraceError, match=r"run\.finished"):
        await replay_baseline(tmp_path / "run/trace.jsonl", settings, sandbox)

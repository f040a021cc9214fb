from __future__ import annotations

import asyncio
import json

import pytest

from yunjue.errors import ModelError, ReplayMiss, UsageError
from yunjue.models.scripted import ReplayModel, ScriptedModel
from yunjue.protocols import ChatModel
from yunjue.types import Message, ModelRequest


def ask(*contents: str) -> ModelRequest:
    return ModelRequest(messages=[Message(role="user", content=text) for text in contents])


@pytest.fixture
def script(tmp_path):
    def write(content) -> str:
        path = tmp_path / "script.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


async def test_replies_in_order_then_an_error():
    model = ScriptedModel(["one", {"two": 2}])
    assert isinstance(model, ChatModel)
    assert (await model.complete(ask("a b c"))).text == "one"
    reply = await model.complete(ask("again"))
    assert json.loads(reply.text) == {"two": 2}
    with pytest.raises(ModelError, match="no reply left for 'third"):
        await model.complete(ask("third\nquestion"))
    assert [request.messages[0].content for request in model.requests][:2] == ["a b c", "again"]


async def test_a_function_answers_and_words_are_counted():
    model = ScriptedModel(lambda request: request.messages[-1].content.upper(), name="loud")
    reply = await model.complete(ask("hello there", "big world"))
    assert (reply.text, reply.model) == ("BIG WORLD", "loud")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (4, 2)
    assert reply.cost_usd == 0


async def test_rules_of_a_file(script):
    path = script(
        {
            "rules": [
                {"when": "once", "reply": "first", "times": 1},
                {"when": "once|twice", "reply": {"n": 2}},
                {"when": "system.*user", "reply": "both"},
            ]
        }
    )
    model = ScriptedModel.from_file(path)
    assert model.name == f"scripted/{path}"
    texts = [(await model.complete(ask("say it once"))).text for _ in range(3)]
    assert texts == ["first", '{"n": 2}', '{"n": 2}']
    assert (await model.complete(ask("system", "user"))).text == "both"
    with pytest.raises(ModelError, match="No rule of the script answers 'something else'"):
        await model.complete(ask("something\n  else"))


async def test_the_order_of_calls_does_not_matter_without_times(script):
    path = script({"rules": [{"when": f"ask {n}$", "reply": f"answer {n}"} for n in range(20)]})
    model = ScriptedModel.from_file(path)
    order = [7, 3, 19, 0, 3, 7]
    replies = await asyncio.gather(*(model.complete(ask(f"ask {n}")) for n in order))
    assert [reply.text for reply in replies] == [f"answer {n}" for n in order]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "wrong"),
        ([], "list `rules`"),
        ({"rules": 1}, "list `rules`"),
        ({"rules": [], "seed": 1}, "no member 'seed'"),
        ({"rules": [], "delay": "long"}, "`delay`"),
        ({"rules": [], "delay": -1}, "`delay`"),
        ({"rules": ["x"]}, "`when` and `reply`"),
        ({"rules": [{"when": "x"}]}, "`when` and `reply`"),
        ({"rules": [{"when": "(", "reply": ""}]}, "no regular expression"),
        ({"rules": [{"when": 1, "reply": ""}]}, "no regular expression"),
        ({"rules": [{"when": "", "reply": 1}]}, "a text or an object"),
        ({"rules": [{"when": "", "reply": "", "times": 0}]}, "whole number"),
        ({"rules": [{"when": "", "reply": "", "then": 0}]}, "no member 'then'"),
    ],
)
def test_a_wrong_file_is_the_users_error(script, content, problem):
    with pytest.raises(UsageError, match=problem):
        ScriptedModel.from_file(script(content))


def test_an_absent_file(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        ScriptedModel.from_file(tmp_path / "absent.json")


async def test_a_replay_has_no_answers_of_its_own():
    model = ReplayModel("gpt-4.1-mini", 1000)
    assert (model.name, model.context_window) == ("gpt-4.1-mini", 1000)
    with pytest.raises(ReplayMiss, match="begins 'What now'"):
        await model.complete(ask("What now"))

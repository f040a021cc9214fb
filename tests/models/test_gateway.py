from __future__ import annotations

import asyncio
import json

import pytest

from yunjue.errors import (
    LimitReached,
    ModelAuthError,
    ModelError,
    ModelOutputInvalid,
    ModelUnavailable,
)
from yunjue.events import Events
from yunjue.limits import Limits, Meter
from yunjue.models import gateway as module
from yunjue.models.cache import ReplyCache
from yunjue.models.gateway import Gateway, Unrecorded
from yunjue.models.scripted import ReplayModel, ScriptedModel
from yunjue.types import Message, ModelReply, Usage

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
QUESTION = [Message(role="user", content="How many?")]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(module, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.002)


class Recorder:
    """Keeps every effect, and answers from what it kept."""

    def __init__(self) -> None:
        self.kept: dict[str, dict] = {}
        self.performed = 0

    async def perform(self, kind, request, action):
        key = json.dumps([kind, request], sort_keys=True)
        if key not in self.kept:
            self.performed += 1
            self.kept[key] = await action()
        return self.kept[key]


class Flaky(ScriptedModel):
    """Fails with each of ``errors`` in turn, then answers ``text``."""

    def __init__(self, errors, text="fine", name="flaky", **more):
        super().__init__(lambda request: text, name=name, **more)
        self.errors = list(errors)
        self.asked = 0

    async def complete(self, request):
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return await super().complete(request)


class Priced(ScriptedModel):
    async def complete(self, request):
        reply = await super().complete(request)
        usage = Usage(prompt_tokens=100, completion_tokens=20)
        return reply.model_copy(update={"cost_usd": 0.25, "usage": usage, "seconds": 2.0})


class Cut(ScriptedModel):
    async def complete(self, request):
        return (await super().complete(request)).model_copy(update={"finish": "length"})


def build(*models, limits=None, effects=None, cache=None, **more):
    events, seen = Events(), []
    events.subscribe(seen.append)
    gate = Gateway(
        {"author": models},
        effects or Unrecorded(),
        Meter(limits or Limits()),
        events,
        cache,
        **more,
    )
    return gate, seen


def kinds(seen):
    return [event.kind for event in seen]


async def test_a_question_and_its_count():
    gate, _ = build(Priced(["one", "two"]))
    assert (await gate.ask("author", QUESTION)).text == "one"
    await gate.ask("author", QUESTION)
    used = gate.spent_by_role["author"]
    assert (used.calls, used.prompt_tokens, used.completion_tokens) == (2, 200, 40)
    assert (used.cost_usd, used.seconds) == (0.5, 4.0)


def test_who_is_asked_first():
    gate, _ = build(ReplayModel("first", 100), ReplayModel("second", 200))
    assert (gate.model_name("author"), gate.context_window("author")) == ("first", 100)


async def test_everything_asked_reaches_the_model():
    model = ScriptedModel(["x"])
    gate, _ = build(model)
    await gate.ask(
        "author", QUESTION, schema=SCHEMA, temperature=0.7, seed=5, max_tokens=9, stop=["."]
    )
    request = model.requests[0]
    assert (request.schema_, request.temperature, request.seed) == (SCHEMA, 0.7, 5)
    assert (request.max_tokens, request.stop) == (9, ["."])


# Limits


@pytest.mark.parametrize(
    "limits", [Limits(calls=1), Limits(tokens=100), Limits(cost_usd=0.2), Limits(calls=1, tokens=9)]
)
async def test_a_used_up_limit_stops_before_the_next_call(limits):
    model = Priced(lambda request: "x")
    gate, _ = build(model, limits=limits)
    await gate.ask("author", QUESTION)
    with pytest.raises(LimitReached):
        await gate.ask("author", QUESTION)
    assert len(model.requests) == 1


async def test_replayed_answers_count_too():
    effects = Recorder()
    for model in (Priced(["x"], name="m"), ReplayModel("m", 8192)):
        gate, _ = build(model, effects=effects, limits=Limits(cost_usd=0.2))
        assert (await gate.ask("author", QUESTION)).cost_usd == 0.25
        with pytest.raises(LimitReached):
            await gate.ask("author", QUESTION)
    assert effects.performed == 1


async def test_the_time_that_is_left_bounds_a_call():
    gate, _ = build(ScriptedModel(["late"], delay=60), limits=Limits(seconds=0.05))
    with pytest.raises(LimitReached, match="time"):
        await gate.ask("author", QUESTION)


async def test_the_time_that_is_left_bounds_the_retries(monkeypatch):
    monkeypatch.setattr(module, "FIRST_WAIT", 60)
    monkeypatch.setattr(module, "LONGEST_WAIT", 60)
    gate, _ = build(Flaky([ModelUnavailable("away")] * 9), limits=Limits(seconds=0.05))
    with pytest.raises(LimitReached, match="time"):
        await gate.ask("author", QUESTION)


async def test_a_timeout_of_the_models_own_is_not_ours():
    gate, _ = build(Flaky([TimeoutError("mine")]), limits=Limits(seconds=60))
    with pytest.raises(TimeoutError, match="mine"):
        await gate.ask("author", QUESTION)


async def test_a_prompt_that_does_not_fit_is_never_sent():
    model = ScriptedModel(["x"], context_window=1000)
    gate, _ = build(model)
    long = [Message(role="user", content="x" * 2000)]
    with pytest.raises(ModelError, match="too long for scripted"):
        await gate.ask("author", long, max_tokens=400)
    assert not model.requests
    await gate.ask("author", long, max_tokens=300)


# Retries and fallbacks


async def test_retries_while_not_reachable():
    model = Flaky([ModelUnavailable("away")] * 4)
    gate, seen = build(model)
    assert (await gate.ask("author", QUESTION)).text == "fine"
    assert kinds(seen) == ["model.retried"] * 4
    assert [event.data["attempt"] for event in seen] == [1, 2, 3, 4]
    assert seen[0].data["problem"] == "away"


async def test_retries_are_bounded():
    model = Flaky([ModelUnavailable("away")] * 99)
    gate, _ = build(model, max_retries=2)
    with pytest.raises(ModelUnavailable, match="away"):
        await gate.ask("author", QUESTION)
    assert model.asked == 3


@pytest.mark.parametrize("error", [ModelError("no"), ModelAuthError("no key")])
async def test_what_cannot_get_better_is_not_retried(error):
    model, other = Flaky([error]), ScriptedModel(["other"])
    gate, seen = build(model, other)
    with pytest.raises(type(error)):
        await gate.ask("author", QUESTION)
    assert (model.asked, other.requests, seen) == (1, [], [])


async def test_pauses_double_and_obey_the_provider(monkeypatch):
    monkeypatch.setattr(module, "FIRST_WAIT", 1.0)
    monkeypatch.setattr(module, "LONGEST_WAIT", 60.0)
    for attempt in range(5):
        assert 0.75 * 2**attempt <= module._pause(attempt, 0.0) <= 1.25 * 2**attempt
    assert module._pause(0, 20.0) == 20.0
    assert module._pause(0, 4000.0) == module._pause(9, 0.0) == 60.0


async def test_fallbacks_in_order():
    away = [ModelUnavailable("away")] * 99
    first, second, third = Flaky(away), Flaky(away, name="b"), ScriptedModel(["third"], name="c")
    gate, seen = build(first, second, third, max_retries=1)
    assert (await gate.ask("author", QUESTION)).model == "c"
    assert kinds(seen) == ["model.retried", "warning"] * 2
    assert "b is asked instead" in seen[1].data["message"]


async def test_a_fallback_the_prompt_does_not_fit_is_passed_over():
    first = Flaky([ModelUnavailable("away")] * 99)
    small = ScriptedModel(["small"], name="small", context_window=10)
    gate, seen = build(first, small, max_retries=0)
    with pytest.raises(ModelUnavailable, match="away"):
        await gate.ask("author", QUESTION)
    assert "small cannot stand in" in seen[0].data["message"]
    assert not small.requests


async def test_the_effect_is_recorded_under_the_first_model():
    effects = Recorder()
    gate, _ = build(
        Flaky([ModelUnavailable("away")], name="first"),
        ScriptedModel(["x"], name="second"),
        effects=effects,
        max_retries=0,
    )
    await gate.ask("author", QUESTION)
    ((kind, request),) = [json.loads(key) for key in effects.kept]
    assert (kind, request["role"], request["model"]) == ("model", "author", "first")
    replayed, _ = build(ReplayModel("first", 8192), effects=effects)
    assert (await replayed.ask("author", QUESTION)).model == "second"


async def test_a_failure_is_not_recorded():
    effects = Recorder()
    gate, _ = build(Flaky([ModelError("no")]), effects=effects)
    with pytest.raises(ModelError):
        await gate.ask("author", QUESTION)
    assert not effects.kept


@pytest.mark.parametrize(("parallel", "most"), [(3, 3), (None, 8)])
async def test_no_more_calls_at_once_than_the_model_takes(parallel, most):
    class Counting(ScriptedModel):
        now = peak = 0

        async def complete(self, request):
            self.now += 1
            self.peak = max(self.peak, self.now)
            await asyncio.sleep(0.001)
            self.now -= 1
            return await super().complete(request)

    model = Counting(lambda request: "x")
    if parallel:
        model.parallel = parallel
    gate, _ = build(model)
    await asyncio.gather(*(gate.ask("author", QUESTION, seed=n) for n in range(20)))
    assert model.peak == most


# Cache


async def test_the_cache_answers_the_second_time(tmp_path):
    model = Priced(["only once"])
    for expected in (0.25, 0.0):
        gate, _ = build(model, cache=ReplyCache(tmp_path))
        reply = await gate.ask("author", QUESTION)
        assert (reply.text, reply.cost_usd) == ("only once", expected)
    assert len(model.requests) == 1


# JSON


async def test_json_at_once():
    gate, seen = build(ScriptedModel(['Here: {"n": 3}.']))
    assert await gate.ask_json("author", QUESTION, SCHEMA) == {"n": 3}
    assert not seen


async def test_json_after_repairs():
    model = ScriptedModel(["none", {"n": "three"}, {"n": 3}])
    gate, seen = build(model)
    assert await gate.ask_json("author", QUESTION, SCHEMA, seed=1) == {"n": 3}
    assert kinds(seen) == ["model.repaired"] * 2
    assert seen[0].data == {
        "role": "author",
        "problem": "the reply has no JSON object",
        "text": "none",
    }
    assert "'three' is not of type 'integer'" in seen[1].data["problem"]
    assert len({request.seed for request in model.requests}) == 3
    turns = [[message.role for message in request.messages] for request in model.requests]
    assert turns == [["user"], ["user", "assistant", "user"], ["user", "assistant", "user"]]
    assert "'three'" in model.requests[2].messages[-1].content


@pytest.mark.parametrize("repairs", [0, 1, 3])
async def test_repairs_are_bounded(repairs):
    model = ScriptedModel(lambda request: "never")
    gate, seen = build(model)
    with pytest.raises(ModelOutputInvalid, match="no JSON object"):
        await gate.ask_json("author", QUESTION, SCHEMA, repairs=repairs)
    assert len(model.requests) == repairs + 1
    assert len(seen) == repairs


async def test_limits_hold_in_repairs():
    model = ScriptedModel(lambda request: "never")
    gate, _ = build(model, limits=Limits(calls=2))
    with pytest.raises(LimitReached):
        await gate.ask_json("author", QUESTION, SCHEMA, repairs=9)
    assert len(model.requests) == 2


async def test_a_check_of_the_callers():
    gate, seen = build(ScriptedModel([{"n": 1}, {"n": 2}]))

    def even(found):
        return "n must be even" if found["n"] % 2 else None

    assert await gate.ask_json("author", QUESTION, SCHEMA, check=even) == {"n": 2}
    assert seen[0].data["problem"] == "n must be even"


async def test_a_cut_reply_is_no_reply_even_if_it_parses():
    gate, seen = build(Cut(lambda request: {"n": 1}))
    with pytest.raises(ModelOutputInvalid, match="cut off after 50 tokens"):
        await gate.ask_json("author", QUESTION, SCHEMA, max_tokens=50, repairs=1)
    assert kinds(seen) == ["model.repaired"]


async def test_a_repair_that_no_longer_fits_is_not_tried():
    model = ScriptedModel(lambda request: "no " * 300, context_window=130)
    gate, _ = build(model)
    with pytest.raises(ModelOutputInvalid, match="in 1 attempt:"):
        await gate.ask_json("author", QUESTION, SCHEMA, max_tokens=100)


async def test_long_replies_are_cut_in_events_and_repairs():
    model = ScriptedModel(["x" * 9000, {"n": 1}])
    gate, seen = build(model)
    await gate.ask_json("author", QUESTION, SCHEMA)
    assert len(seen[0].data["text"]) == 500
    assert len(model.requests[1].messages[1].content) == 501


async def test_a_model_without_schemas_reads_it_in_the_prompt():
    plain, able = ScriptedModel([{"n": 1}]), ScriptedModel([{"n": 1}])
    plain.supports_schema = False
    for model in (plain, able):
        gate, _ = build(model)
        await gate.ask_json("author", QUESTION, SCHEMA)
    assert json.dumps(SCHEMA, separators=(",", ":")) in plain.requests[0].messages[-1].content
    assert plain.requests[0].messages[-1].content.startswith("How many?")
    assert able.requests[0].messages == QUESTION


async def test_close_closes_each_model_once():
    class Closing(ScriptedModel):
        closed = 0

        async def close(self):
            self.closed += 1

    model = Closing([])
    gate = Gateway({"a": [model], "b": [model]}, Unrecorded(), Meter(Limits()), Events())
    await gate.close()
    assert model.closed == 1


def test_replies_survive_the_record():
    reply = ModelReply(text="x", model="m", usage=Usage(cached_tokens=1), finish="length")
    assert ModelReply.model_validate(json.loads(json.dumps(reply.model_dump()))) == reply

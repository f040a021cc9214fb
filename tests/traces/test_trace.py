from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.errors import ReplayMiss, TraceError, UsageError
from yunjue.events import Event, Events
from yunjue.traces.effects import RecordedEffects, ReplayedEffects, comparable, effect_key
from yunjue.traces.runs import Runs, new_run_id
from yunjue.traces.trace import TraceWriter, read_trace


def write(path, earlier=()):
    events = Events()
    writer = TraceWriter(path, list(earlier))
    events.subscribe(writer)
    events.start_at(len(earlier))
    return events, writer


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=5))
def test_what_is_written_is_read(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("trace") / "trace.jsonl"
    events, writer = write(path)
    for value in values:
        events.emit("warning", message=value)
    writer.close()
    found = read_trace(path)
    # A lone surrogate cannot be UTF-8 and becomes a question mark.
    expected = [json.loads(json.dumps(v).encode("utf-8", "replace")) for v in values]
    assert [event.seq for event in found] == list(range(len(values)))
    if not any("\\ud" in json.dumps(value) for value in values):
        assert [event.data["message"] for event in found] == expected


def test_a_half_written_line_is_left_out_and_written_over(tmp_path):
    path = tmp_path / "trace.jsonl"
    events, writer = write(path)
    events.emit("warning", message="one")
    writer.close()
    with path.open("ab") as file:
        file.write(b'{"seq": 1, "kind": "warn')
    earlier = read_trace(path)
    assert len(earlier) == 1
    events, writer = write(path, earlier)
    events.emit("warning", message="two")
    writer.close()
    assert [event.data["message"] for event in read_trace(path)] == ["one", "two"]


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "trace.jsonl"
    path.write_text('{"seq": 0}\n')
    with pytest.raises(TraceError, match="Line 1"):
        read_trace(path)
    with pytest.raises(TraceError, match="cannot be read"):
        read_trace(tmp_path / "none.jsonl")


def test_events_of_an_earlier_sitting_are_not_written_twice(tmp_path):
    path = tmp_path / "trace.jsonl"
    events, writer = write(path)
    events.emit("warning", message="one")
    writer.close()
    events, writer = write(path, read_trace(path))
    for message in ("one", "one", "two"):
        events.emit("warning", message=message)
    writer.close()
    assert [event.data["message"] for event in read_trace(path)] == ["one", "one", "two"]


def test_what_happened_once_is_not_told_again_though_its_times_differ(tmp_path):
    path = tmp_path / "trace.jsonl"
    events, writer = write(path)
    events.emit("tool.called", call="call-1", name="a")
    events.emit("tool.admitted", id="x", verdict={"stages": [{"name": "s", "seconds": 1}]})
    writer.close()
    events, writer = write(path, read_trace(path))
    events.emit("tool.admitted", id="x", verdict={"stages": [{"name": "s", "seconds": 2}]})
    events.emit("tool.called", call="call-2", name="a")
    writer.close()
    told = [(event.kind, event.data.get("call")) for event in read_trace(path)]
    assert told == [("tool.called", "call-1"), ("tool.admitted", None), ("tool.called", "call-2")]


async def test_a_recorded_effect_is_served_once_for_each_time_it_happened():
    happened = []

    async def action():
        happened.append(1)
        return {"n": len(happened)}

    events, seen = Events(), []
    events.subscribe(seen.append)
    effects = RecordedEffects(events)
    assert await effects.perform("model", {"q": 1}, action) == {"n": 1}
    assert await effects.perform("model", {"q": 1}, action) == {"n": 2}
    again = RecordedEffects(Events(), seen)
    results = [await again.perform("model", {"q": 1}, action) for _ in range(3)]
    assert results == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert len(happened) == 3


async def test_a_replay_asks_no_model_and_compares_the_sandbox():
    async def action():
        return {"outcomes": [{"output": 2, "seconds": 9.0}]}

    def effect(kind, request, result):
        key = effect_key(kind, request)
        return Event("effect", {"effect": kind, "key": key, "request": request, "result": result})

    request = {"verb": "call", "source": "abc"}
    recorded = [
        effect("model", {"role": "author"}, {"text": "hello"}),
        effect("sandbox", request, {"outcomes": [{"output": 2, "seconds": 0.1}]}),
        effect("sandbox", request, {"outcomes": [{"output": 3, "seconds": 0.1}]}),
    ]
    effects = ReplayedEffects(Events(), recorded)
    assert await effects.perform("model", {"role": "author"}, action) == {"text": "hello"}
    with pytest.raises(ReplayMiss, match="author"):
        await effects.perform("model", {"role": "author"}, action)
    await effects.perform("sandbox", request, action)
    assert effects.differences == []
    await effects.perform("sandbox", request, action)
    assert len(effects.differences) == 1


def test_times_are_not_compared():
    assert comparable({"a": [{"seconds": 1, "b": 2}]}) == {"a": [{"b": 2}]}


def test_runs_are_found_by_part_of_their_id(tmp_path):
    runs = Runs(tmp_path)
    assert runs.names() == []
    for name in ("20260101-000000-aaaaaa", "20260101-000001-bbbbbb"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "trace.jsonl").write_text("")
    (tmp_path / "notes").mkdir()
    assert len(runs.names()) == 2
    assert runs.path("bbbbbb").name == "20260101-000001-bbbbbb"
    for wrong in ("20260101", "zzz", "", "../x"):
        with pytest.raises(UsageError):
            runs.path(wrong)
    assert runs.summary("20260101-000000-aaaaaa").status == "unfinished"
    assert new_run_id() != new_run_id()


async def test_a_replay_goes_on_with_what_was_recorded_where_only_measures_differ():
    def outcome(reason, seconds):
        return {"outcomes": [{"status": "failed", "reason": reason, "seconds": seconds}]}

    request, recorded = {"source": "x"}, []
    events = Events()
    events.subscribe(recorded.append)

    async def once():
        return outcome("timeout", 10.0)

    async def again():
        return outcome("memory", 1.0)

    await RecordedEffects(events).perform("sandbox", request, once)
    effects = ReplayedEffects(Events(), recorded)
    assert await effects.perform("sandbox", request, again) == outcome("timeout", 10.0)
    assert effects.differences == []


async def test_a_result_that_differs_once_is_tried_again():
    """A call near its bound runs out of time while the machine is busy."""
    late = {"outcomes": [{"status": "failed", "reason": "timeout"}]}
    fine = {"outcomes": [{"status": "ok", "output": {"n": 1}}]}
    recorded = [
        Event(
            "effect",
            {"effect": "sandbox", "key": effect_key("sandbox", {}), "request": {}, "result": fine},
        )
    ]

    async def replayed(*results):
        effects = ReplayedEffects(Events(), recorded)
        left = list(results)

        async def action():
            return left.pop(0)

        await effects.perform("sandbox", {}, action)
        return len(effects.differences), len(left)

    assert await replayed(late, fine) == (0, 0)
    assert await replayed(fine, late) == (0, 1)
    assert await replayed(late, late) == (1, 0)

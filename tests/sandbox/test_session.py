"""The host's side against runners that misbehave in every way."""

from __future__ import annotations

import asyncio
import json
import struct
import threading

import pytest

from yunjue.errors import SandboxError
from yunjue.protocols import SandboxJob, SandboxLimits
from yunjue.sandbox import session
from yunjue.sandbox.session import Broken, Session, Stopped, Stream, Talk, in_thread

GOOD = b'{"status": "ok", "output": {"result": 1}}'


def framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


class ScriptedStream(Stream):
    """Says it is ready, then answers each request with what the script says."""

    def __init__(self, script, death="crashed"):
        super().__init__(threading.Event())
        self.script, self.death = iter(script), death
        self.out, self.received, self.ended, self.started = b"", b"", 0, False

    def _write(self, data, seconds):
        self.received += bytes(data)
        length = struct.unpack(">I", self.received[:4])[0]
        if len(self.received) >= 4 + length:
            request = json.loads(self.received[4 : 4 + length])
            self.received = self.received[4 + length :]
            if self.started:
                self.out += next(self.script)(request)
            else:
                self.started, self.out = True, framed(b'{"ready": true}')
        return len(data)

    def _read(self, seconds):
        if not self.out:
            raise Broken("crashed", "it died")
        part, self.out = self.out[:7], self.out[7:]
        return part

    def end(self):
        self.ended += 1
        return self.death


def answer(said=GOOD, **changes):
    def make(request):
        seen = {"nonce": request["nonce"], "fault": "", "error": "", "stdout": "", "stderr": ""}
        seen = {**seen, "seconds": 0.1, "peak_mib": 9.5, "clean": True, **changes}
        return framed(json.dumps(seen).encode()) + framed(said)

    return make


def dies(request):
    return b""


def rubbish(request):
    return b"\xff" * 100


def trailing_rubbish(request):
    return answer()(request) + framed(b"{}")


def talk_with(*streams):
    ready = iter(streams)
    limits = SandboxLimits(seconds=0.1)
    return Talk(lambda: Session(next(ready), SandboxJob("", limits=limits), {}))


def test_calls_share_a_session():
    stream = ScriptedStream([answer(), answer()])
    talk = talk_with(stream)
    assert [talk.call({})[0].status for _ in range(2)] == ["ok", "ok"]
    assert stream.ended == 0
    talk.end()
    assert stream.ended == 1


@pytest.mark.parametrize("bad", [dies, rubbish, answer(nonce="0"), lambda request: framed(b"[]")])
def test_a_fresh_session_convicts(bad):
    first, second = ScriptedStream([bad]), ScriptedStream([answer()])
    talk = talk_with(first, second)
    assert talk.call({})[0].reason == "crashed"
    assert first.ended == 1
    assert talk.call({})[0].status == "ok"


def test_a_trap_of_an_earlier_call_does_not_spoil_the_next():
    talk = talk_with(ScriptedStream([trailing_rubbish, answer()]), ScriptedStream([answer()]))
    assert [talk.call({})[0].status for _ in range(2)] == ["ok", "ok"]


def test_a_call_is_tried_twice_at_most():
    talk = talk_with(ScriptedStream([answer(), dies]), ScriptedStream([dies]))
    assert [talk.call({})[0].status for _ in range(2)] == ["ok", "failed"]


def test_an_unclean_session_is_not_used_again():
    first, second = ScriptedStream([answer(clean=False)]), ScriptedStream([answer()])
    talk = talk_with(first, second)
    assert [talk.call({})[0].status for _ in range(2)] == ["ok", "ok"]
    assert first.ended == 1


def test_death_by_memory():
    assert talk_with(ScriptedStream([dies], death="memory")).call({})[0].reason == "memory"


@pytest.mark.parametrize(
    "changes", [{"stdout": 7}, {"seconds": "long"}, {"seconds": -1}, {"peak_mib": None}]
)
def test_observations_of_the_wrong_type(changes):
    assert talk_with(ScriptedStream([answer(**changes)])).call({})[0].reason == "crashed"


def test_results_over_the_limit():
    limits = SandboxLimits(result_bytes=10)
    huge = ScriptedStream([answer(said=b" " * 10_000)])
    talk = Talk(lambda: Session(huge, SandboxJob("", limits=limits), {}))
    assert talk.call({})[0].reason == "crashed"


def test_silence_is_a_timeout(monkeypatch):
    class Silent(ScriptedStream):
        def _read(self, seconds):
            return super()._read(seconds) if self.out else None

    monkeypatch.setattr(session, "GRACE_SECONDS", 0.1)
    assert talk_with(Silent([dies])).call({})[0].reason == "timeout"


def test_inspection():
    assert talk_with(ScriptedStream([answer()])).inspect().error
    assert "it died" in talk_with(ScriptedStream([dies])).inspect().error


def test_a_runner_that_does_not_start():
    class Mute(ScriptedStream):
        errors = b"no such file"

        def _read(self, seconds):
            raise Broken("crashed", "it died")

    stream = Mute([])
    with pytest.raises(SandboxError, match="no such file"):
        talk_with(stream).call({})
    assert stream.ended == 1


@pytest.mark.parametrize("inputs", [{"a": float("nan")}, {"a": object()}, {"a": b""}])
def test_inputs_that_are_not_json(inputs):
    assert talk_with().call(inputs)[0].status == "input_error"


async def test_cancelling_waits_for_the_cleaning_up():
    steps = []

    def work(stop):
        try:
            stop.wait(10)
            session.check(stop)
        finally:
            steps.append("cleaned up")

    task = asyncio.create_task(in_thread(work))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["cleaned up"]


def test_stop_ends_a_wait():
    stream = ScriptedStream([])
    stream.stop.set()
    with pytest.raises(Stopped):
        stream.send(b"data", 10)

"""Workers that wait for the next call of their tool."""

from __future__ import annotations

import contextlib
import threading

import pytest
from tool_files import DOUBLE

from yunjue.protocols import SandboxJob, SandboxLimits
from yunjue.sandbox.process import ProcessSandbox
from yunjue.sandbox.warm import Ground, Idle, Worker, kind

JOB = SandboxJob("source", warm=True)


class Tracked:
    """A worker whose ground notes that it was left."""

    def __init__(self, kind="one"):
        self.left = 0
        self.worker = Worker(kind, self.ground(), start=None)

    @contextlib.contextmanager
    def ground(self):
        yield Ground(JOB, None, None, threading.Event())
        self.left += 1


def test_a_worker_is_taken_once():
    idle, one = Idle(), Tracked()
    idle.keep(one.worker)
    assert idle.take("other") is None
    assert idle.take("one") is one.worker
    assert idle.take("one") is None
    assert one.left == 0


def test_the_one_that_waited_longest_is_ended():
    idle, tracked = Idle(most=2), [Tracked(str(n)) for n in range(3)]
    for one in tracked:
        idle.keep(one.worker)
    assert [one.left for one in tracked] == [1, 0, 0]
    idle.end()
    assert [one.left for one in tracked] == [1, 1, 1]
    assert idle.take("2") is None


def test_jobs_of_a_kind_differ_in_their_calls_alone(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("a")
    job = SandboxJob("source", [{"x": 1}], files={"table.csv": file})
    assert kind(job) == kind(SandboxJob("source", [{"x": 2}], files={"table.csv": file}))
    others = [
        SandboxJob("source 2", files=job.files),
        SandboxJob("source", requirements=["numpy"], files=job.files),
        SandboxJob("source", files=job.files, limits=SandboxLimits(seconds=1)),
        SandboxJob("source"),
        SandboxJob("source", files={"other.csv": file}),
        SandboxJob("source", files={"table.csv": tmp_path / "gone.csv"}),
    ]
    assert len({kind(one) for one in [job, *others]}) == 7
    before = kind(job)
    file.write_text("ab")
    assert kind(job) != before


@pytest.mark.usefixtures("shared_base")
async def test_warm_calls_share_a_runner_and_fresh_ones_do_not(monkeypatch):
    started = []
    sandbox = ProcessSandbox(allow_unsafe=True)
    start = sandbox._start
    monkeypatch.setattr(
        sandbox, "_start", lambda ground: started.append(ground) or start(ground), raising=True
    )
    for number in range(3):
        job = SandboxJob(DOUBLE, [{"value": number}], warm=True)
        [outcome] = await sandbox.call(job)
        assert outcome.output == {"result": number * 2}
    assert len(started) == 1
    await sandbox.call(SandboxJob(DOUBLE, [{"value": 1}]))
    assert len(started) == 2
    await sandbox.close()
    await sandbox.call(SandboxJob(DOUBLE, [{"value": 1}], warm=True))
    assert len(started) == 3
    await sandbox.close()


@pytest.mark.usefixtures("shared_base")
async def test_a_worker_that_was_killed_while_it_waited_is_replaced():
    sandbox = ProcessSandbox(allow_unsafe=True)
    job = SandboxJob(DOUBLE, [{"value": 2}], warm=True)
    await sandbox.call(job)
    worker = sandbox._idle.take(kind(job))
    worker.talk._session.stream._process.kill()
    sandbox._idle.keep(worker)
    [outcome] = await sandbox.call(job)
    assert outcome.output == {"result": 4}
    await sandbox.close()


@pytest.mark.usefixtures("shared_base")
async def test_a_file_that_changes_while_the_call_runs_makes_another_kind(monkeypatch, tmp_path):
    """What a worker can serve is what it was started with, not what there is when it ends."""
    file = tmp_path / "table.csv"
    file.write_text("a")
    sandbox = ProcessSandbox(allow_unsafe=True)
    job = SandboxJob(DOUBLE, [{"value": 2}], files={"table.csv": file}, warm=True)
    before, start = kind(job), sandbox._start

    def change(ground):
        file.write_text("changed")
        return start(Ground(ground.job, ground.deps, None, ground.stop))

    monkeypatch.setattr(sandbox, "_start", change)
    await sandbox.call(job)
    assert sandbox._idle.take(kind(job)) is None
    worker = sandbox._idle.take(before)
    assert worker is not None
    worker.end()
    await sandbox.close()

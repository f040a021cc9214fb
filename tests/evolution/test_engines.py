"""The same jobs come to the same on every engine, also when workers die."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import engine_story
import pytest

from yunjue.errors import EngineError, SandboxUnavailable, UsageError
from yunjue.evolution.engine import Context
from yunjue.evolution.evolve import ASKED
from yunjue.evolution.folder import Folder
from yunjue.evolution.processes import ProcessEngine
from yunjue.evolution.ray_engine import MOST_INPUT_BYTES, RayEngine, _inside, _sent
from yunjue.evolution.task_run import Job
from yunjue.library.open import open_library
from yunjue.models.selection import choose_models
from yunjue.plugins import plugins
from yunjue.sandbox.select import open_sandbox
from yunjue.traces.trace import TRACE_FILE, read_trace

pytestmark = pytest.mark.usefixtures("shared_base")

OTHERS = ["processes", pytest.param("ray", marks=pytest.mark.integration)]


@asynccontextmanager
async def engine_of(name, settings, see=lambda event: None):
    """The engine, with what the driver has."""
    sandbox = await open_sandbox(settings, lambda message: None)
    models = await choose_models(settings, warn=lambda message: None, roles=ASKED)
    library = open_library(settings, lambda message: None)
    engine = plugins().choose("engines", name, Context(settings, models, sandbox, library, see))
    try:
        yield engine
    finally:
        await engine.close()
        library.close()
        await sandbox.close()


def jobs_of(tasks: list[str], folder: Path) -> list[Job]:
    return [
        Job(f"e-1.{index:05d}", index, task, {}, folder / f"{index:05d}")
        for index, task in enumerate(tasks)
    ]


async def run(name, settings, jobs, *, opening=None, see=lambda event: None):
    """index -> what the job came to, as it can be compared."""
    outcomes = []
    async with engine_of(name, opening or settings, see) as engine:
        await engine.run(jobs, settings, outcomes.append)
    assert Counter(one.index for one in outcomes) == Counter(job.index for job in jobs)
    return {one.index: engine_story.told(one) for one in outcomes}


def asked_of_models(folder: Path) -> list[str]:
    return [
        event.data["key"]
        for event in read_trace(folder / TRACE_FILE)
        if event.kind == "effect" and event.data["effect"] == "model"
    ]


def lines(folder: Path) -> int:
    with suppress(FileNotFoundError):
        return (folder / TRACE_FILE).read_bytes().count(b"\n")
    return 0


TASKS = [family.sentence("cedar") for family in engine_story.FAMILIES]


@pytest.mark.parametrize("name", OTHERS)
async def test_the_same_jobs_come_to_the_same(tmp_path, name):
    settings = engine_story.stream_settings(tmp_path)
    tasks = [*TASKS[:2], engine_story.UNKNOWN]
    events = []
    here = await run("local", settings, jobs_of(tasks, tmp_path / "local"))
    there = await run(name, settings, jobs_of(tasks, tmp_path / name), see=events.append)
    assert there == here
    assert (here[0]["answer"], here[1]["answer"]) == ("radec", "2")
    assert here[2]["status"] == "failed" and "No rule of the script" in here[2]["error"]
    assert [one[0]["name"] for one in here[0]["harvest"]["made"]] == ["reverse_text"]
    for index in (0, 1):
        asked = [asked_of_models(tmp_path / engine / f"{index:05d}") for engine in ("local", name)]
        assert sorted(asked[0]) == sorted(asked[1]) != []
    if name == "processes":
        assert Counter(event.kind for event in events)["tool.admitted"] == 2


@pytest.mark.parametrize("name", OTHERS)
async def test_workers_read_the_library_and_what_batches_added(tmp_path, name):
    settings = engine_story.stream_settings(tmp_path)
    outcomes = []
    async with engine_of(name, settings) as engine:
        await engine.run(jobs_of(TASKS[:1], tmp_path / "first"), settings, outcomes.append)
        (tool, verdict) = outcomes[0].harvest.made[0]
        library = open_library(settings, print)
        library.add(tool, verdict)
        library.close()
        again = [engine_story.FAMILIES[0].sentence("amber")]
        await engine.run(jobs_of(again, tmp_path / "second"), settings, outcomes.append)
    assert outcomes[1].answer == "rebma"
    assert outcomes[1].harvest.made == []
    assert [call.tool_id for call in outcomes[1].harvest.calls] == [tool.id]


@pytest.mark.parametrize("name", OTHERS)
async def test_what_no_worker_can_do_stops_the_batch_with_its_class(tmp_path, name):
    settings = engine_story.stream_settings(tmp_path)
    unsafe = settings.model_copy(update={"allow_unsafe": False})
    library = open_library(unsafe, print)
    context = Context(unsafe, {}, None, library, lambda event: None)
    engine = plugins().choose("engines", name, context)
    with pytest.raises(SandboxUnavailable, match="does not isolate"):
        await engine.run(jobs_of(TASKS, tmp_path / name), settings, pytest.fail)
    await engine.close()
    await engine.close()
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("name", OTHERS)
async def test_a_job_that_was_begun_before_asks_nothing_twice(tmp_path, name):
    settings = engine_story.stream_settings(tmp_path)
    folder = tmp_path / "jobs"
    first = await run("local", settings, jobs_of(TASKS[:1], folder))
    trace = folder / "00000" / TRACE_FILE
    asked = asked_of_models(trace.parent)
    whole = trace.read_bytes().splitlines(keepends=True)
    trace.write_bytes(b"".join(whole[:-8]) + whole[-8][:20])
    assert await run(name, settings, jobs_of(TASKS[:1], folder)) == first
    assert sorted(asked_of_models(trace.parent)) == sorted(asked)


# ---- workers that die --------------------------------------------------------------------


def children() -> list[int]:
    return [child.pid for child in multiprocessing.active_children()]


async def test_a_worker_that_is_killed_is_replaced_and_its_job_goes_on(tmp_path):
    quick = engine_story.stream_settings(tmp_path)
    expected = await run("local", quick, jobs_of(TASKS[:2], tmp_path / "local"))
    slow = engine_story.stream_settings(tmp_path, delay=0.15)
    jobs = jobs_of(TASKS[:2], tmp_path / "killed")
    killed = []

    def kill_one():
        until(lambda: lines(jobs[0].folder) >= 5, "a job has begun")
        killed.extend(children()[:1])
        os.kill(killed[0], signal.SIGKILL)

    killer = asyncio.create_task(asyncio.to_thread(kill_one))
    assert await run("processes", slow, jobs) == expected
    await killer
    assert len(killed) == 1
    for job in jobs:
        keys = asked_of_models(job.folder)
        assert len(keys) == len(set(keys)), "a finished model call was made again"
    assert children() == []


@asynccontextmanager
async def killing(when):
    """Kills every worker as soon as ``when`` holds; yields the set of those it killed."""
    stop, killed = threading.Event(), set()

    def kill():
        while not stop.wait(0.01):
            for pid in children() if when() else []:
                killed.add(pid)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        stop.set()
        killer.join()


async def test_a_job_that_kills_its_workers_fails_and_the_others_do_not(tmp_path):
    settings = engine_story.stream_settings(tmp_path, delay=0.3)
    outcomes, asked = [], []
    doomed, other = jobs_of(TASKS[:2], tmp_path / "jobs")

    def goes_on():  # one more line in its trace than when it was last killed
        if lines(doomed.folder) <= sum(asked):
            return False
        asked.append(lines(doomed.folder) - sum(asked))
        return True

    async with engine_of("processes", settings) as engine:
        async with killing(goes_on) as killed:
            await engine.run([doomed], settings, outcomes.append)
        await engine.run([other], settings, outcomes.append)
    assert (outcomes[0].status, len(killed)) == ("failed", 3)
    assert outcomes[0].error == "The worker process died 3 times while it ran this task: Killed."
    assert outcomes[1].status == "solved"


async def test_workers_that_cannot_start_stop_the_batch(tmp_path):
    settings = engine_story.stream_settings(tmp_path)
    jobs = jobs_of(TASKS[:1], tmp_path / "jobs")
    async with engine_of("processes", settings) as engine, killing(lambda: True) as killed:
        with pytest.raises(EngineError, match="before they have started: Killed"):
            await engine.run(jobs, settings, pytest.fail)
    assert len(killed) == 3
    assert not jobs[0].folder.exists()


async def test_a_batch_that_is_cancelled_leaves_no_worker(tmp_path):
    settings = engine_story.stream_settings(tmp_path, delay=30.0)
    async with engine_of("processes", settings) as engine:
        jobs = jobs_of(TASKS[:2], tmp_path / "jobs")
        batch = asyncio.create_task(engine.run(jobs, settings, pytest.fail))
        begun = lambda: any(lines(job.folder) for job in jobs)  # noqa: E731
        await asyncio.to_thread(until, begun, "a job has begun")
        batch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await batch
    assert children() == []


async def test_workers_are_no_more_than_asked_for(tmp_path):
    settings = engine_story.stream_settings(tmp_path)
    outcomes, most = [], 0
    library = open_library(settings, print)
    engine = ProcessEngine(Context(settings, {}, None, library, lambda event: None), most=1)

    def done(outcome):
        nonlocal most
        outcomes.append(outcome)
        most = max(most, len(children()))

    await engine.run(jobs_of([engine_story.UNKNOWN] * 3, tmp_path / "jobs"), settings, done)
    assert (len(outcomes), most) == (3, 1)
    await engine.close()
    assert children() == []


def of_home(home: Path) -> list[int]:
    """Processes with this home in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and str(home).encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda one: one.name)
def test_a_driver_that_ends_takes_its_workers_with_it(tmp_path, own_home, number, name):
    settings = engine_story.stream_settings(tmp_path, delay=0.5)
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text("".join(json.dumps({"task": task}) + "\n" for task in TASKS[:2]))
    command = [sys.executable, "-m", "yunjue", "evolve", str(tasks), "--engine", name]
    command += ["--model", settings.model, "--sandbox", "process", "--allow-unsafe"]
    environment = {**os.environ, "YUNJUE_EMBEDDER": "hash", "YUNJUE_HOME": str(own_home)}
    driver = subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background job ignores SIGINT, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    if name == "ray":
        until(lambda: titled("ray::run_task", own_home), "a worker has begun")
    else:
        folder = await_folder(own_home)
        until(lambda: lines(folder.task(0)) > 3 and len(of_home(own_home)) > 1, "a job has begun")
    if number == signal.SIGINT:
        os.killpg(driver.pid, number)  # as a terminal does: all of the group
    else:
        driver.kill()
    told = driver.communicate(timeout=60)[1]
    # A worker of Ray's that still starts notices only after a while that Ray is gone.
    until(lambda: of_home(own_home) == [], "nothing is left behind", seconds=150.0)
    if number == signal.SIGINT:
        assert driver.returncode == 130
        assert "yunjue evolve resume" in told and "Traceback" not in told


def titled(title: str, home: Path) -> list[int]:
    """Those that call themselves so."""
    return [pid for pid in of_home(home) if title in Path(f"/proc/{pid}/cmdline").read_text()]


def await_folder(home: Path) -> Folder:
    until(lambda: list(home.glob("evolutions/*/journal.jsonl")), "the evolution has begun")
    return Folder(next(home.glob("evolutions/*")))


def until(true, what: str, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.05)


# ---- what Ray is not needed for ----------------------------------------------------------


def test_without_ray_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    context = Context(engine_story.stream_settings(tmp_path), {}, None, None, print)
    with pytest.raises(UsageError, match="not installed") as caught:
        plugins().choose("engines", "ray", context)
    assert 'pip install "yunjue[ray]"' in caught.value.hint


def test_files_of_a_job_are_sent_up_to_a_bound(tmp_path):
    data = tmp_path / "data.bin"
    data.write_bytes(b"x" * MOST_INPUT_BYTES)
    job = Job("e-1", 0, "t", {"data.bin": str(data)}, tmp_path / "job")
    assert {name: len(text) for name, text in _sent(job).items()} == {"inputs/0": MOST_INPUT_BYTES}
    data.write_bytes(b"x" * (MOST_INPUT_BYTES + 1))
    with pytest.raises(Exception, match="sends at most"):
        _sent(job)
    data.unlink()
    with pytest.raises(Exception, match=r"data\.bin cannot be read"):
        _sent(job)


@pytest.mark.parametrize("name", ["../x", "/x", "outputs/../../x", ""])
def test_a_file_that_a_worker_sends_stays_in_the_folder(tmp_path, name):
    with pytest.raises(Exception, match="A worker sent a file"):
        _inside(tmp_path, name)


def test_ray_client_is_refused(tmp_path):
    pytest.importorskip("ray")
    settings = engine_story.stream_settings(tmp_path)
    with pytest.raises(UsageError, match="Ray Client"):
        RayEngine(Context(settings, {}, None, None, print, "ray://host:10001"))


async def test_a_job_whose_files_cannot_be_sent_fails_alone(tmp_path):
    pytest.importorskip("ray")
    settings = engine_story.stream_settings(tmp_path)
    engine = RayEngine(Context(settings, {}, None, None, print, "auto"))
    job = Job("e-1.00007", 7, "t", {"a.txt": str(tmp_path / "a.txt")}, tmp_path / "job")
    outcome = await engine._outcome(job, settings)
    assert (outcome.index, outcome.status) == (7, "failed")
    assert outcome.error.endswith("a.txt cannot be read: No such file or directory.")
    await engine.close()


def test_only_a_death_of_workers_is_blamed_on_the_job(tmp_path):
    exceptions = pytest.importorskip("ray.exceptions")
    settings = engine_story.stream_settings(tmp_path)
    engine = RayEngine(Context(settings, {}, None, None, print, "auto"))
    job = Job("e-1.00001", 0, "t", {}, tmp_path / "job")
    outcome = engine._broken(job, exceptions.WorkerCrashedError())
    assert outcome.error == (
        "The worker process died 3 times while it ran this task: WorkerCrashedError."
    )
    missing = exceptions.RayTaskError("run_task", "trace", ModuleNotFoundError("No module yunjue"))
    for error in (missing, exceptions.RaySystemError("gone")):
        with pytest.raises(EngineError, match=r"Ray has failed: .*(No module yunjue|gone)"):
            engine._broken(job, error)

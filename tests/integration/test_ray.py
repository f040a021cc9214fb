"""Evolutions on a Ray cluster of two nodes, of which parts die: the end state is the same.

The workers' home is not the driver's, so that nothing is shared by accident.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from yunjue.errors import EngineError
from yunjue.evolution.evolve import Evolution, Options, begin
from yunjue.evolution.replay import MEASURED
from yunjue.library.open import open_library

sys.path.append(str(Path(__file__).parents[1] / "evolution"))

import engine_story

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("shared_base")]

TASKS = 6
KILLS = int(os.environ.get("YUNJUE_RAY_KILLS", "3"))
"""Workers to kill, each in an evolution of its own: about 10 s each."""


@pytest.fixture(scope="module")
def workers_home(tmp_path_factory, bases):
    home = tmp_path_factory.mktemp("workers")
    (home / "cache").mkdir()
    (home / "cache" / "bases").symlink_to(bases)
    return home


@pytest.fixture(scope="module")
def cluster(workers_home):
    """Two nodes of this machine with a processor each; the driver's is the first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YUNJUE_HOME", str(workers_home))
        patch.setenv("YUNJUE_LOAD_PLUGINS", "")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # or other work on this machine starves them
        cluster_utils = pytest.importorskip("ray.cluster_utils")
        node = {"num_cpus": 1, "object_store_memory": 100 << 20, "include_dashboard": False}
        cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=node)
        cluster.add_node(num_cpus=1, object_store_memory=100 << 20)
        cluster.wait_for_nodes()
        yield cluster
        cluster.shutdown()


def evolve(tmp_path, name, engine, delay=0.0, address=""):
    """A new evolution of six tasks with a library of its own, not yet begun."""
    settings = engine_story.stream_settings(tmp_path, delay, library=tmp_path / name)
    options = Options(batch_size=3, engine=engine, address=address)
    return Evolution(begin(engine_story.stream(TASKS), settings, options)), settings


def state(evolution, settings):
    """All that equal evolutions have in common at their end."""
    library = open_library(settings, print)
    tools = {tool.name: (tool.id, library.stats(tool.id)["calls"]) for tool in library.active()}
    assert library.check() == []
    library.close()
    past = evolution.history()
    assert len(past.tasks) == TASKS and len(past.steps) == 2
    records = [json.loads(json.dumps(one.to_dict())) for one in (*past.tasks, *past.steps)]
    records.sort(key=lambda record: (record.get("index", -1), record["step"]))
    return tools, [{k: v for k, v in one.items() if k not in MEASURED} for one in records]


LOCAL = []
"""The end state of the local engine, made once."""


@pytest.fixture
async def expected(tmp_path):
    if not LOCAL:
        evolution, settings = evolve(tmp_path, "local", "local")
        await evolution.go_on()
        LOCAL.append(state(evolution, settings))
    tools, records = LOCAL[0]
    assert set(tools) == {"reverse_text", "count_vowels", "upper_case"}
    assert all(record["right"] for record in records if record.get("index") is not None)
    return tools, records


def processes(title: str, home: Path) -> list[int]:
    """Ray's processes with this title, of the cluster with this home."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if (
                entry.name.isdigit()
                and (entry / "cmdline").read_bytes().startswith(title.encode())
                and str(home).encode() in (entry / "environ").read_bytes()
            ):
                found.append(int(entry.name))
    return found


def when(true, act, seconds=120.0):
    """Do ``act`` in a thread as soon as ``true`` holds."""

    def wait():
        end = time.monotonic() + seconds
        while not (found := true()):
            if time.monotonic() > end:
                return
            time.sleep(0.02)
        act(found)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


async def test_on_two_nodes_an_evolution_ends_as_it_does_here(tmp_path, cluster, expected):
    evolution, settings = evolve(tmp_path, "ray", "ray", address=cluster.address)
    await evolution.go_on()
    assert state(evolution, settings) == expected
    for index in range(TASKS):
        assert (evolution.folder.task(index) / "trace.jsonl").stat().st_size > 0


@pytest.mark.timeout(1800)
async def test_a_worker_killed_at_any_moment_changes_nothing(
    tmp_path, cluster, workers_home, expected
):
    chance = random.Random(20260118)
    killed = []

    def kill(pids):
        time.sleep(chance.uniform(0.0, 2.0))
        victim = chance.choice(processes("ray::run_task", workers_home) or pids)
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

    for number in range(KILLS):
        name = f"ray{number}"
        evolution, settings = evolve(tmp_path, name, "ray", delay=0.15, address=cluster.address)
        killer = when(lambda: processes("ray::run_task", workers_home), kill)
        await evolution.go_on()
        killer.join()
        assert len(killed) == number + 1
        assert state(evolution, settings) == expected


async def test_a_node_that_dies_changes_nothing(tmp_path, cluster, workers_home, expected):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YUNJUE_HOME", str(workers_home))
        node = cluster.add_node(num_cpus=1, object_store_memory=100 << 20)
    evolution, settings = evolve(tmp_path, "ray", "ray", delay=0.15, address=cluster.address)
    died = []

    def kill(_):
        time.sleep(1.5)
        cluster.remove_node(node, allow_graceful=False)
        died.append(node)

    killer = when(lambda: len(processes("ray::run_task", workers_home)) == 3, kill)
    await evolution.go_on()
    await asyncio.to_thread(killer.join)
    assert died
    assert state(evolution, settings) == expected


async def test_without_the_owner_the_batch_stops_and_can_be_resumed(
    tmp_path, cluster, workers_home, expected
):
    evolution, settings = evolve(tmp_path, "ray", "ray", delay=0.15, address=cluster.address)
    killer = when(
        lambda: processes("ray::run_task", workers_home) and processes("ray::Owner", workers_home),
        lambda pids: os.kill(pids[0], signal.SIGKILL),
    )
    with pytest.raises(EngineError, match="owns the library") as caught:
        await evolution.go_on()
    killer.join()
    assert "yunjue evolve resume" in caught.value.hint
    again = Evolution(evolution.folder, None, {"engine": "local"})
    await again.go_on()
    assert state(again, settings) == expected

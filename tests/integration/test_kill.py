"""SIGKILL at 50 random moments of a solve: resume ends right and the library is whole."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import story

from yunjue.config import load_settings
from yunjue.library.open import open_library
from yunjue.traces.trace import read_trace

KILLS = 50
AT_ONCE = 2
YUNJUE = (sys.executable, "-m", "yunjue")


@pytest.fixture
def environment(tmp_path, home, bubblewrap_sandbox):
    model = story.write_script(tmp_path / "script.json", delay=0.05)
    return {
        **os.environ,
        "YUNJUE_HOME": str(home),
        "YUNJUE_MODEL": model,
        "YUNJUE_SANDBOX": "bubblewrap",
        "YUNJUE_EMBEDDER": "hash",
    }


@pytest.mark.integration
@pytest.mark.timeout(1800)
def test_killed_at_any_moment_a_run_resumes_to_the_right_answer(tmp_path, home, environment):
    started = time.monotonic()
    assert solve(tmp_path / "undisturbed", environment).returncode == 0
    whole = time.monotonic() - started
    chance = random.Random(20260118)
    moments = [chance.uniform(0.0, whole * 1.1) for _ in range(KILLS)]

    def trial(number: int) -> str:
        return kill_and_resume(tmp_path / f"library{number}", moments[number], environment, home)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(trial, range(KILLS)))
    print({end: ends.count(end) for end in sorted(set(ends))})
    assert ends.count("resumed") >= KILLS // 4, "the kills must have hit the runs themselves"


def solve(library: Path, environment: dict[str, str]) -> subprocess.CompletedProcess:
    command = [*YUNJUE, "solve", story.TASK, "--library", str(library)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def kill_and_resume(library: Path, moment: float, environment: dict[str, str], home: Path) -> str:
    """Kill one solve after ``moment`` seconds, bring it to its end, and check everything."""
    stderr = library.with_suffix(".stderr")
    with stderr.open("w") as file:
        process = subprocess.Popen(
            [*YUNJUE, "solve", story.TASK, "--library", str(library)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=file,
            start_new_session=True,
        )
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    found = re.search(r"run +(\S+)  model", stderr.read_text())
    if found is None:  # killed before the run began: nothing to resume, nothing half-made
        assert solve(library, environment).returncode == 0
        end = "not begun"
    elif json_of(environment, "runs", "show", found[1])["status"] == "solved":
        end = "finished"
    else:
        command = [*YUNJUE, "resume", found[1], "--json", "--quiet"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, (moment, done.stderr)
        document = json.loads(done.stdout)
        assert (document["status"], document["answer"]) == ("solved", "radec"), document
        assert document["new_tools"] == ["reverse_text"]
        nothing_twice(home / "runs" / found[1] / "trace.jsonl")
        end = "resumed"
    library_is_whole(library)
    return end


def nothing_twice(trace: Path) -> None:
    events = read_trace(trace)
    keys = [
        event.data["key"]
        for event in events
        if event.kind == "effect" and event.data["effect"] == "model"
    ]
    assert len(keys) == len(set(keys)), "a finished model call was made again"
    for kind in ("tool.called", "tool.admitted", "run.answered"):
        assert sum(event.kind == kind for event in events) == 1, kind


def library_is_whole(folder: Path) -> None:
    library = open_library(load_settings(library=folder, embedder="hash"), print)
    try:
        assert library.check() == []
        tool = library.get("reverse_text")
        assert library.stats(tool.id)["calls"] == 1
        assert [found.tool.name for found in library.search("reverse", 3)] == ["reverse_text"]
    finally:
        library.close()


def json_of(environment: dict[str, str], *command: str) -> dict:
    done = subprocess.run(
        [*YUNJUE, *command, "--json"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

"""An evolution that is killed with SIGKILL at random moments ends as if it had not been."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from stream_story import script, stream, write_stream

from yunjue.library.library import Library
from yunjue.store.embedders.hashing import HashEmbedder

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

KILLS = 30
TASKS = 6
TESTS = Path(__file__).parent.parent
DRIVER = """
import sys
sys.path.insert(0, {tests!r})
from yunjue.testing.direct import DirectPlugin
from yunjue.plugins import plugins
plugins().manager.register(DirectPlugin())
from yunjue.cli.main import main
main()
"""


class Killed:
    """One home in which an evolution runs, is killed, and goes on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._driver = folder / "driver.py"
        self._driver.write_text(DRIVER.format(tests=str(TESTS)))
        self._tasks = write_stream(folder / "tasks.jsonl", stream(TASKS))
        self._environment = {
            **os.environ,
            "YUNJUE_HOME": str(folder / "home"),
            "YUNJUE_MODEL": script(folder / "stream.json", delay=0.02),
            "YUNJUE_SANDBOX": "direct",
            "YUNJUE_EMBEDDER": "hash",
            "YUNJUE_MIN_SIMILARITY": "-1",
        }

    def run(self, seconds: float | None = None) -> bool:
        """Start or go on; after ``seconds`` it is killed. Whether it ended by itself."""
        begun = list(self.folder.glob("home/evolutions/*/journal.jsonl"))
        arguments = ["resume"] if begun else [str(self._tasks), "-b", "2"]
        process = subprocess.Popen(
            [sys.executable, str(self._driver), "evolve", *arguments],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return False
        assert process.returncode == 0, errors
        return True

    def state(self) -> dict[str, Any]:
        """Library and records, without ids of runs and what was measured."""
        library = Library(self.folder / "home" / "library", HashEmbedder, print)
        try:
            tools = {
                tool.name: (tool.id, library.stats(tool.id)["calls"]) for tool in library.active()
            }
        finally:
            library.close()
        (journal,) = self.folder.glob("home/evolutions/*/journal.jsonl")
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
        records = [
            {name: value for name, value in line["data"].items() if name != "seconds"}
            for line in lines
            if line["kind"] in ("task", "step")
        ]
        return {
            "tools": tools,
            "tasks": sorted((one for one in records if "task" in one), key=lambda r: r["index"]),
            "steps": [one for one in records if "size" in one],
        }


def test_killed_at_random_moments_it_ends_as_if_undisturbed(tmp_path):
    undisturbed = Killed(tmp_path / "undisturbed")
    assert undisturbed.run()
    expected = undisturbed.state()
    assert len(expected["tasks"]) == TASKS and len(expected["tools"]) == 3
    chance = random.Random(20261124)
    killed, ended = 0, 0
    current = Killed(tmp_path / "0")
    while killed < KILLS or not ended:
        if current.run(chance.uniform(0.8, 6.0) if killed < KILLS else None):
            assert current.state() == expected
            ended += 1
            current = Killed(tmp_path / str(ended))
        else:
            killed += 1

"""Several processes add, repair, retire, restore, call, search and reindex one library at once."""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "library"))

from tool_samples import a_tool, a_verdict, open_library

from yunjue.errors import LibraryError, NameTaken, UnknownToolError
from yunjue.store.embedders.hashing import HashEmbedder
from yunjue.store.index import VectorIndex
from yunjue.store.truth import Truth
from yunjue.types import CallOutcome

STEPS = 60
"""Of each writer, or as many as it comes to in the time."""

SECONDS = 90.0
WRITERS = 4
NAMES = [f"tool_{number}" for number in range(6)]


class Writer:
    """Does random things for a while and remembers what it was told is safe."""

    def __init__(self, folder: Path, number: int) -> None:
        self.chance = random.Random(number)
        self.number = number
        self.warnings: list[str] = []
        self.library = open_library(folder, self.warnings)
        self.made = self.called = 0
        self.safe: list[str] = []
        self.calls: dict[str, int] = {}

    def work(self) -> dict:
        done: dict[str, int] = {}
        ends = time.monotonic() + SECONDS
        while sum(done.values()) < STEPS and time.monotonic() < ends:
            what = self.chance.choice(
                ["add", "add", "replace", "retire", "restore", "call", "call", "search", "reindex"]
            )
            if what == "reindex" and self.chance.random() < 0.8:
                continue
            getattr(self, what)(self.chance.choice(NAMES))
            done[what] = done.get(what, 0) + 1
        self.library.close()
        return {
            "done": done,
            "safe": self.safe,
            "calls": self.calls,
            "warnings": self.warnings,
        }

    def version(self, name: str):
        self.made += 1
        return a_tool(name, f"Does {name}, version {self.number} {self.made}")

    def add(self, name: str) -> None:
        tool = self.version(name)
        try:
            self.library.add(tool, a_verdict(tool))
            self.safe.append(tool.id)
        except NameTaken:
            pass

    def replace(self, name: str) -> None:
        old = self.library.find(name)
        if old is None:
            return
        tool = self.version(name)
        try:
            self.library.replace(old.id, tool, a_verdict(tool), "repaired")
            self.safe.append(tool.id)
        except LibraryError as error:
            assert "in use any more" in error.message  # another was faster

    def retire(self, name: str) -> None:
        if tool := self.library.find(name):
            self.library.retire(tool.id, "not needed")

    def restore(self, name: str) -> None:
        if versions := versions_of(self.library, name):
            self.library.restore(self.chance.choice(versions)["id"], "again", replace=True)

    def call(self, name: str) -> None:
        if tool := self.library.find(name):
            status = self.chance.choice(["ok", "ok", "failed", "input_error"])
            self.called += 1
            key = f"{self.number}-{self.called}"
            self.library.record_call(key, "1", tool.id, CallOutcome(status=status), {"n": key})
            self.calls[tool.id] = self.calls.get(tool.id, 0) + 1

    def search(self, name: str) -> None:
        for found in self.library.search(f"does {name}", 3):
            assert found.tool.name in NAMES

    def reindex(self, name: str) -> None:
        self.library.reindex()


def versions_of(library, name: str) -> list[dict]:
    try:
        return library.versions(name)
    except UnknownToolError:
        return []


def write(folder: Path, number: int, answers) -> None:
    try:
        answers.put(Writer(folder, number).work())
    except BaseException as error:
        answers.put({"error": f"{type(error).__name__}: {error}"})
        raise


@pytest.mark.integration
def test_many_writers_lose_nothing(tmp_path):
    folder = tmp_path / "library"
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    children = [
        context.Process(target=write, args=(folder, number, answers)) for number in range(WRITERS)
    ]
    for child in children:
        child.start()
    told = [answers.get(timeout=280) for _ in children]
    for child in children:
        child.join(60)
    assert [one["error"] for one in told if "error" in one] == []
    assert [child.exitcode for child in children] == [0] * WRITERS
    assert [line for one in told for line in one["warnings"] if "damaged" in line] == []

    warnings: list[str] = []
    library = open_library(folder, warnings)
    safe = [tool_id for one in told for tool_id in one["safe"]]
    assert len(safe) > WRITERS and len(set(safe)) == len(safe)
    versions = {one["id"]: one for name in NAMES for one in versions_of(library, name)}
    assert set(versions) == set(safe)
    in_use = [one for one in versions.values() if one["status"] in ("active", "suspect")]
    names = [library.get_by_id(one["id"]).name for one in in_use]
    assert len(set(names)) == len(names) == library.count()

    for name in NAMES:
        status = {}
        events = library.history(name)
        for event in events:  # each step starts where the one before ended
            if event["what"] in ("added", "restored", "cleared"):
                assert status.get(event["id"], "retired") in ("retired", "suspect")
                status[event["id"]] = "active"
            else:
                assert status[event["id"]] in ("active", "suspect")
                status[event["id"]] = {"suspected": "suspect"}.get(event["what"], event["what"])
        assert status == {one["id"]: one["status"] for one in versions_of(library, name)}

    calls: dict[str, int] = {}
    for one in told:
        for tool_id, count in one["calls"].items():
            calls[tool_id] = calls.get(tool_id, 0) + count
    assert {one: library.stats(one)["calls"] for one in versions} == {
        one: calls.get(one, 0) for one in versions
    }

    found = {one.tool.id for one in library.search("does tool", 50)}
    assert found == {one["id"] for one in in_use}
    index = VectorIndex(folder / "index", HashEmbedder(), Truth(library._made()), warnings.append)
    assert index.ids() == found
    assert library.check() == []
    assert library.leftovers(1) == []  # no file without a tool
    assert warnings == []
    library.close()
    print({what: sum(one["done"].get(what, 0) for one in told) for what in told[0]["done"]})

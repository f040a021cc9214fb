"""Many processes, and processes that die."""

from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tool_samples import add_many, open_library

HERE = Path(__file__).parent


def test_two_processes_add_and_nothing_is_lost(tmp_path):
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=add_many, args=(tmp_path, name, 8)) for name in ("a", "b")]
    for child in children:
        child.start()
    for child in children:
        child.join(240)
        assert child.exitcode == 0
    warnings: list[str] = []
    library = open_library(tmp_path, warnings)
    names = {f"{prefix}_{number}" for prefix in "ab" for number in range(8)}
    assert {tool.name for tool in library.active()} == names
    assert {found.tool.name for found in library.search("does number", 100)} == names
    assert warnings == []
    assert library.check() == []


def test_a_searcher_sees_what_another_process_added(tmp_path):
    warnings: list[str] = []
    library = open_library(tmp_path, warnings)
    add_many(tmp_path, "first", 2)
    assert len(library.search("first", 10)) == 2
    script = f"from tool_samples import *; add_many(Path({str(tmp_path)!r}), 'second', 2)"
    subprocess.run([sys.executable, "-c", script], cwd=HERE, check=True, capture_output=True)
    assert len(library.search("second", 10)) == 4
    assert library.search("does second number 1", 1)[0].tool.name == "second_1"
    assert warnings == []


def killed_while_adding(folder: Path, prefix: str, chance: random.Random, indexed: bool) -> set:
    """Names that a child said were safe before it was killed at a random moment."""
    script = f"from tool_samples import *; add_many(Path({str(folder)!r}), {prefix!r}, 9999, "
    child = subprocess.Popen(
        [sys.executable, "-c", f"{script}{indexed})"], cwd=HERE, stdout=subprocess.PIPE, text=True
    )
    said = [child.stdout.readline() for _ in range(chance.randrange(1, 12))]
    time.sleep(chance.random() * 0.05)
    child.kill()
    said += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    return {line.strip() for line in said if line.endswith("\n")}


@pytest.mark.parametrize("indexed", [False, True])
def test_a_killed_writer_leaves_a_whole_library(tmp_path, indexed):
    chance = random.Random(7)
    safe: set[str] = set()
    for round_ in range(4):
        safe |= killed_while_adding(tmp_path, f"round{round_}", chance, indexed)
        library = open_library(tmp_path)
        active = library.active()
        assert safe <= {tool.name for tool in active}
        for tool in active:
            assert library.verdict(tool.id).admitted
            assert len(library.cases(tool.id)) == 2
        assert [line for line in library.check() if "index" not in line] == []
        assert len(library.search("does number", 9999)) == len(active)
        assert library.check() == []
        library.close()

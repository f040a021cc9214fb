"""Nothing goes that is of use, and nothing without being told to."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tool_samples import a_tool, a_verdict, no_embedder, open_library

from yunjue.errors import LibraryError
from yunjue.store import sweep
from yunjue.store.embedders.hashing import HashEmbedder
from yunjue.types import CallOutcome


@pytest.fixture
def library(tmp_path):
    library = open_library(tmp_path / "library")
    yield library
    library.close()


def version(library, number):
    tool = a_tool(description=f"Count words {number}", origin={"run": f"r{number}"})
    if holder := library.find("count_words"):
        library.retire(holder.id, "a newer one")
    return library.add(tool, a_verdict(tool))


def sweep_all(library, days=0.0):
    return {one.kind: library.delete(one, days) for one in library.leftovers(days)}


def test_nothing_in_nothing(library):
    assert library.leftovers(0) == []
    assert not library.directory.exists()


def test_a_retired_version_goes_and_its_lineage_stays(library):
    old, new = version(library, 1), version(library, 2)
    library.record_call("r1", "1", old.id, CallOutcome(status="ok", seconds=2.0), {})
    before = library.stats(old.id)
    assert library.leftovers(1) == []
    (found,) = library.leftovers(0)
    assert (found.kind, found.id, found.size > 0) == ("version", old.id, True)
    assert library.get_by_id(old.id) == old  # shown, not deleted
    path = library.directory / "code" / old.id[:2] / f"{old.id}.py"
    assert library.delete(found, 0) == found.size
    assert not path.exists()
    assert [one["status"] for one in library.versions("count_words")] == ["deleted", "active"]
    assert library.versions("count_words")[0]["origin"] == {"run": "r1"}
    assert library.history("count_words")[-1]["what"] == "deleted"
    assert library.stats(old.id) == before
    with pytest.raises(LibraryError, match="was deleted"):
        library.get_by_id(old.id)
    with pytest.raises(LibraryError, match="was deleted"):
        library.restore(old.id)
    assert library.leftovers(0) == []
    assert library.check() == []
    library.retire(new.id)
    assert library.add(old, a_verdict(old)) == old  # made again: it lives again
    assert library.get("count_words") == old
    assert library.check() == []


def test_what_came_into_use_meanwhile_is_spared(library):
    old, new = version(library, 1), version(library, 2)
    (found,) = library.leftovers(0)
    library.restore(old.id, replace=True)
    assert library.delete(found, 0) == 0
    assert library.get("count_words") == old
    assert library.get_by_id(new.id) == new


def test_files_of_no_tool(library):
    tool = version(library, 1)
    stray = library.directory / "code" / "ab" / f"{'ab' * 32}.py"
    stray.parent.mkdir(exist_ok=True)
    stray.write_text("nobody's")
    (stray.parent / ".x.tmp").write_text("a writer at work")
    (found,) = library.leftovers(0)
    assert (found.kind, found.size) == ("code", 8)
    library.delete(found, 0)
    assert not stray.exists() and library.get("count_words") == tool


def test_calls_beyond_the_newest(library, monkeypatch):
    monkeypatch.setattr(sweep, "KEPT_CALLS", 5)
    tool = version(library, 1)
    for number in range(12):
        status = ("ok", "failed", "input_error")[number % 3] if number < 6 else "ok"
        outcome = CallOutcome(status=status, seconds=0.5)
        library.record_call(f"r{number // 2}", str(number), tool.id, outcome, {"n": number})
    before, economy = library.stats(tool.id), library.economics()
    assert before["later_runs"] == 4  # r1 made it, r2 had no success
    (found,) = library.leftovers(0)
    assert (found.kind, found.name) == ("calls", "7 calls of count_words")
    library.delete(found, 0)
    assert library.stats(tool.id) == before
    assert library.economics() == economy
    assert library.leftovers(0) == []
    assert len(library.cases(tool.id)) == 2
    (left,) = library._database.rows("SELECT count(*) AS n FROM calls")
    assert left["n"] == 5


def test_quarantine_and_other_embedders(library):
    version(library, 1)
    library.search("words", 1)
    library.close()
    folder = library.directory / "quarantine" / "import-1"
    folder.mkdir(parents=True)
    (folder / "bundle.json").write_text("{}")
    other = open_library(library.directory, embedder=lambda: HashEmbedder(64))
    other.search("words", 1)
    kinds = {one.kind: one for one in other.leftovers(0)}
    assert set(kinds) == {"quarantine", "index"}
    assert [one.kind for one in other.leftovers(1)] == ["index"]
    assert sweep_all(other) == {"quarantine": 2, "index": 256 * 4}
    assert not folder.exists()
    assert other.leftovers(0) == []
    assert len(other.search("words", 1)) == 1
    other.close()


steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "retire", "restore", "call", "gc", "propose"]), st.integers(0, 4)
    ),
    max_size=25,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(steps)
def test_whatever_was_done_what_is_in_use_is_whole_and_nothing_is_forgotten(steps):
    tools = [a_tool(f"tool_{n % 3}", f"Version {n}") for n in range(5)]
    told: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        library = open_library(Path(folder) / "l", embedder=no_embedder)
        for number, (what, which) in enumerate(steps):
            tool = tools[which]
            try:
                if what == "add":
                    library.add(tool, a_verdict(tool))
                elif what == "propose":
                    library.propose(tool, [], "imported")
                elif what == "gc":
                    sweep_all(library)
                elif library.has(tool.id) and what == "retire":
                    library.retire(tool.id)
                elif library.has(tool.id) and what == "restore":
                    library.restore(tool.id, replace=True)
                elif library.has(tool.id):
                    library.record_call("run", str(number), tool.id, CallOutcome(status="ok"), {})
                    told[tool.id] = told.get(tool.id, 0) + 1
            except LibraryError:
                pass  # a name is taken, or a version is gone: refused whole
        assert library.check() == []
        active = library.active()
        assert len({tool.name for tool in active}) == len(active) == library.count()
        for tool in active:
            assert tool in tools and len(library.cases(tool.id)) >= 2
        for tool in tools:
            assert library.stats(tool.id)["calls"] == told.get(tool.id, 0)
            if library.has(tool.id):
                assert tool.id in {one["id"] for one in library.history(tool.name)}
        sweep_all(library)
        assert library.leftovers(0) == []
        assert library.active() == active
        library.close()

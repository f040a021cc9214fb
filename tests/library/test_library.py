"""What goes in comes out, and what was asked is found."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tool_samples import a_tool, a_verdict, no_embedder, open_library

from yunjue.errors import LibraryError, NameTaken, UnknownToolError
from yunjue.types import CallOutcome, Case


@pytest.fixture
def warnings():
    return []


@pytest.fixture
def library(tmp_path, warnings):
    library = open_library(tmp_path / "library", warnings)
    yield library
    library.close()


def add(library, *names, **changes):
    tools = [a_tool(name, f"Does {name.replace('_', ' ')}", **changes) for name in names]
    for tool in tools:
        library.add(tool, a_verdict(tool))
    return tools[0] if len(tools) == 1 else tools


def test_an_absent_library_is_empty_and_stays_absent(library):
    assert library.search("anything", 5) == []
    assert library.active() == []
    assert library.count() == 0
    assert library.find("x") is None
    assert library.verdict("x") is None
    assert library.cases("x") == []
    assert library.stats("x")["calls"] == 0
    assert library.check() == []
    assert library.reindex() == 0
    with pytest.raises(UnknownToolError):
        library.get("x")
    with pytest.raises(UnknownToolError):
        library.get_by_id("x")
    assert not library.directory.exists()


def test_an_empty_library_imports_no_chroma(tmp_path):
    code = (
        "import sys; from tool_samples import open_library; from pathlib import Path\n"
        f"library = open_library(Path({str(tmp_path / 'l')!r}))\n"
        "library.search('x', 3), library.active(), library.check()\n"
        "heavy = {'chromadb', 'onnxruntime', 'sqlite_utils', 'numpy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)


def test_added_tools_come_back_whole(library):
    tool = a_tool()
    verdict = a_verdict(tool)
    assert library.add(tool, verdict) == tool
    library.close()
    assert library.get("count_words") == tool
    assert library.get_by_id(tool.id) == tool
    assert library.find("count_words") == tool
    assert library.active() == [tool]
    assert library.verdict(tool.id) == verdict
    assert library.cases(tool.id) == verdict.cases
    assert library.check() == []


def test_adding_again_changes_nothing(library):
    tool = add(library, "count_words")
    library.add(tool, a_verdict(tool, sandbox="docker"))
    assert library.count() == 1
    assert library.verdict(tool.id).sandbox == "bubblewrap"
    assert len(library.cases(tool.id)) == 2


def test_a_name_is_taken(library):
    add(library, "count_words")
    other = a_tool("count_words", "Something else")
    with pytest.raises(NameTaken, match="count_words"):
        library.add(other, a_verdict(other))
    assert library.active()[0].description == "Does count words"
    assert library.verdict(other.id) is None


def test_a_retired_tool_frees_its_name_and_can_come_back(library):
    first = add(library, "count_words")
    library.retire(first.id)
    assert library.find("count_words") is None
    assert library.search("count words", 5) == []
    assert library.get_by_id(first.id) == first
    second = a_tool("count_words", "Counts words better")
    library.add(second, a_verdict(second))
    assert [found.tool.id for found in library.search("count words", 5)] == [second.id]
    with pytest.raises(NameTaken):
        library.add(first, a_verdict(first))
    library.retire(second.id)
    library.add(first, a_verdict(first, sandbox="docker"))
    assert library.get("count_words") == first
    assert library.verdict(first.id).sandbox == "docker"
    assert len(library.cases(first.id)) == 2
    with pytest.raises(UnknownToolError):
        library.retire("no such id")


def test_versions_and_what_became_of_them(library):
    first = add(library, "count_words")
    library.retire(first.id, "too slow")
    second = a_tool("count_words", "Counts words better")
    library.add(second, a_verdict(second))
    assert [(one["id"], one["status"]) for one in library.versions("count_words")] == [
        (first.id, "retired"),
        (second.id, "active"),
    ]
    assert library.versions("count_words")[0]["origin"] == {"run": "r1", "model": "scripted"}
    with pytest.raises(NameTaken):
        library.restore(first.id)
    assert library.restore(first.id, "the new one is wrong", replace=True) == first
    assert library.get("count_words") == first
    assert [found.tool.id for found in library.search("count words", 5)] == [first.id]
    library.restore(first.id)  # already in use: no news
    told = [(one["what"], one["id"], one["why"]) for one in library.history("count_words")]
    assert told == [
        ("added", first.id, ""),
        ("retired", first.id, "too slow"),
        ("added", second.id, ""),
        ("retired", second.id, "the new one is wrong"),
        ("restored", first.id, "the new one is wrong"),
    ]
    with pytest.raises(UnknownToolError, match="count_words"):
        library.versions("count_word")


def test_a_library_of_an_older_version_gets_its_history(library, tmp_path):
    tool = add(library, "count_words")
    library.close()
    import sqlite3

    old = sqlite3.connect(tmp_path / "library" / "library.db")
    old.executescript(
        "DROP TABLE history; DROP INDEX tools_by_name;"
        "DELETE FROM _sqlite_migrations WHERE name = 'm004_history';"
    )
    old.close()
    assert [(one["what"], one["id"]) for one in library.history("count_words")] == [
        ("added", tool.id)
    ]


def test_what_was_not_proven_is_refused(library):
    tool = a_tool()
    with pytest.raises(LibraryError, match="does not admit"):
        library.add(tool, a_verdict(tool, admitted=False))
    with pytest.raises(LibraryError, match="does not admit"):
        library.add(tool, a_verdict(a_tool("other_tool")))
    with pytest.raises(LibraryError, match="hash"):
        library.add(a_tool(id="0" * 64), a_verdict(a_tool(id="0" * 64)))
    assert not library.directory.exists()


@pytest.mark.parametrize("name", ["", "Count", "count words", "1st", "a__b", "a" * 65, "ünter"])
def test_names_that_are_refused(library, name):
    tool = a_tool(name)
    with pytest.raises(LibraryError, match="lower_snake_case"):
        library.add(tool, a_verdict(tool))


def test_an_unknown_name_brings_similar_ones(library):
    add(library, "count_words", "count_lines", "reverse_string")
    with pytest.raises(UnknownToolError, match=r"Did you mean count_words"):
        library.get("cuont_words")
    with pytest.raises(UnknownToolError) as caught:
        library.get("zzz")
    assert "mean" not in caught.value.message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
json_objects = st.dictionaries(st.text(max_size=8), json_values, max_size=4)
names = st.from_regex(r"[a-z][a-z0-9]{0,8}(_[a-z0-9]{1,8}){0,3}", fullmatch=True)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(names, st.text(max_size=60), st.text(max_size=60), json_objects, json_objects, json_values)
def test_any_tool_survives(name, description, source, schema, origin, expected):
    tool = a_tool(name, description, source=source, input_schema=schema, origin=origin)
    case = Case(inputs=schema, expected=expected)
    with tempfile.TemporaryDirectory() as folder:
        library = open_library(Path(folder) / "l", embedder=no_embedder)
        library.add(tool, a_verdict(tool, cases=[case]))
        library.close()
        assert library.get(name) == tool
        assert library.cases(tool.id) == [case]
        assert library.verdict(tool.id).cases == [case]
        assert library.check() == []
        library.close()


def test_lone_surrogates_in_values_survive(library):
    tool = a_tool(origin={"task": "broken \ud800 text\x00"})
    library.add(tool, a_verdict(tool))
    assert library.get(tool.name).origin == tool.origin


def test_data_that_is_not_json_is_refused_whole(library):
    tool = a_tool(origin={"what": object()})
    with pytest.raises(LibraryError, match="not JSON"):
        library.add(tool, a_verdict(tool))
    assert library.count() == 0


def test_search_ranks_and_cuts(library):
    add(library, "count_words", "days_between_dates", "reverse_string", "roman_to_integer")
    found = library.search("days between two dates", 2)
    assert found[0].tool.name == "days_between_dates"
    assert len(found) == 2
    assert found[0].score > found[1].score
    assert library.search("days", 0) == []
    assert len(library.search("days", 100)) == 4


def test_no_step_of_a_search_walks_over_the_library(library):
    add(library, *(f"does_thing_{number}" for number in range(60)))
    library.search("does thing", 3)
    connection = library._database._db.conn
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    library.search("does thing 3", 3, domain="web", permissions=["network"])
    library.find("does_thing_3")
    connection.set_trace_callback(None)
    assert len(asked) > 5
    for statement in asked:
        if not statement.startswith("SELECT") or "json_each(NULL)" in statement:
            continue
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        walks = [line for line in plan if line.startswith(("SCAN tools ", "SCAN history"))]
        if not statement.endswith("LIMIT 1"):
            walks += [line for line in plan if "tools_by_status" in line]
        assert [line for line in walks if "VIRTUAL" not in line] == [], statement


@pytest.mark.parametrize(
    "query",
    ["", '"', "a OR", 'x" OR 1=1 --', "NEAR(", "name:*", "\x00", "\ud800", "日本語", "٣", "🙂" * 9],
)
def test_no_query_is_wrong(library, query):
    add(library, "count_words")
    assert [found.tool.name for found in library.search(query, 3)] == ["count_words"]


def test_a_whole_task_is_a_query(library):
    add(library, "count_words", "days_between_dates", "reverse_string")
    task = "Count the words below.\n" + "lorem ipsum " * 9000 + "\nHow many words are there?"
    assert library.search(task, 1)[0].tool.name == "count_words"


def test_without_an_embedder_words_find(tmp_path, warnings):
    library = open_library(tmp_path, warnings, no_embedder)
    add(library, "count_words", "days_between_dates")
    assert [found.tool.name for found in library.search("words", 5)] == ["count_words"]
    assert library.search("zzz", 5) == []
    library.search("again", 5)
    (warning,) = warnings
    assert "by words only" in warning and "could not be had" in warning
    with pytest.raises(Exception, match="could not be had"):
        library.reindex()


def test_the_index_is_made_later_when_there_is_an_embedder(tmp_path, warnings):
    without = open_library(tmp_path, [], no_embedder)
    add(without, "count_words", "days_between_dates")
    library = open_library(tmp_path, warnings)
    assert len(library.search("zzz", 5)) == 2
    assert warnings == []
    assert library.reindex() == 2


def outcome(status="ok", seconds=0.5):
    return CallOutcome(status=status, seconds=seconds)


def test_calls_are_counted_once(library):
    tool = add(library, "count_words")
    for _ in range(3):
        library.record_call("run", "1", tool.id, outcome(), {"text": "a"})
    library.record_call("run", "2", tool.id, outcome("failed"), {})
    library.record_call("run", "3", tool.id, outcome("input_error", 0.0), {})
    library.record_call("other", "1", tool.id, outcome(), {})
    stats = library.stats(tool.id)
    assert stats.pop("last_used").endswith("+00:00")
    assert stats == {
        "calls": 4,
        "ok": 2,
        "input_errors": 1,
        "failed": 1,
        "runs": 2,
        "later_runs": 2,
        "seconds": 1.5,
    }


def test_long_inputs_of_calls_are_cut(library):
    tool = add(library, "count_words")
    library.record_call("run", "1", tool.id, outcome(), {"text": "é" * 100_000})
    (row,) = library._database.rows("SELECT length(inputs) AS length FROM calls")
    assert row["length"] == 4096


def test_a_call_of_an_unknown_tool(library):
    add(library, "count_words")
    with pytest.raises(LibraryError, match="no tool with the id 'nope'"):
        library.record_call("run", "1", "nope", outcome(), {})

"""A library that is not well says so, and loses nothing more."""

from __future__ import annotations

import sqlite3

import pytest
from tool_samples import a_tool, a_verdict, open_library

from yunjue.errors import DatabaseDamaged, DiskFull, LibraryError


@pytest.fixture
def tools():
    return [a_tool(name, f"Does {name}") for name in ("count_words", "reverse_string")]


@pytest.fixture
def folder(tmp_path, tools):
    library = open_library(tmp_path / "library")
    for tool in tools:
        library.add(tool, a_verdict(tool))
    library.search("words", 1)  # makes the index
    library.close()
    return tmp_path / "library"


def code_file(folder, tool):
    return folder / "code" / tool.id[:2] / f"{tool.id}.py"


def test_a_changed_code_file(folder, tools):
    path = code_file(folder, tools[0])
    path.write_text("import os  # not what was proven")
    warnings: list[str] = []
    library = open_library(folder, warnings)
    with pytest.raises(LibraryError, match=path.name):
        library.get("count_words")
    assert [tool.name for tool in library.active()] == ["reverse_string"]
    assert [found.tool.name for found in library.search("count words", 5)] == ["reverse_string"]
    assert len(warnings) == 2 and path.name in warnings[0]
    (problem,) = library.check()
    assert path.name in problem


def test_a_missing_code_file(folder, tools):
    code_file(folder, tools[0]).unlink()
    library = open_library(folder)
    with pytest.raises(LibraryError, match="gone"):
        library.get("count_words")
    assert len(library.check()) == 1


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
def test_a_damaged_database(folder, content):
    (folder / "library.db").write_bytes(content)
    library = open_library(folder)
    for use in (library.count, library.active, lambda: library.search("x", 3)):
        with pytest.raises(DatabaseDamaged, match=r"library\.db"):
            use()
    (problem,) = library.check()
    assert "library.db" in problem
    assert (folder / "library.db").read_bytes() == content


def test_a_damaged_index(folder):
    (folder / "index" / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    warnings: list[str] = []
    library = open_library(folder, warnings)
    assert library.search("count words", 1)[0].tool.name == "count_words"
    assert "damaged" in warnings[0]
    assert library.check() == []


def test_an_index_that_cannot_be_had_leaves_search_by_words(folder):
    for path in sorted((folder / "index").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (folder / "index").rmdir()
    (folder / "index").write_text("in the way")
    warnings: list[str] = []
    library = open_library(folder, warnings)
    assert library.search("reverse_string", 1)[0].tool.name == "reverse_string"
    assert "words only" in warnings[-1]
    tool = a_tool("third_tool", "Comes third")
    library.add(tool, a_verdict(tool))
    assert library.get("third_tool") == tool
    assert library.search("third_tool", 1)[0].tool == tool


def test_a_full_disk_adds_nothing_and_keeps_all(folder, tools):
    library = open_library(folder)
    pages = library.count() and library._database.rows("PRAGMA page_count")[0][0]
    library._database.rows(f"PRAGMA max_page_count = {pages}")
    tool = a_tool("big_tool", "x" * 500_000)
    with pytest.raises(DiskFull):
        library.add(tool, a_verdict(tool))
    assert library.active() == tools
    assert library.check() == []
    library.close()
    library.add(tool, a_verdict(tool))
    assert library.count() == 3


def test_a_library_that_is_locked_still_reads(folder, tools):
    other = sqlite3.connect(folder / "library.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    library = open_library(folder)
    assert library.active() == tools
    assert library.search("count words", 1)[0].tool == tools[0]

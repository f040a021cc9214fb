"""Files that a call leaves: what is read inside, and what the host takes of it."""

from __future__ import annotations

import base64
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.protocols import Outputs
from yunjue.sandbox import collector
from yunjue.sandbox.outputs import BadFiles, Left, judged, kept, most_said
from yunjue.sandbox.redact import Redactor
from yunjue.types import CallOutcome

OK = CallOutcome(status="ok", output={"result": 1})


def collected(scratch, files=16, size=1000):
    return collector.collect(str(scratch), files, size)


def content(found):
    return {name: base64.b64decode(data) for name, data in found["files"]}


@pytest.fixture
def left_folder(tmp_path):
    collector.prepare(str(tmp_path))
    return tmp_path / "outputs"


def test_nothing_is_left(tmp_path):
    assert collected(tmp_path) == {"files": [], "left_out": []}
    collector.prepare(str(tmp_path))
    assert collected(tmp_path) == {"files": [], "left_out": []}


def test_regular_files_are_read_and_nothing_else(tmp_path, left_folder):
    (left_folder / "a").mkdir()
    (left_folder / "a" / "b.txt").write_bytes(b"\x00text")
    (left_folder / "empty").touch()
    (left_folder / "link").symlink_to("/etc/passwd")
    (left_folder / "folder").symlink_to("/etc")
    os.mkfifo(left_folder / "pipe")
    with socket.socket(socket.AF_UNIX) as own:
        here = os.getcwd()
        os.chdir(left_folder)
        own.bind("socket")
        os.chdir(here)
    found = collected(tmp_path)
    assert content(found) == {"a/b.txt": b"\x00text", "empty": b""}
    assert {name for name, _ in found["left_out"]} == {"link", "folder", "pipe", "socket"}


def test_a_link_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "outputs").symlink_to("/etc")
    assert collected(tmp_path) == {"files": [], "left_out": [["outputs", "it is no folder"]]}


def test_more_than_may_be_left_is_left_out_and_named(tmp_path, left_folder):
    for number in range(5):
        (left_folder / f"{number}").write_bytes(b"x" * 400)
    found = collected(tmp_path)
    assert sorted(content(found)) == ["0", "1"]
    assert [name for name, _ in found["left_out"]] == ["2", "3", "4"]
    found = collected(tmp_path, files=1, size=10_000)
    assert sorted(content(found)) == ["0"]


def test_folders_and_entries_without_end(tmp_path, left_folder):
    deep = left_folder
    for _ in range(20):
        deep = deep / "d"
        deep.mkdir()
    for number in range(1100):
        (left_folder / f"f{number:04}").touch()
    found = collected(tmp_path)
    assert len(found["files"]) == 16
    assert len(found["left_out"]) == collector.MOST_LEFT_OUT


def seen(*files, left_out=()):
    told = [[name, base64.b64encode(data).decode()] for name, data in files]
    return {"files": told, "left_out": list(left_out)}


def outputs(tmp_path, **changes):
    return Outputs(tmp_path / "new" / "call-1", **changes)


def test_files_are_kept_whole(tmp_path):
    wanted = outputs(tmp_path)
    left = judged(seen(("a/b.txt", b"text"), ("c", b"")), wanted)
    outcome = kept(left, wanted, Redactor({}), OK)
    assert [(file.name, file.size) for file in outcome.files] == [("a/b.txt", 4), ("c", 0)]
    assert (wanted.folder / "a" / "b.txt").read_bytes() == b"text"
    # A sitting that was killed left some: these are the ones that count.
    kept(Left({"d": b"new"}), wanted, Redactor({}), OK)
    assert [path.name for path in wanted.folder.iterdir()] == ["d"]
    assert [path.name for path in wanted.folder.parent.iterdir()] == ["call-1"]


def test_without_files_no_folder_is_made_and_the_outcome_is_as_it_was(tmp_path):
    wanted = outputs(tmp_path)
    assert kept(judged(seen(), wanted), wanted, Redactor({}), OK) == OK
    assert not wanted.folder.exists()
    assert "files" not in OK.model_dump()


@pytest.mark.parametrize(
    "name",
    [
        "../up",
        "/etc/passwd",
        "a/../b",
        "a//b",
        "",
        ".",
        ".hidden",
        "-rf",
        "a\n",
        "a/",
        "\u202e",
        "~",
        "a\\b",
        "C:x",
        "x" * 201,
        "a/" * 8 + "b",
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    left = judged(seen((name, b"x")), outputs(tmp_path))
    assert left.files == {}
    assert len(left.refused) == 1


def test_a_file_and_a_folder_of_one_name(tmp_path):
    left = judged(seen(("a", b"1"), ("a/b", b"2")), outputs(tmp_path))
    assert left.files == {"a": b"1"}


def test_a_file_with_a_secret_is_not_taken(tmp_path):
    redactor = Redactor({"WEATHER_KEY": "sunny-day-é"})
    left = Left({"a": "x sunny-day-é".encode(), "sunny-day-é": b"", "b": b"rain"})
    outcome = kept(left, outputs(tmp_path), redactor, OK)
    assert [file.name for file in outcome.files] == ["b"]
    assert outcome.left_out.keys() == {"a", "[WEATHER_KEY]"}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"files": [], "left_out": [1]},
        {"files": [["a", "b", "c"]], "left_out": []},
        {"files": [["a", "%%"]], "left_out": []},
        {"files": [[1, "YQ=="]], "left_out": []},
        {"files": [["a", "YQ=="]] * 2, "left_out": []},
        {"files": [["a", "YWFhYWFhYWFhYWFh"]], "left_out": []},
        {"files": [[str(n), ""] for n in range(17)], "left_out": []},
    ],
)
def test_what_no_honest_runner_sends(tmp_path, wrong):
    with pytest.raises(BadFiles):
        judged(wrong, outputs(tmp_path, most_bytes=10))


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=20)), max_size=10))
def test_whatever_is_sent_stays_in_the_folder(tmp_path_factory, files):
    base = tmp_path_factory.mktemp("outputs")
    wanted = Outputs(base / "taken")
    try:
        left = judged(seen(*files), wanted)
    except BadFiles:
        assert len({name for name, _ in files}) < len(files)
        return
    outcome = kept(left, wanted, Redactor({}), OK)
    assert [path.name for path in base.iterdir()] == (["taken"] if outcome.files else [])
    for file in outcome.files:
        assert (wanted.folder / file.name).resolve().is_relative_to(wanted.folder.resolve())


@given(st.integers(0, 5), st.integers(0, 400))
def test_the_bound_on_what_is_said_holds_what_may_be_sent(files, size):
    import json

    allowed = Outputs(None, most_files=max(files, 1), most_bytes=files * size)
    longest = seen(
        *(("\U0001f600" * 33, b"x" * size) for _ in range(files)),
        left_out=[["\\" * 200, "y" * 100]] * collector.MOST_LEFT_OUT,
    )
    assert len(json.dumps(longest)) <= most_said(allowed) + 100

from __future__ import annotations

import multiprocessing
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.errors import DiskFull, LibraryError
from yunjue.hashing import content_id
from yunjue.store.code import CodeFiles


@given(st.text(st.characters(), max_size=200))
def test_round_trip_is_exact(source):
    with tempfile.TemporaryDirectory() as folder:
        code = CodeFiles(Path(folder) / "code")
        code_id = code.write(source)
        assert code_id == content_id(source)
        assert code.read(code_id) == source


@pytest.mark.parametrize("source", ["a\r\nb\rc\n", "\ufeffx = 1", "", "\x00", "\udcff"])
def test_nothing_is_normalised(tmp_path, source):
    code = CodeFiles(tmp_path)
    assert code.read(code.write(source)) == source


def test_the_path_is_the_hash(tmp_path):
    code = CodeFiles(tmp_path / "code")
    code_id = code.write("x = 1\n")
    assert code.path(code_id) == tmp_path / "code" / code_id[:2] / f"{code_id}.py"
    assert code.path(code_id).read_text() == "x = 1\n"
    assert [path.name for path in code.path(code_id).parent.iterdir()] == [f"{code_id}.py"]


def test_a_changed_file_is_named(tmp_path):
    code = CodeFiles(tmp_path)
    code_id = code.write("x = 1\n")
    code.path(code_id).write_text("x = 2\n")
    with pytest.raises(LibraryError, match=f"{code_id}.py was changed"):
        code.read(code_id)
    code.write("x = 1\n")
    assert code.read(code_id) == "x = 1\n"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LibraryError, match=r"gone.*abcd\.py"):
        CodeFiles(tmp_path).read("abcd")


def _write_beyond_limit(folder, answers):
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        CodeFiles(folder).write("x" * 5000)
    except DiskFull as error:
        answers.put(error.message)


def test_no_room_leaves_no_file(tmp_path):
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    child = context.Process(target=_write_beyond_limit, args=(tmp_path, answers))
    child.start()
    assert "no room" in answers.get(timeout=60)
    child.join()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

from __future__ import annotations

import pytest

from yunjue.store.seal import intact, seal


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph" / "data.bin").write_bytes(b"data")
    seal(tmp_path)
    return tmp_path


def test_sealed_is_intact(folder):
    assert intact(folder)


def test_an_absent_or_empty_folder_is_intact(tmp_path):
    assert intact(tmp_path)
    assert intact(tmp_path / "absent")


def test_rows_are_not_sealed(folder):
    (folder / "chroma.sqlite3").write_bytes(b"SQLite looks after itself")
    assert intact(folder)


@pytest.mark.parametrize("content", [b"dat", b"Data", b""])
def test_changed(folder, content):
    (folder / "graph" / "data.bin").write_bytes(content)
    assert not intact(folder)


def test_missing(folder):
    (folder / "graph" / "data.bin").unlink()
    assert not intact(folder)


def test_written_but_never_sealed(folder):
    (folder / "graph" / "new.pickle").write_bytes(b"")
    assert not intact(folder)
    seal(folder)
    assert intact(folder)


def test_a_damaged_seal(folder):
    (folder / "seal.json").write_bytes(b"{")
    assert not intact(folder)
    seal(folder)
    assert intact(folder)

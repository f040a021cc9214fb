from __future__ import annotations

import pytest
from chromadb.errors import InternalError

from yunjue.store import chroma


def test_a_locked_folder_is_written_a_little_later(monkeypatch):
    monkeypatch.setattr(chroma, "_WAITS", (0.0, 0.0))
    left = ["locked", "locked"]

    def write() -> None:
        if left:
            left.pop()
            raise InternalError("error returned from database: (code: 5) database is locked")

    chroma.patiently(write)
    assert left == []


def test_other_failures_are_not_waited_for(monkeypatch):
    tried = []

    def write() -> None:
        tried.append(1)
        raise InternalError("malformed")

    with pytest.raises(InternalError, match="malformed"):
        chroma.patiently(write)
    assert len(tried) == 1


def test_a_folder_that_stays_locked_is_an_error(monkeypatch):
    monkeypatch.setattr(chroma, "_WAITS", (0.0,))

    def write() -> None:
        raise InternalError("database is locked")

    with pytest.raises(InternalError, match="locked"):
        chroma.patiently(write)


def test_a_folder_is_opened_a_little_later_too(tmp_path, monkeypatch):
    monkeypatch.setattr(chroma, "_WAITS", (0.0, 0.0))
    real, left = chroma._open, ["open", "collection"]

    def open_client(folder):
        if "open" in left:
            left.remove("open")
            raise InternalError("error returned from database: (code: 5) database is locked")
        client = real(folder)
        made = client.get_or_create_collection

        def locked_once(*given, **named):
            if left:
                left.clear()
                raise InternalError("error returned from database: (code: 5) database is locked")
            return made(*given, **named)

        monkeypatch.setattr(client, "get_or_create_collection", locked_once)
        return client

    monkeypatch.setattr(chroma, "_open", open_client)
    try:
        assert chroma.collection(tmp_path, None, "tools-none-1").count() == 0
    finally:
        chroma.close(tmp_path)
    assert left == []

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from yunjue.sandbox.keyed import keyed_folder
from yunjue.sandbox.session import Stopped


def make(parent, build, stop=None):
    return keyed_folder(parent, "key", build, stop or threading.Event())


def build(folder):
    (folder / "below").mkdir()
    (folder / "below" / "file").write_text("text")
    return {"built": True}


def refuse(folder):
    raise AssertionError("built again")


def test_built_once(tmp_path):
    folder, note = make(tmp_path, build)
    assert (folder / "below" / "file").read_text() == "text" and note == {"built": True}
    assert make(tmp_path, refuse) == (folder, note)


@pytest.mark.parametrize("damage", ["changed", "missing", "added", "marker"])
def test_damage_is_found(tmp_path, damage):
    folder, _ = make(tmp_path, build)
    if damage == "changed":
        (folder / "below" / "file").write_text("longer text")
    elif damage == "missing":
        (folder / "below" / "file").unlink()
    elif damage == "added":
        (folder / "new").touch()
    else:
        (folder.parent / "complete.json").write_text('{"no')
    assert make(tmp_path, build)[0] == folder
    assert [path.name for path in folder.iterdir()] == ["below"]
    make(tmp_path, refuse)


def test_interrupted_build_leaves_no_folder(tmp_path):
    def interrupted(folder):
        build(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, interrupted)
    assert not (tmp_path / "key").exists()
    (tmp_path / ".key.building.dead").mkdir()  # as if the process had been killed
    make(tmp_path, build)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".key.lock", "key"]


def test_two_at_once_build_once(tmp_path):
    started = []

    def slow(folder):
        started.append(folder)
        threading.Event().wait(0.2)
        return build(folder)

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _: make(tmp_path, slow), range(4)))
    assert len(started) == 1 and len({folder for folder, _ in found}) == 1


def test_waiting_can_be_stopped(tmp_path):
    stop, building, release = threading.Event(), threading.Event(), threading.Event()

    def slow(folder):
        building.set()
        release.wait(10)
        return build(folder)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(make, tmp_path, slow)
        building.wait(10)
        second = pool.submit(make, tmp_path, refuse, stop)
        stop.set()
        with pytest.raises(Stopped):
            second.result()
        release.set()
        first.result()


def test_others_can_read_it_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        folder, _ = make(tmp_path, build)
    finally:
        os.umask(before)
    assert (folder / "below").stat().st_mode & 0o777 == 0o755
    assert (folder / "below" / "file").stat().st_mode & 0o777 == 0o644
    assert folder.parent.stat().st_mode & 0o777 == 0o755

from __future__ import annotations

import os

import pytest

from yunjue.errors import SandboxError
from yunjue.sandbox.inputs import staged


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"data")
    path.chmod(0o600)
    return path


def test_copies_that_the_sandbox_can_read(file, tmp_path):
    with staged({"a.csv": file, "b": file}, tmp_path / "jobs") as folder:
        assert (folder / "a.csv").read_bytes() == (folder / "b").read_bytes() == b"data"
        assert (folder / "b").stat().st_mode & 0o777 == 0o644
        assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert not list((tmp_path / "jobs").iterdir())


def test_no_files(tmp_path):
    with staged({}, tmp_path / "jobs") as folder:
        assert folder is None
    assert not (tmp_path / "jobs").exists()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/etc/passwd", ".hidden", "a\0", "a\n", "n" * 300]
)
def test_names_that_could_leave_the_folder(name, file, tmp_path):
    with pytest.raises(SandboxError, match="name"), staged({name: file}, tmp_path / "jobs"):
        pass
    assert not list((tmp_path / "jobs").iterdir())


@pytest.mark.parametrize("kind", ["folder", "pipe", "absent", "device"])
def test_only_regular_files(kind, tmp_path):
    path = tmp_path / "thing"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    with pytest.raises(SandboxError, match="thing"), staged({"a": path}, tmp_path / "jobs"):
        pass
    assert not list((tmp_path / "jobs").iterdir())


def test_what_a_killed_process_left_goes(file, tmp_path):
    old, new = tmp_path / "jobs" / "job-old", tmp_path / "jobs" / "job-new"
    old.mkdir(parents=True)
    new.mkdir()
    os.utime(old, (0, 0))
    with staged({"a": file}, tmp_path / "jobs"):
        assert not old.exists() and new.exists()

"""What is copied of a hostile repository, and that nothing outside it is touched."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from yunjue_code import copying
from yunjue_code.copying import copy_repository
from yunjue_code.patch import files_of

from yunjue.errors import UsageError


@pytest.fixture
def outside(tmp_path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text("secret")
    return folder


def test_links_out_are_neither_followed_nor_copied(tmp_path, outside):
    source = tmp_path / "repo"
    (source / "src").mkdir(parents=True)
    (source / ".git").mkdir()
    (source / ".git" / "config").write_text("[core]\n")
    (source / "src" / "a.py").write_text("a = 1\n")
    (source / "link.txt").symlink_to(outside / "secret.txt")
    (source / "folder").symlink_to(outside)
    (source / "inner").symlink_to(source / "src")
    os.mkfifo(source / "pipe")
    copied = copy_repository(source, tmp_path / "copy")
    assert list(files_of(tmp_path / "copy")) == ["src/a.py"]
    links = ("folder", "inner", "link.txt")
    assert copied.left_out == {
        **dict.fromkeys(links, "it is a link"),
        "pipe": "it is no plain file",
    }


def tar_of(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def test_an_archive_writes_nothing_outside(tmp_path, outside):
    archive = tar_of(
        tmp_path / "r.tar.gz",
        (member("./a.py"), b"a = 1\n"),
        (member("../up.py"), b"x"),
        (member("/etc/abs.py"), b"x"),
        (member("out", tarfile.SYMTYPE, str(outside)), b""),
        (member("out/planted.txt"), b"planted"),
        (member("hard", tarfile.LNKTYPE, "../outside/secret.txt"), b""),
        (member("dev", tarfile.CHRTYPE), b""),
        (member("a.py"), b"twice"),
    )
    copied = copy_repository(archive, tmp_path / "copy")
    found = {name: path.read_bytes() for name, path in files_of(tmp_path / "copy").items()}
    assert found == {"a.py": b"a = 1\n", "out/planted.txt": b"planted"}
    assert [path.name for path in outside.iterdir()] == ["secret.txt"]
    assert not (tmp_path / "up.py").exists()
    assert len(copied.left_out) == 6


def test_a_zip_with_a_link_or_a_bomb(tmp_path, monkeypatch):
    path = tmp_path / "r.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", "a = 1\n")
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("bomb.txt", b"0" * (40 << 20))
    copied = copy_repository(path, tmp_path / "copy")
    assert list(files_of(tmp_path / "copy")) == ["a.py"]
    assert set(copied.left_out) == {"link", "bomb.txt"}
    monkeypatch.setattr(copying, "MOST_BYTES", 3)
    with pytest.raises(UsageError, match="more than"):
        copy_repository(path, tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("name", ["r.tar.gz", "r.zip", "r.tar"])
def test_what_is_no_archive_is_told(tmp_path, name):
    (tmp_path / name).write_bytes(b"no archive" * 50)
    with pytest.raises(UsageError, match="no whole archive"):
        copy_repository(tmp_path / name, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()

"""Skills from elsewhere into the user's folder, all of them or none."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from yunjue.bundle.fetch import download, shown
from yunjue.bundle.folder import read_file
from yunjue.bundle.quarantine import quarantine
from yunjue.config import home
from yunjue.errors import BundleRefused, SkillRefused, UnknownSkillError, UsageError
from yunjue.files import locked, writing
from yunjue.skills import archive
from yunjue.skills.folder import check_files, read_skill
from yunjue.skills.parse import MAX_BYTES
from yunjue.skills.shelf import Shelf, user_folder
from yunjue.skills.types import SKILL_FILE, Problem, Skill, refused

ARCHIVES = (".zip", ".skill")


def take(where: str) -> list[Skill]:
    """The skills at ``where``: a skill's folder, a folder of such folders, a SKILL.md, a .zip or
    .skill file, or a URL of one of these files. Nothing is written.

    Raises:
        UsageError: there is nothing that can be read.
        DownloadError: it cannot be had.
        SkillRefused: one of them has problems; says all.
    """
    if re.match(r"[a-z][a-z0-9+.-]+://", where, re.IGNORECASE):
        return _checked(where, _fetched(where))
    path = Path(where)
    if path.is_dir():
        return _from_folder(path)
    most = archive.MAX_ARCHIVE
    try:
        return _checked(path.name, read_file(path, most))
    except BundleRefused as error:
        raise SkillRefused(f"{path} is not taken: {error.message}") from None


def install(skills: Sequence[Skill], replace: bool = False) -> Path:
    """Write the skills into the user's folder; if one cannot be, none is.

    Raises:
        SkillRefused: a name is taken, and ``replace`` is not set.
        DiskFull, YunjueError: it cannot be written.
    """
    target = user_folder()
    with locked(home() / "skills.lock"):
        if not replace:
            check_free([skill.name for skill in skills])
        with writing(target):
            target.mkdir(parents=True, exist_ok=True)
            stage = Path(tempfile.mkdtemp(prefix=".new-", dir=target))
            try:
                _write(skills, stage / "new")
                _exchange([skill.name for skill in skills], stage, target)
            finally:
                shutil.rmtree(stage, ignore_errors=True)
    return target


def check_free(names: Sequence[str]) -> None:
    """Refuse a name that a skill in the user's folder has."""
    if taken := [name for name in names if os.path.lexists(user_folder() / name)]:
        raise SkillRefused(
            f"You have a skill named {taken[0]} already.",
            hint="--replace puts the new one in its place.",
        )


def remove(name: str, shelf: Shelf) -> Path:
    """Remove a skill that the user added; returns where it was.

    Raises:
        UnknownSkillError: there is none.
        UsageError: it is not in the user's folder of this home.
    """
    folder = user_folder() / name
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name) or not os.path.lexists(folder):
        entry = shelf.get(name)  # or there is none of that name
        raise UsageError(
            f"The skill {name} is in {entry.folder}, which is not a folder of `yunjue skills add`.",
            hint="Remove it there, or choose skills with --skills NAME,NAME.",
        )
    with locked(home() / "skills.lock"), writing(folder):
        if folder.is_symlink():
            folder.unlink()
            return folder
        stage = Path(tempfile.mkdtemp(prefix=".old-", dir=user_folder()))
        try:
            os.rename(folder, stage / name)
        except FileNotFoundError:
            raise UnknownSkillError(f"The skill {name} is gone already.") from None
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    return folder


def _fetched(url: str) -> bytes:
    try:
        with quarantine(home()) as folder:
            return download(url, folder / "skill", archive.MAX_ARCHIVE)
    except BundleRefused as error:
        raise SkillRefused(f"{shown(url)} is not taken: {error.message}") from None


def _checked(where: str, data: bytes) -> list[Skill]:
    """The skills in these bytes: of an archive, else of a SKILL.md alone."""
    if data.startswith(b"PK") or where.lower().endswith(ARCHIVES):
        folders, problems = archive.unpack(data)
        if not problems and not folders:
            problems = [Problem("archive", 0, f"has no {SKILL_FILE}")]
        if problems:
            raise refused(Path(where).name, problems)
    elif len(data) > MAX_BYTES:
        raise refused(Path(where).name, [Problem(SKILL_FILE, 0, "is too large to be one")])
    else:
        folders = {"": {SKILL_FILE: data}}
    return _all(
        (root or Path(where).name, check_files(files, root.rpartition("/")[2] or None))
        for root, files in folders.items()
    )


def _from_folder(path: Path) -> list[Skill]:
    if os.path.lexists(path / SKILL_FILE):
        return _all([(path.absolute().name, read_skill(path.absolute()))])
    below = sorted(one for one in path.iterdir() if os.path.lexists(one / SKILL_FILE))
    if not below:
        raise UsageError(f"{path} has no {SKILL_FILE}, and no folder in it has one.")
    return _all((one.name, read_skill(one)) for one in below)


def _all(found: Sequence[tuple[str, tuple[Skill | None, list[Problem]]]]) -> list[Skill]:
    skills: list[Skill] = []
    problems: list[Problem] = []
    names: list[str] = []
    for name, (skill, wrong) in found:
        names.append(name)
        problems += wrong
        if skill is not None:
            if any(one.name == skill.name for one in skills):
                problems.append(Problem(name, 0, f"a second skill named {skill.name}"))
            skills.append(skill)
    if problems:
        raise refused(", ".join(names[:3]), problems)
    return skills


def _write(skills: Sequence[Skill], folder: Path) -> None:
    for skill in skills:
        for path, data in skill.files.items():
            place = folder / skill.name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


def _exchange(names: Sequence[str], stage: Path, target: Path) -> None:
    """Put each new folder in its place; on any failure all old ones are put back."""
    (stage / "old").mkdir()
    done: list[str] = []
    try:
        for name in names:
            if os.path.lexists(target / name):
                os.rename(target / name, stage / "old" / name)
            done.append(name)
            os.rename(stage / "new" / name, target / name)
    except BaseException:
        for name in done:
            with suppress(FileNotFoundError):
                os.rename(target / name, stage / "new" / name)
            with suppress(FileNotFoundError):
                os.rename(stage / "old" / name, target / name)
        raise

"""Skills in a zip file: written with the same bytes every time, read with distrust."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import PurePosixPath

from yunjue.skills.folder import IGNORED, MAX_FILE, MAX_FOLDER, path_problem
from yunjue.skills.types import SKILL_FILE, Problem, Skill

MAX_ARCHIVE = 16 << 20
"""Bytes of the file."""
MAX_ENTRIES = 2000
_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_ENCRYPTED = 0x41
_JUNK = (*IGNORED, "__MACOSX")


def pack(skill: Skill) -> bytes:
    """The skill's folder as a zip. Its entries are sorted, stored and without a date, so equal
    skills give equal bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(skill.files):
            info = zipfile.ZipInfo(f"{skill.name}/{path}", _DATE)
            info.create_system, info.external_attr = _UNIX, (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, skill.files[path])
    return file.getvalue()


def unpack(data: bytes) -> tuple[dict[str, dict[str, bytes]], list[Problem]]:
    """folder in the archive -> its files, for each folder with a SKILL.md, and what is wrong.

    ``""`` is the folder of an archive that has the SKILL.md at its top. Other files are left
    aside, but every entry must be one that harms nobody.
    """
    if len(data) > MAX_ARCHIVE:
        return {}, [Problem("archive", 0, f"has more than {MAX_ARCHIVE >> 20} MiB")]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [one for one in archive.infolist() if not _is_junk(one.orig_filename)]
            problems = _entry_problems(infos)
            if problems:
                return {}, problems
            roots = _roots([info.filename for info in infos])
            return _read(archive, infos, roots)
    except zipfile.BadZipFile as error:
        return {}, [Problem("archive", 0, f"is no zip file, or is damaged: {error}")]
    except (EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        return {}, [Problem("archive", 0, f"cannot be read: {error}")]
    except Exception as error:  # zlib.error, and what else a hostile file makes zipfile raise
        return {}, [Problem("archive", 0, f"is damaged: {type(error).__name__}")]


def _is_junk(name: str) -> bool:
    return any(part in _JUNK for part in name.split("/"))


def _entry_problems(infos: list[zipfile.ZipInfo]) -> list[Problem]:
    if len(infos) > MAX_ENTRIES:
        return [Problem("archive", 0, f"has more than {MAX_ENTRIES} entries")]
    problems, seen = [], set()
    for info in infos:
        name = info.orig_filename  # zipfile cuts the other one at a NUL
        if why := _entry_problem(info, name, seen):
            problems.append(Problem(ascii(name[:120]), 0, why))
        seen.add(name)
    return problems


def _entry_problem(info: zipfile.ZipInfo, name: str, seen: set[str]) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is no plain file"
    if name in seen:
        return "is there twice"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in a way that is not taken"
    why = path_problem(name.removesuffix("/"))
    return "" if "deep" in why else why  # depth counts from the skill's own folder


def _roots(names: list[str]) -> list[str]:
    """Folders with a SKILL.md that are in no other such folder."""
    found = sorted(
        str(PurePosixPath(name).parent) for name in names if PurePosixPath(name).name == SKILL_FILE
    )
    roots: list[str] = []
    for folder in found:
        if folder == ".":
            return [""]
        if not any(folder.startswith(f"{root}/") for root in roots):
            roots.append(folder)
    return roots


def _read(
    archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], roots: list[str]
) -> tuple[dict[str, dict[str, bytes]], list[Problem]]:
    folders: dict[str, dict[str, bytes]] = {root: {} for root in roots}
    total = 0
    for info in infos:
        root = next((one for one in roots if not one or info.filename.startswith(f"{one}/")), None)
        if root is None or info.is_dir():
            continue
        inside = info.filename[len(root) + 1 :] if root else info.filename
        with archive.open(info) as file:
            content = file.read(MAX_FILE + 1)  # whatever the header says
        total += len(content)
        if len(content) > MAX_FILE:
            return {}, [Problem(info.filename, 0, f"has more than {MAX_FILE >> 20} MiB")]
        if total > 4 * MAX_FOLDER:
            return {}, [Problem("archive", 0, "holds too much")]
        folders[root][inside] = content
    return folders, []

"""A skill's folder: its files as bytes, bounded, and nothing from outside it."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping
from pathlib import Path

from yunjue.bundle.folder import read_file
from yunjue.errors import BundleRefused, UsageError
from yunjue.skills import parse as skill_md
from yunjue.skills.pep723 import requirements
from yunjue.skills.types import SKILL_FILE, Problem, Skill

MAX_FILES = 200
MAX_FILE = 2 << 20
"""Bytes."""
MAX_FOLDER = 8 << 20
"""Bytes."""
MAX_SCRIPT_FILES = 1 << 20
"""Bytes that a script may find beside itself; a larger skill cannot run scripts."""
MAX_DEPTH = 4
"""Folders in folders."""

IGNORED = ("__pycache__", ".git", ".DS_Store")
"""What programs leave in folders; never part of a skill."""

_PART = re.compile(r"[A-Za-z0-9_.@+ ()-]{1,128}\Z")


def read_files(folder: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """path -> content of every file below ``folder``, and what cannot be one.

    Links are not followed: a skill is what stands in its folder.
    """
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    total = 0
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in IGNORED)
        for name in [*folders, *sorted(names)]:
            path = Path(parent, name)
            inside = path.relative_to(folder).as_posix()
            if name in IGNORED:
                continue
            if why := _no_place(inside, path):
                problems.append(Problem(_shown(inside), 0, why))
                if name in folders:
                    folders.remove(name)
                continue
            if path.is_dir():
                continue
            if len(files) == MAX_FILES:
                problems.append(Problem(_shown(inside), 0, f"is more than {MAX_FILES} files"))
                return files, problems
            most = skill_md.MAX_BYTES if inside == SKILL_FILE else MAX_FILE
            try:
                data = read_file(path, most, follow=False)
            except BundleRefused as error:
                problems.append(Problem(_shown(inside), 0, _why(error, most)))
                continue
            except UsageError as error:
                problems.append(Problem(_shown(inside), 0, error.message.rstrip(".")))
                continue
            total += len(data)
            if total > MAX_FOLDER:
                message = f"with it the folder has more than {MAX_FOLDER >> 20} MiB"
                problems.append(Problem(_shown(inside), 0, message))
                return files, problems
            files[inside] = data
    return files, problems


def check_files(
    files: Mapping[str, bytes], folder: str | None
) -> tuple[Skill | None, list[Problem]]:
    """The skill of these files, or None and every problem they have.

    Args:
        folder: name of their folder, which must be the skill's; None if they are in none.
    """
    if SKILL_FILE not in files:
        near = [path for path in files if path.lower() == SKILL_FILE.lower()]
        why = f"is missing ({near[0]} is written otherwise)" if near else "is missing"
        return None, [Problem(SKILL_FILE, 0, why)]
    parsed = skill_md.parse(files[SKILL_FILE], folder)
    problems = [*parsed.problems, *_size_problems(files)]
    notes = [*parsed.notes]
    for line, target in parsed.links:
        if target not in files and not any(path.startswith(f"{target}/") for path in files):
            notes.append(Problem(SKILL_FILE, line, f"there is no file {target}"))
    for path, data in files.items():
        if path.startswith("scripts/"):
            found, hints = _script(path, data)
            problems += found
            notes += hints
    if any(path.startswith("scripts/") for path in files):
        size = sum(map(len, files.values()))
        if size > MAX_SCRIPT_FILES:
            message = f"the folder has {size} bytes: too much for scripts to be run with it"
            notes.append(Problem("scripts", 0, message))
    if problems:
        return None, problems
    return (
        Skill(
            name=parsed.name,
            description=parsed.description,
            body=parsed.body,
            license=parsed.license,
            compatibility=parsed.compatibility,
            metadata=parsed.metadata,
            allowed=parsed.allowed,
            files=dict(files),
            notes=tuple(notes),
        ),
        [],
    )


def read_skill(folder: Path) -> tuple[Skill | None, list[Problem]]:
    """The skill in ``folder``, or None and every problem it has."""
    files, problems = read_files(folder)
    if problems and SKILL_FILE not in files and any(p.path == SKILL_FILE for p in problems):
        return None, problems  # it is there, and was not taken
    skill, more = check_files(files, folder.absolute().name)
    problems += more
    return (None, problems) if problems else (skill, [])


def path_problem(inside: str) -> str:
    """Why no file of a skill may have this path, or ""."""
    parts = inside.split("/")
    if inside.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", inside):
        return "has an absolute path"
    if ".." in parts or "." in parts or "" in parts:
        return "leads out of its folder"
    if not all(_PART.match(part) for part in parts):
        return "has a name with other than plain letters, digits and marks"
    if len(parts) > MAX_DEPTH:
        return f"is more than {MAX_DEPTH - 1} folders deep"
    return ""


def _no_place(inside: str, path: Path) -> str:
    return "is a link" if path.is_symlink() else path_problem(inside)


def _shown(inside: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in inside)[:200]


def _why(error: BundleRefused, most: int) -> str:
    reasons = {"too-large": f"has more than {most >> 10} KiB", "link": "is a link"}
    return reasons.get(error.reason, "is no plain file")


def _size_problems(files: Mapping[str, bytes]) -> list[Problem]:
    found = [Problem(_shown(path), 0, why) for path in files if (why := path_problem(path))]
    found += [
        Problem(_shown(path), 0, f"has more than {MAX_FILE >> 10} KiB")
        for path, data in files.items()
        if len(data) > MAX_FILE
    ]
    if len(files) > MAX_FILES:
        found.append(Problem(SKILL_FILE, 0, f"the folder has more than {MAX_FILES} files"))
    if sum(map(len, files.values())) > MAX_FOLDER:
        found.append(Problem(SKILL_FILE, 0, f"the folder has more than {MAX_FOLDER >> 20} MiB"))
    return found


def _script(path: str, data: bytes) -> tuple[list[Problem], list[Problem]]:
    """Problems and notes of one file in ``scripts/``."""
    if not path.endswith(".py"):
        message = "cannot be run here: the sandbox has Python and no shell; it can be read"
        return [], [Problem(path, 0, message)]
    try:
        text = data.decode("utf-8")
        ast.parse(text)
        requirements(text)
    except SyntaxError as error:
        return [Problem(path, error.lineno or 0, f"is not Python: {error.msg}")], []
    except UnicodeDecodeError as error:
        return [Problem(path, data.count(b"\n", 0, error.start) + 1, "is not UTF-8")], []
    except (RecursionError, MemoryError):
        return [Problem(path, 0, "nests too deep to be Python")], []
    except ValueError as error:
        return [Problem(path, 0, f"{error}")], []
    return [], []

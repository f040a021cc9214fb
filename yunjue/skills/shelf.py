"""All skills that are found, and which of them may be used.

========  =======================================  =========================================
of        folders, the first wins                  used
========  =======================================  =========================================
project   ``.yunjue/skills``, ``.agents/skills``   if the project is trusted as it is now
user      ``HOME/skills``, ``~/.agents/skills``    always
plugin    what plugins register                    always
shipped   in the package                           always
========  =======================================  =========================================

Of two usable skills with one name the first in this order is used; the other is shadowed, and
said to be. What is not usable shadows nothing.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import yunjue
from yunjue.config import home
from yunjue.errors import UnknownSkillError, YunjueError
from yunjue.hashing import content_id
from yunjue.plugins import plugins
from yunjue.skills.folder import read_files, read_skill
from yunjue.skills.trust import trusted
from yunjue.skills.types import SKILL_FILE, Problem, Skill, files_id, refused

Owner = Literal["project", "user", "plugin", "shipped"]
Status = Literal["usable", "shadowed", "untrusted", "refused"]

PROJECT_FOLDERS = (Path(".yunjue/skills"), Path(".agents/skills"))
SHIPPED = "shipped_skills"
MAX_SKILLS = 1000
"""Folders that are looked at in one place."""


@dataclass(frozen=True, slots=True)
class Place:
    owner: Owner
    folder: Path


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder with a SKILL.md.

    Attributes:
        name: of the folder.
        skill: None if it has problems.
        status: ``usable``, or why it is not used.
        why: more about that, for a person.
    """

    name: str
    owner: Owner
    folder: Path
    skill: Skill | None
    problems: Sequence[Problem] = ()
    status: Status = "usable"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What was found, in the order of precedence."""

    entries: Sequence[Entry]

    def usable(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.status == "usable"]

    def unused(self) -> list[Entry]:
        """Those that are not used, each with the reason."""
        return [entry for entry in self.entries if entry.status != "usable"]

    def get(self, name: str) -> Entry:
        """The entry of that name that is used, or else the first that is not.

        Raises:
            UnknownSkillError: there is none; the message names similar ones.
        """
        named = [entry for entry in self.entries if entry.name == name]
        for entry in [*(one for one in named if one.status == "usable"), *named]:
            return entry
        near = difflib.get_close_matches(name, [entry.name for entry in self.entries], n=3)
        similar = f" Did you mean {', '.join(near)}?" if near else ""
        raise UnknownSkillError(f"There is no skill named {name!r}.{similar}")

    def use(self, name: str) -> Skill:
        """The skill of that name.

        Raises:
            UnknownSkillError: there is none.
            SkillRefused: it has problems.
            YunjueError: its project is not trusted.
        """
        entry = self.get(name)
        if entry.status == "untrusted":
            raise YunjueError(
                f"The skill {name} is of a project that is not trusted: {entry.why}.",
                hint="Look at it with `yunjue skills show`; `yunjue skills trust` allows it.",
            )
        if entry.skill is None:
            raise refused(name, entry.problems)
        return entry.skill


def open_shelf(project: Path | None = None) -> Shelf:
    """Find all skills.

    Args:
        project: its folder; the working folder by default.
    """
    project = project or Path.cwd()
    found = [
        *_judged(project, list(project_entries(project))),
        *(entry for place in _other_places(project) for entry in _entries(place)),
    ]
    entries: list[Entry] = []
    usable: dict[str, Entry] = {}
    for entry in found:
        if entry.status == "usable" and entry.name in usable:
            first = usable[entry.name]
            why = f"{first.folder} has the name first"
            entry = replace(entry, status="shadowed", why=why)
        elif entry.status == "usable":
            usable[entry.name] = entry
        entries.append(entry)
    return Shelf(entries)


def user_folder() -> Path:
    """Where skills go that the user adds."""
    return home() / "skills"


def shipped_folder() -> Path:
    return Path(yunjue.__file__).parent / SHIPPED


def project_entries(project: Path) -> Iterator[Entry]:
    """The skills of a project, as if it were trusted."""
    for folder in PROJECT_FOLDERS:
        yield from _entries(Place("project", project / folder))


def project_content(entries: Sequence[Entry], project: Path) -> str:
    """The content id of a project's skills, which trust is for."""
    return content_id(
        {entry.folder.relative_to(project).as_posix(): _folder_id(entry) for entry in entries}
    )


def _folder_id(entry: Entry) -> str:
    """Of what was read: a skill that is refused is not used, but its repair must be seen."""
    return entry.skill.id if entry.skill else files_id(read_files(entry.folder)[0])


def _judged(project: Path, entries: list[Entry]) -> list[Entry]:
    """The project's entries, untrusted unless the user trusts just this content."""
    if not entries:
        return []
    try:
        given = trusted(project)
        why = "" if given else "no trust was given"
        if given and given.content != project_content(entries, project):
            why = "its skills changed since trust was given"
    except YunjueError as error:
        why = error.message.rstrip(".")
    return [replace(entry, status="untrusted", why=why) for entry in entries] if why else entries


def _other_places(project: Path) -> Iterator[Place]:
    own = {(project / folder).resolve() for folder in PROJECT_FOLDERS}
    places = [
        Place("user", user_folder()),
        Place("user", Path.home() / ".agents/skills"),
        *(Place("plugin", Path(folder)) for folder in plugins().skill_folders().values()),
        Place("shipped", shipped_folder()),
    ]
    # With the user's home as the working folder, its skills are the project's: not twice.
    return (place for place in places if place.folder.resolve() not in own)


def _entries(place: Place) -> Iterator[Entry]:
    """Each folder of the place that has a SKILL.md, by name."""
    try:
        names = sorted(one.name for one in place.folder.iterdir() if not one.name.startswith("."))
    except OSError:
        return
    for name in names[:MAX_SKILLS]:
        folder = place.folder / name
        if not folder.is_dir() or not os.path.lexists(folder / SKILL_FILE):
            continue
        linked = place.owner == "project" and _linked(folder)
        problem = [Problem(name, 0, "is a link: a project's skills must be in it")]
        skill, problems = (None, problem) if linked else read_skill(folder)
        status: Status = "usable" if skill else "refused"
        why = "" if skill else str(problems[0])
        yield Entry(name, place.owner, folder, skill, problems, status, why)
    if len(names) > MAX_SKILLS:
        why = f"{place.folder} has more than {MAX_SKILLS} entries; the others are not looked at"
        yield Entry(names[MAX_SKILLS], place.owner, place.folder, None, (), "refused", why)


def _linked(folder: Path) -> bool:
    """Whether it, or what holds it up to the project, is a link."""
    return any(one.is_symlink() for one in (folder, folder.parent, folder.parent.parent))

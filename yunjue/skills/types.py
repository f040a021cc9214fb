"""What a skill is, once it was read and checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from yunjue.errors import SkillRefused
from yunjue.hashing import content_id

SKILL_FILE = "SKILL.md"

FOLDERS = ("scripts", "references", "assets")
"""Folders that the specification names; a skill may have others."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file of a skill.

    Attributes:
        path: within the skill's folder.
        line: counted from 1; 0 when it is about the whole file.
    """

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.message}"

    def to_dict(self) -> dict[str, object]:
        return {"path": self.path, "line": self.line, "message": self.message}


@dataclass(frozen=True, slots=True)
class Allowed:
    """The member ``allowed-tools``, sorted by who knows the names.

    Attributes:
        tools: names of tools in the form of Yunjue's library.
        actions: Yunjue's own actions, such as ``request_tools``.
        foreign: what other programs call their tools, such as ``Bash(git:*)``. It allows
            nothing here and forbids nothing.
    """

    tools: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    def restricts(self) -> bool:
        """Whether it names anything that Yunjue knows: then it allows only that."""
        return bool(self.tools or self.actions)

    def all(self) -> list[str]:
        return [*self.tools, *self.actions, *self.foreign]


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill without problems.

    Attributes:
        files: path within the folder -> content, ``SKILL.md`` included.
        notes: what is allowed and still worth a look.
    """

    name: str
    description: str
    body: str
    license: str = ""
    compatibility: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    allowed: Allowed | None = None
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    notes: Sequence[Problem] = ()

    @property
    def id(self) -> str:
        """The content id of all its files."""
        return files_id(self.files)

    @property
    def scripts(self) -> dict[str, str]:
        """stem -> path of the scripts that can be run: Python, directly in ``scripts/``."""
        found = (re.fullmatch(r"scripts/([^/]+)\.py", path) for path in sorted(self.files))
        return {match[1]: match[0] for match in found if match}

    @property
    def resources(self) -> list[str]:
        """Paths of all other files that may be read."""
        runnable = set(self.scripts.values())
        return [path for path in sorted(self.files) if path not in (SKILL_FILE, *runnable)]


def files_id(files: Mapping[str, bytes]) -> str:
    """The content id of a folder's files."""
    return content_id({path: hashlib.sha256(data).hexdigest() for path, data in files.items()})


def refused(name: str, problems: Sequence[Problem]) -> SkillRefused:
    """The error that says all problems, the first few in its message."""
    shown = "; ".join(map(str, problems[:3]))
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    return SkillRefused(
        f"The skill {name} is not taken: {shown}{more}.".replace("..", "."),
        [one.to_dict() for one in problems],
    )

"""Which projects' skills may be used: those the user has looked at, as they were then.

A project's folder comes with a clone or a download; what its skills say would reach the model,
and their scripts the sandbox. So none is used before the user trusts the project, and trust is
for the content: one changed byte, and the user is asked anew.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yunjue.config import home
from yunjue.errors import YunjueError
from yunjue.files import locked, write_whole

FILE = "trusted-projects.json"
MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Trusted:
    """A project whose skills the user trusts.

    Attributes:
        content: content id of all its skills when trust was given.
        time: seconds since the epoch.
    """

    project: str
    content: str
    time: float


def trusted(project: Path) -> Trusted | None:
    """What the user trusts of ``project``.

    Raises:
        YunjueError: the file cannot be read; nothing is trusted then.
    """
    entry = _read().get(_key(project))
    return Trusted(_key(project), entry["content"], entry["time"]) if entry else None


def trust(project: Path, content: str) -> None:
    """Trust the skills of ``project`` with this content, and no others of it."""
    with locked(home() / f"{FILE}.lock"):
        entry = {"content": content, "time": round(time.time(), 3)}
        _write({**_read(), _key(project): entry})


def untrust(project: Path) -> bool:
    """Take the trust back; False if there was none."""
    with locked(home() / f"{FILE}.lock"):
        projects = _read()
        found = projects.pop(_key(project), None)
        if found:
            _write(projects)
    return found is not None


def _key(project: Path) -> str:
    return str(project.resolve())


def _read() -> dict[str, dict[str, Any]]:
    path = home() / FILE
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError
        projects = json.loads(path.read_bytes())["projects"]
        for entry in projects.values():
            if not (isinstance(entry["content"], str) and isinstance(entry["time"], float)):
                raise ValueError
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise YunjueError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise YunjueError(
            f"{path} is damaged: it does not say which projects are trusted.",
            hint="Remove it, and give trust again with `yunjue skills trust`.",
        ) from None
    return projects


def _write(projects: Mapping[str, Any]) -> None:
    document = {"projects": dict(sorted(projects.items()))}
    write_whole(home() / FILE, json.dumps(document, indent=1).encode())

"""What a tool imports beyond the standard library and pydantic: wheels, and only wheels.

Requirements are resolved once, to exact versions with the hash of every wheel (the lock).
The wheels are installed into a folder named by the lock, which is mounted read-only in the
sandbox; two tools that want different versions have two folders. Nothing of a package runs
on the host: no build, no setup.py.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, canonicalize_name

from yunjue.errors import DependencyError
from yunjue.files import write_whole
from yunjue.hashing import content_id
from yunjue.sandbox.keyed import keyed_folder
from yunjue.sandbox.uv import Target, uv_pip

MAX_REQUIREMENTS = 20
MAX_CHARS = 200
MAX_PACKAGES = 80
"""With what the requirements themselves require."""
MAX_MIB = 2048
"""Installed, of one tool."""


def parse(requirements: Sequence[str]) -> list[str]:
    """The requirements in one normal form, sorted, without duplicates.

    Raises:
        DependencyError: one is no plain ``name[extras]<versions>; markers``, or there are
            too many.
    """
    if len(requirements) > MAX_REQUIREMENTS:
        raise DependencyError(
            f"{len(requirements)} requirements; a tool may have at most {MAX_REQUIREMENTS}."
        )
    return sorted({_parse(text) for text in requirements})


def _parse(text: str) -> str:
    shown = repr(text[:MAX_CHARS])
    if len(text) > MAX_CHARS or not text.isprintable():
        raise DependencyError(f"The requirement {shown} is too long or has control characters.")
    try:
        parsed = Requirement(text)
        name = canonicalize_name(parsed.name, validate=True)
    except (InvalidRequirement, InvalidName):
        raise DependencyError(f"{shown} is no requirement.") from None
    if parsed.url:
        raise DependencyError(f"The requirement {shown} names a URL or a path.")
    extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
    marker = f"; {parsed.marker}" if parsed.marker else ""
    return f"{name}{extras}{parsed.specifier}{marker}"


def install(
    requirements: Sequence[str],
    cache_dir: Path,
    *,
    target: Target | None = None,
    stop: threading.Event | None = None,
) -> Path | None:
    """Install ``requirements`` into a folder of ``cache_dir`` that is kept and used again.

    Args:
        target: whose wheels to take; None for this interpreter's.
        stop: ends the wait when set, with :class:`yunjue.sandbox.session.Stopped`.

    Returns:
        The folder to put on ``sys.path``, or None if nothing is required.

    Raises:
        DependencyError: a requirement is refused, has no wheel, does not come in time, or
            brings too much.
    """
    wanted = parse(requirements)
    if not wanted:
        return None
    stop = stop or threading.Event()
    try:
        lock = locked(wanted, cache_dir / "locks", target, stop)

        def build(folder: Path) -> dict[str, list[str]]:
            _fetch(lock, folder, target, stop)
            return {"requirements": wanted}

        key = content_id([lock, _about(target)])[:32]
        return keyed_folder(cache_dir, key, build, stop)[0]
    except OSError as error:
        raise DependencyError(f"Requirements cannot be kept: {error}.", hint="") from error


def locked(wanted: list[str], folder: Path, target: Target | None, stop: threading.Event) -> str:
    """The lock of the parsed requirements: the one in ``folder``, else a new one, kept there.

    It is the text of a requirements file with exact versions and hashes. Raises as
    :func:`install`.
    """
    place = folder / f"{content_id([wanted, _about(target)])[:32]}.json"
    found = _kept(place)
    if found is None:
        found = _resolve(wanted, target, stop)
        packages = len(re.findall(r"^\S+==", found, re.MULTILINE))
        if packages > MAX_PACKAGES:
            raise DependencyError(
                f"{', '.join(wanted)} bring {packages} packages; at most {MAX_PACKAGES} may come."
            )
        folder.mkdir(parents=True, exist_ok=True)
        note = {"requirements": wanted, "lock": found, "sha256": content_id(found)}
        write_whole(place, json.dumps(note).encode())
    return found


def _kept(place: Path) -> str | None:
    """The lock in this file; None if there is none or it was damaged."""
    try:
        note = json.loads(place.read_bytes())
        return note["lock"] if content_id(note["lock"]) == note["sha256"] else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _about(target: Target | None) -> list[str]:
    return [target.python, target.platform] if target else [sys.version, sys.platform]


def _resolve(wanted: list[str], target: Target | None, stop: threading.Event) -> str:
    with tempfile.TemporaryDirectory(prefix="yunjue-lock-") as name:
        folder = Path(name)
        (folder / "wanted.in").write_text("\n".join(wanted) + "\n", "utf-8")
        flags = ["--generate-hashes", "--no-header", "--no-annotate", "--no-strip-markers"]
        files = ["wanted.in", "--output-file", "lock.txt"]
        uv_pip(["compile", *flags, *files], folder, target, stop)
        return (folder / "lock.txt").read_text("utf-8")


def _fetch(lock: str, folder: Path, target: Target | None, stop: threading.Event) -> None:
    """Install the lock's wheels into ``folder``; each must have a hash that the lock names."""
    with tempfile.TemporaryDirectory(prefix="yunjue-lock-") as name:
        file = Path(name) / "lock.txt"
        file.write_text(lock, "utf-8")
        flags = ["--link-mode", "copy", "--target", str(folder), "--no-deps", "--require-hashes"]
        flags += [] if target else ["--compile-bytecode"]
        uv_pip(["install", *flags, "--requirement", str(file)], folder, target, stop)
    (folder / ".lock").unlink(missing_ok=True)
    size = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) >> 20
    if size > MAX_MIB:
        raise DependencyError(f"The requirements take {size} MiB; a tool may have {MAX_MIB}.")

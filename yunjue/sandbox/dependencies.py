"""What a tool imports beyond the standard library and pydantic: wheels, and only wheels.

Nothing of a package runs on the host: no build, no setup.py. The folder is mounted
read-only in the sandbox.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, canonicalize_name

from yunjue.errors import DependencyError
from yunjue.hashing import content_id
from yunjue.sandbox.keyed import keyed_folder
from yunjue.sandbox.session import Stopped

MAX_REQUIREMENTS = 20
MAX_CHARS = 200
INSTALL_SECONDS = 300.0
KEPT_VARIABLES = {"PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "NETRC", "SSL_CERT_FILE"}
KEPT_VARIABLES |= {"SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}


@dataclass(frozen=True, slots=True)
class Target:
    """The interpreter the wheels are for, where it is not this one: version ``3.12`` and
    uv's name of the platform, e.g. ``x86_64-unknown-linux-gnu``."""

    python: str
    platform: str


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
        DependencyError: a requirement is refused, has no wheel, or does not come in time.
    """
    wanted = parse(requirements)
    if not wanted:
        return None
    stop = stop or threading.Event()
    about = [target.python, target.platform] if target else [sys.version, sys.platform]
    key = content_id([wanted, about])[:32]

    def build(folder: Path) -> dict[str, list[str]]:
        _uv(wanted, folder, target, stop)
        return {"requirements": wanted}

    try:
        return keyed_folder(cache_dir, key, build, stop)[0]
    except OSError as error:
        raise DependencyError(f"Requirements cannot be kept: {error}.", hint="") from error


def _uv(wanted: list[str], folder: Path, target: Target | None, stop: threading.Event) -> None:
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", "install", "--quiet", "--no-progress", "--color", "never"]
    command += ["--only-binary", ":all:", "--link-mode", "copy", "--target", str(folder)]
    if target:
        command += ["--python-version", target.python, "--python-platform", target.platform]
    else:
        command += ["--python", sys.executable, "--compile-bytecode"]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [*command, "--", *wanted],
            cwd=folder,  # a project's pyproject.toml must have no say in this
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        _wait(process, stop)
        output.seek(0)
        said = " ".join(output.read().decode("utf-8", "replace").split())
    if process.returncode:
        raise DependencyError(f"{', '.join(wanted)} cannot be installed: {said[-600:]}")
    (folder / ".lock").unlink(missing_ok=True)


def _wait(process: subprocess.Popen[bytes], stop: threading.Event) -> None:
    deadline = time.monotonic() + INSTALL_SECONDS
    while True:
        try:
            process.wait(0.1)
            return
        except subprocess.TimeoutExpired:
            if not stop.is_set() and time.monotonic() < deadline:
                continue
            process.kill()
            process.wait()
            if stop.is_set():
                raise Stopped from None
            message = f"Installing took more than {INSTALL_SECONDS:g} s."
            raise DependencyError(
                message, hint="Check the network and the package index."
            ) from None


def _environment() -> dict[str, str]:
    """What uv needs to reach the index; the keys of models are not among it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() in KEPT_VARIABLES or name.startswith(("UV_", "XDG_"))
    }

"""Runs uv, which resolves and installs wheels on the host; nothing of them runs there."""

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

from yunjue.errors import DependencyError
from yunjue.sandbox.session import Stopped

SECONDS = 300.0
KEPT_VARIABLES = {"PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "NETRC", "SSL_CERT_FILE"}
KEPT_VARIABLES |= {"SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}


@dataclass(frozen=True, slots=True)
class Target:
    """The interpreter the wheels are for, where it is not this one: version ``3.12`` and
    uv's name of the platform, e.g. ``x86_64-unknown-linux-gnu``."""

    python: str
    platform: str


def uv_pip(
    arguments: Sequence[str], folder: Path, target: Target | None, stop: threading.Event
) -> None:
    """Run ``uv pip`` with these arguments, wheels only, in ``folder``.

    Raises:
        DependencyError: it failed, with what it said, or took more than 300 s.
        Stopped: ``stop`` was set.
    """
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", *arguments, "--quiet", "--no-progress", "--color", "never"]
    command += ["--only-binary", ":all:"]
    if target:
        command += ["--python-version", target.python, "--python-platform", target.platform]
    else:
        command += ["--python", sys.executable]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=folder,  # a project's pyproject.toml must have no say in this
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        _wait(process, stop)
        output.seek(0)
        said = " ".join(output.read().decode("utf-8", "replace").split())
    if process.returncode:
        raise DependencyError(f"The requirements cannot be installed: {said[-600:]}")


def environment() -> dict[str, str]:
    """What uv needs to reach the index; the keys of models are not among it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() in KEPT_VARIABLES or name.startswith(("UV_", "XDG_"))
    }


def _wait(process: subprocess.Popen[bytes], stop: threading.Event) -> None:
    deadline = time.monotonic() + SECONDS
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
            message = f"Installing took more than {SECONDS:g} s."
            raise DependencyError(
                message, hint="Check the network and the package index."
            ) from None

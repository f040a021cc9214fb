"""An image the user named: get it, and see what Python it has."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from yunjue.errors import SandboxUnavailable
from yunjue.sandbox import wire
from yunjue.sandbox.docker_stream import DockerStream
from yunjue.sandbox.session import START_SECONDS, Broken
from yunjue.sandbox.uv import Target

if TYPE_CHECKING:
    from docker import DockerClient

PYTHON = "python3"
OLDEST_PYDANTIC = (2, 11)

_LOOK = """
import json, platform, sys
try:
    from pydantic import VERSION
except ImportError:
    VERSION = "0"
libc = "gnu" if platform.libc_ver()[0] == "glibc" else "musl"
seen = {"python": platform.python_version(), "libc": libc, "pydantic": VERSION}
seen = json.dumps({**seen, "machine": platform.machine()}).encode()
sys.stdout.buffer.write(len(seen).to_bytes(4, "big") + seen)
sys.stdout.flush()
"""
LOOK_COMMAND = [PYTHON, "-I", "-B", "-c", _LOOK]


@dataclass(frozen=True, slots=True)
class Inside:
    """The Python of an image, and what must be installed for the runner to work on it."""

    target: Target
    requirements: tuple[str, ...]


def obtain(client: DockerClient, name: str) -> tuple[str, str]:
    """Make sure the engine has the image; its id, and a description for verdicts.

    Raises:
        SandboxUnavailable: it is neither here nor can be pulled.
    """
    from docker.errors import DockerException, ImageNotFound

    try:
        found = client.images.get(name)
    except ImageNotFound:
        try:
            found = client.images.pull(name)
        except DockerException as error:
            raise SandboxUnavailable(
                f"The image {name} is not here and cannot be pulled: {error}.",
                hint="Check the setting `image`; without it Yunjue makes its own base.",
            ) from error
    digests = found.attrs.get("RepoDigests") or [f"{name} {found.id}"]
    return found.id, digests[0]


def look(stream: DockerStream, name: str) -> Inside:
    """Read the answer of :data:`LOOK_COMMAND`, and end ``stream``.

    Raises:
        SandboxUnavailable: the image has no Python that will do.
    """
    try:
        deadline = time.monotonic() + START_SECONDS
        length = wire.frame_length(stream.receive(4, deadline), wire.SLACK)
        seen = wire.parse(stream.receive(length, deadline))
        version = tuple(int(part) for part in seen["python"].split(".")[:2])
        pydantic = tuple(int(part) for part in seen["pydantic"].split(".")[:2])
    except (Broken, wire.Malformed, KeyError, ValueError, AttributeError):
        said = wire.one_line(stream.errors.decode("utf-8", "replace"))
        raise SandboxUnavailable(
            f"The image {name} has no working {PYTHON} on its PATH. {said}".strip(),
            hint="The setting `image` must name one with Python >= 3.9, such as python:3-slim.",
        ) from None
    finally:
        stream.end()
    platform_name = f"{seen['machine']}-unknown-linux-{seen['libc']}"
    target = Target(".".join(map(str, version)), platform_name)
    if pydantic >= OLDEST_PYDANTIC:
        return Inside(target, ())
    return Inside(target, (f"pydantic=={metadata.version('pydantic')}",))

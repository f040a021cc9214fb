"""One container: the settings that take everything away, its start, and its removal."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from yunjue.errors import SandboxError, YunjueError
from yunjue.protocols import SandboxLimits
from yunjue.sandbox.docker_stream import DockerStream

if TYPE_CHECKING:
    from docker import DockerClient

LABEL = "yunjue"
USER = "65534:65534"
SCRATCH = "/tmp"  # noqa: S108 - inside the sandbox
MIB = 1 << 20
OWN_PROCESSES = 2
"""Init and the runner, on top of what the tool may have."""
GVISORS_PROCESSES = 256
"""The same with gVisor: threads of its kernel, and one of the host for each of a tool's."""
NOTHING = "ro,noexec,nosuid,nodev,size=4k"
REMOVALS = 10
"""Attempts to remove a container."""
EXIT_SECONDS = 5
"""From the last byte of a container to the engine's word on why it ended."""


@dataclass(frozen=True, slots=True)
class Container:
    """What is to run.

    Attributes:
        image: a reference the engine has.
        mounts: path inside -> host folder, read-only.
        podman: the engine is podman, which cannot bound the number of files in a tmpfs.
        runtime: the engine's name of another runtime than its default.
        gvisor: that runtime is gVisor, whose own kernel has threads that count as processes.
    """

    image: str
    command: Sequence[str]
    environment: Mapping[str, str]
    limits: SandboxLimits
    mounts: Mapping[str, Path] = field(default_factory=dict)
    podman: bool = False
    runtime: str | None = None
    gvisor: bool = False

    def host_config(self, client: DockerClient) -> dict[str, Any]:
        from docker.types import LogConfig, Mount, Ulimit

        limits = self.limits
        scratch = f"rw,noexec,nosuid,nodev,mode=1777,size={limits.scratch_mib * MIB}"
        if not self.podman:
            scratch += f",nr_inodes={256 * limits.scratch_mib}"
        profile = files("yunjue.sandbox") / "seccomp.json"
        # Podman wants the name of a file, which its service must be able to read.
        seccomp = str(profile) if self.podman else profile.read_text("utf-8")
        # Podman makes these writable in every container unless they are something else.
        podmans = {"/run": NOTHING, "/var/tmp": NOTHING} if self.podman else {}  # noqa: S108
        return client.api.create_host_config(
            # Not an argument of create_container: engines do not heed it there.
            runtime=self.runtime,
            network_mode="none",
            read_only=True,
            init=True,  # reaps, and keeps the tool from being PID 1, which signals spare
            ipc_mode="none",
            # Message queues are files that would stay from one call to the next.
            tmpfs={SCRATCH: scratch, "/dev/mqueue": NOTHING, **podmans},
            cap_drop=["ALL"],
            mem_limit=limits.memory_mib * MIB,
            memswap_limit=limits.memory_mib * MIB,  # memory and swap together: no swap
            pids_limit=limits.processes + (GVISORS_PROCESSES if self.gvisor else OWN_PROCESSES),
            nano_cpus=1_000_000_000,
            security_opt=["no-new-privileges:true", f"seccomp={seccomp}"],
            log_config=LogConfig(type="none"),  # else all that is printed fills the disk
            ulimits=[
                # Podman's default is more than a nested engine may give.
                *([Ulimit(name="nproc", soft=4096, hard=4096)] if self.podman else []),
                Ulimit(name="core", soft=0, hard=0),
                Ulimit(name="nofile", soft=256, hard=256),
                Ulimit(name="fsize", soft=limits.scratch_mib * MIB, hard=limits.scratch_mib * MIB),
            ],
            mounts=[
                Mount(target=target, source=str(source), type="bind", read_only=True)
                for target, source in self.mounts.items()
            ],
        )


def start(connect: Callable[[], DockerClient], what: Container, stop: Event) -> DockerStream:
    """Create, attach to and start a container; ``stream.end()`` removes it.

    Args:
        connect: a new client, which the stream closes in the end.

    Raises:
        SandboxError: the engine refused; nothing is left.
    """
    with engine_errors(SandboxError):
        client = connect()
        name = f"{LABEL}-{uuid.uuid4().hex}"
        try:
            client.api.create_container(
                what.image,
                name=name,
                entrypoint=list(what.command[:1]),
                command=list(what.command[1:]),
                environment=dict(what.environment),
                user=USER,
                working_dir=SCRATCH,
                hostname="sandbox",
                stdin_open=True,
                network_disabled=True,
                labels={LABEL: "1"},
                host_config=what.host_config(client),
            )
            # Before the start, so that no byte of output is lost.
            streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            attached = client.api.attach_socket(name, params=streams)
            client.api.start(name)
        except BaseException:
            _remove(client, name, gone=False)
            raise
    return DockerStream(attached, lambda gone: _remove(client, name, gone), stop)


def _remove(client: DockerClient, name: str, gone: bool) -> str:
    """Remove the container, dead or alive, and say why it died."""
    from docker.errors import DockerException, NotFound
    from requests import RequestException

    death = "crashed"
    try:
        with contextlib.suppress(DockerException, RequestException):
            if gone:  # the flag is set a moment after the last byte
                client.api.wait(name, timeout=EXIT_SECONDS)
            # A child can die of memory while its parent returns 0: the exit code won't tell.
            if client.api.inspect_container(name)["State"]["OOMKilled"]:
                death = "memory"
        with engine_errors(SandboxError), contextlib.suppress(NotFound):
            _force_away(client, name)
    finally:
        client.close()
    return death


def _force_away(client: DockerClient, name: str) -> None:
    """Remove it. Podman refuses that for a moment while a container stops by itself."""
    from docker.errors import APIError, NotFound

    for attempt in range(REMOVALS):
        try:
            client.api.remove_container(name, v=True, force=True)
            return
        except NotFound:
            raise
        except APIError:
            if attempt + 1 == REMOVALS:
                raise
            time.sleep(0.2)


@contextlib.contextmanager
def engine_errors(kind: type[YunjueError]) -> Iterator[None]:
    """Turn what the SDK raises into ``kind``, an error of ours."""
    from docker.errors import DockerException
    from requests import RequestException

    try:
        yield
    except (DockerException, RequestException) as error:
        explanation = getattr(error, "explanation", None) or error
        raise kind(f"The container engine failed: {explanation}.") from error

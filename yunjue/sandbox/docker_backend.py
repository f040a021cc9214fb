"""The strongest backend: a container per job, with everything taken away that can be."""

from __future__ import annotations

import tempfile
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from yunjue.errors import SandboxError, SandboxUnavailable
from yunjue.protocols import Isolation, SandboxJob, SandboxLimits
from yunjue.sandbox import custom_image, dependencies, image, leftovers
from yunjue.sandbox.backend import ENVIRONMENT, Backend, about, runner_command
from yunjue.sandbox.container import SCRATCH, Container, engine_errors, start
from yunjue.sandbox.gate import MOUNT
from yunjue.sandbox.session import Session
from yunjue.sandbox.warm import Ground

if TYPE_CHECKING:
    from docker import DockerClient

STALE_SECONDS = 3600
"""A stopped container of ours this old was left by a process that was killed."""
ENGINE_SECONDS = 120
"""Longest an answer of the engine may take, imports and pulls of images aside."""


class DockerSandbox(Backend):
    """Needs a container engine: the one of ``DOCKER_HOST``, else the system's.

    Args:
        image: a container image with Python to use; None for our own base, made here.
        runtime: one the engine knows by name, e.g. ``runsc``; None for its default.
    """

    name = "docker"

    def __init__(self, image: str | None = None, runtime: str | None = None) -> None:
        super().__init__()
        self.isolation = Isolation(True, True, True, True, True, True)
        self.image = image or "yunjue-base"
        self._named = image
        self._runtime = runtime
        self._gvisor = False
        self._version = "auto"
        self._podman = False
        self._reference = ""
        self._python = custom_image.PYTHON
        self._inside: custom_image.Inside | None = None

    def _prepare(self, stop: threading.Event) -> None:
        with engine_errors(SandboxUnavailable), closing(self._connect()) as client:
            self._learn(client)
            leftovers.reap(client, older_than=STALE_SECONDS)
            if self._named:
                self._reference, self.image = custom_image.obtain(client, self._named)
            else:
                self._own_base(client, stop)
        try:
            if self._named:
                looking = self._container(custom_image.LOOK_COMMAND, SandboxLimits())
                self._inside = custom_image.look(start(self._connect, looking, stop), self._named)
            else:
                self._begin(Ground(SandboxJob(""), None, None, stop)).stream.end()
        except SandboxError as error:
            message = f"The container engine cannot run the sandbox: {error.message}"
            raise SandboxUnavailable(message) from error

    def _connect(self) -> DockerClient:
        import docker

        return docker.from_env(version=self._version, timeout=ENGINE_SECONDS)

    def _learn(self, client: DockerClient) -> None:
        """What this engine can do; some engines ignore limits that their host lacks."""
        version, info = client.version(), client.info()
        self._version = version["ApiVersion"]
        runtimes = sorted(info.get("Runtimes") or {})
        if self._runtime and self._runtime not in runtimes:
            raise SandboxUnavailable(
                f"The container engine has no runtime {self._runtime}, only {', '.join(runtimes)}.",
                hint="Add it to the engine's configuration, or change the setting runtime.",
            )
        chosen = (info.get("Runtimes") or {}).get(self._runtime) or {}
        self._gvisor = Path(str(chosen.get("path"))).name == "runsc"
        parts = version.get("Components") or ()
        self._podman = any("podman" in str(part.get("Name")).lower() for part in parts)
        self.isolation = Isolation(
            network=True,
            filesystem=True,
            memory=bool(info.get("MemoryLimit") and info.get("SwapLimit")),
            cpu=bool(info.get("CpuCfsQuota", info.get("CPUCfsQuota"))),
            processes=bool(info.get("PidsLimit")),
            syscalls=any("seccomp" in option for option in info.get("SecurityOptions") or ()),
        )

    def _own_base(self, client: DockerClient, stop: threading.Event) -> None:
        base = image.base(self.cache, stop)
        self.image, self._reference, self._python = base.tag, base.tag, image.PYTHON
        if not self._image_is_there(client):
            with tempfile.NamedTemporaryFile(dir=self.cache, suffix=".tar") as tar:
                image.write_tar(base.root, tar)
                tar.flush()
                # The tag in one with the name: podman does not heed one beside it.
                client.api.import_image_from_file(tar.name, repository=base.tag)

    def _install(self, job: SandboxJob, stop: threading.Event) -> Path | None:
        if self._inside is None:
            return super()._install(job, stop)
        wanted = [*job.requirements, *self._inside.requirements]
        folder = self.cache / "deps"
        return dependencies.install(wanted, folder, target=self._inside.target, stop=stop)

    def _start(self, ground: Ground) -> Session:
        try:
            return self._begin(ground)
        except SandboxError:
            with engine_errors(SandboxError), closing(self._connect()) as client:
                there = self._image_is_there(client)
            if there:
                raise
            self._prepare(ground.stop)  # somebody removed it: make or pull it again
            return self._begin(ground)

    def _image_is_there(self, client: DockerClient) -> bool:
        from docker.errors import ImageNotFound

        try:
            client.images.get(self._reference)
        except ImageNotFound:
            return False
        return True

    def _begin(self, ground: Ground) -> Session:
        way = ground.gate.folder if ground.gate else None
        mounts = {"/deps": ground.deps, "/inputs": ground.inputs, MOUNT: way}
        present = {target: folder for target, folder in mounts.items() if folder}
        limits = ground.job.limits
        container = self._container(runner_command(self._python), limits, present)
        stream = start(self._connect, container, ground.stop)
        paths = [path for path in ("/deps",) if ground.deps]
        if self._inside is None:
            paths.insert(0, image.SITE)
        return Session(stream, ground.job, about(paths, SCRATCH, {}, None, bool(way)))

    def _container(
        self, command: list[str], limits: SandboxLimits, mounts: dict[str, Path] | None = None
    ) -> Container:
        # The image knows best where its programs are.
        environment = {name: value for name, value in ENVIRONMENT.items() if name != "PATH"}
        return Container(
            self._reference,
            command,
            environment,
            limits,
            mounts or {},
            self._podman,
            self._runtime,
            self._gvisor,
        )

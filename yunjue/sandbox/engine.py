"""A container engine of one's own, for tests and for machines where none runs.

``python -m yunjue.sandbox.engine start DIR`` prints the ``DOCKER_HOST`` to use, ``stop DIR``
ends it. It leaves the host's network alone, which the sandbox does not use anyway. Needs
root and the program ``dockerd``. Where gVisor is installed (``runsc``), the engine has it as the
runtime ``runsc``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from yunjue.errors import SandboxUnavailable, UsageError, YunjueError

START_SECONDS = 60
STOP_SECONDS = 30
LONGEST_SOCKET = 100
"""Bytes of a socket's path; the kernel takes 107."""


@contextlib.contextmanager
def private_engine(directory: Path) -> Iterator[str]:
    """Run an engine that keeps all it has in ``directory``; yields its ``DOCKER_HOST``.

    Raises:
        SandboxUnavailable: there is no dockerd, or it does not start.
    """
    host = start(directory)
    try:
        yield host
    finally:
        stop(directory)


def start(directory: Path) -> str:
    """Start the engine and wait until it answers; its ``DOCKER_HOST``. Raises as
    :func:`private_engine`."""
    directory = directory.absolute()
    program = shutil.which("dockerd") or shutil.which("dockerd", path="/usr/sbin:/sbin")
    if program is None:
        raise SandboxUnavailable("The program dockerd is not installed.")
    socket = directory / "docker.sock"
    if len(os.fsencode(socket)) > LONGEST_SOCKET:
        raise UsageError(f"The path {directory} is too long for the engine's socket.")
    if _pid(directory):
        raise UsageError(f"An engine already runs in {directory}.")
    directory.mkdir(parents=True, exist_ok=True)
    host = f"unix://{socket}"
    command = [program, "-H", host, "--data-root", str(directory / "data")]
    command += ["--exec-root", str(directory / "exec"), "--pidfile", str(_pidfile(directory))]
    command += ["--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"]
    command += ["--config-file", str(_configuration(directory))]
    with open(directory / "dockerd.log", "wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if socket.exists() and _answers(host):
                return host
            time.sleep(0.05)
        said = (directory / "dockerd.log").read_text("utf-8", "replace")[-500:]
        raise SandboxUnavailable(f"dockerd did not start: {' '.join(said.split())}")
    except BaseException:
        process.terminate()  # takes its containerd with it, which a kill would not
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        process.kill()
        process.wait()
        stop(directory)
        raise


def _configuration(directory: Path) -> Path:
    """The engine's configuration file."""
    gvisor = shutil.which("runsc")
    # What it needs no hardware for; the sandbox wants no network.
    arguments = ["--platform=ptrace", "--network=none"]
    runtimes = {"runsc": {"path": gvisor, "runtimeArgs": arguments}} if gvisor else {}
    path = directory / "daemon.json"
    path.write_text(json.dumps({"runtimes": runtimes}))
    return path


def stop(directory: Path) -> None:
    """Remove its containers, end the engine, and unmount what it left. Idempotent."""
    directory = directory.absolute()
    pid = _pid(directory)
    if pid:
        _remove_containers(f"unix://{directory / 'docker.sock'}")
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _runs(pid, directory):
            if time.monotonic() > deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
    mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    below = [point for point in (line.split()[4] for line in mounts) if _inside(point, directory)]
    for point in sorted(below, reverse=True):
        subprocess.run(["umount", "-l", point], check=False, capture_output=True)


def _answers(host: str) -> bool:
    import docker
    from docker.errors import DockerException
    from requests import RequestException

    try:
        client = docker.DockerClient(base_url=host, timeout=5)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (DockerException, RequestException):
        return False


def _remove_containers(host: str) -> None:
    import docker
    from docker.errors import DockerException
    from requests import RequestException

    with contextlib.suppress(DockerException, RequestException):
        client = docker.DockerClient(base_url=host, timeout=30)
        for found in client.api.containers(all=True):
            with contextlib.suppress(DockerException):
                client.api.remove_container(found["Id"], v=True, force=True)
        client.close()


def _pidfile(directory: Path) -> Path:
    return directory / "dockerd.pid"


def _pid(directory: Path) -> int | None:
    """The pid of the engine in ``directory``, if it runs."""
    try:
        pid = int(_pidfile(directory).read_text())
    except (OSError, ValueError):
        return None
    return pid if _runs(pid, directory) else None


def _runs(pid: int, directory: Path) -> bool:
    """Whether ``pid`` is this engine, and neither a zombie nor some later process."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        return os.fsencode(_pidfile(directory)) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _inside(point: str, directory: Path) -> bool:
    return Path(point).is_relative_to(directory)


def main(arguments: list[str]) -> int:
    try:
        action, directory = arguments
        if action == "start":
            print(f"DOCKER_HOST={start(Path(directory))}")
        elif action == "stop":
            stop(Path(directory))
        else:
            raise ValueError
    except ValueError:
        print("usage: python -m yunjue.sandbox.engine start|stop DIR", file=sys.stderr)
        return 2
    except YunjueError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

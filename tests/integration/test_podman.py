"""The container backend with Podman's service in the place of Docker's engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import docker
import pytest
from conftest import missing
from tool_files import DOUBLE

from yunjue.protocols import SandboxJob
from yunjue.sandbox.conformance.check import PROBES, attempt
from yunjue.sandbox.docker_backend import DockerSandbox

pytestmark = pytest.mark.integration

PARTS = ("network", "filesystem", "processes", "syscalls")


@pytest.fixture(scope="module")
def podman():
    """``DOCKER_HOST`` points to a Podman of its own, run as root, with a store of its own."""
    if os.getuid() or not shutil.which("podman"):
        missing("no rootful podman: `apt-get install podman catatonit` brings it")
    folder = Path(tempfile.mkdtemp(prefix="yj-"))  # a socket's path must be short
    host = f"unix://{folder}/podman.sock"
    store = ["--root", str(folder / "root"), "--runroot", str(folder / "run")]
    command = ["podman", *store, "--cgroup-manager=cgroupfs"]
    if shutil.which("runc"):  # crun wants one version of control groups, not both
        command += ["--runtime", "runc"]
    service = subprocess.Popen(
        [*command, "system", "service", "-t", "0", host],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while not (folder / "podman.sock").exists():
            assert service.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", host)
            yield host
    finally:
        subprocess.run([*command, "rm", "-fa"], capture_output=True)
        service.terminate()
        service.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_sandbox(podman, home, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    return DockerSandbox()


async def test_tools_run_and_are_contained(podman, own_sandbox):
    client = docker.DockerClient(base_url=podman)
    engine = client.version()["Components"][0]["Name"]
    assert "podman" in engine.lower()
    warm = [SandboxJob(DOUBLE, [{"value": value}], warm=True) for value in (4, 5)]
    outcomes = [(await own_sandbox.call(job))[0] for job in warm]
    assert [outcome.output for outcome in outcomes] == [{"result": 8}, {"result": 10}]
    failed = {}
    for probe in (one for one in PROBES if one.part in PARTS):
        if problem := await attempt(own_sandbox, probe):
            failed[probe.name] = problem
    await own_sandbox.close()
    assert failed == {}
    assert client.containers.list(all=True) == []
    client.close()

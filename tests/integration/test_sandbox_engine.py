"""The private engine starts, answers, and takes everything with it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tool_files import DOUBLE, tool

from yunjue.errors import SandboxError, UsageError
from yunjue.protocols import SandboxJob, SandboxLimits
from yunjue.sandbox.docker_backend import DockerSandbox
from yunjue.sandbox.engine import private_engine, start, stop

pytestmark = pytest.mark.integration


@pytest.fixture
def folder():
    if os.geteuid() or not (shutil.which("dockerd") or Path("/usr/sbin/dockerd").exists()):
        pytest.skip("needs root and dockerd")
    folder = Path(tempfile.mkdtemp(prefix="yj-"))
    yield folder
    shutil.rmtree(folder)


def left(folder: Path) -> list[str]:
    """Processes that name the folder, and mounts below it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in entry.read_bytes():
                found.append(str(entry))
        except OSError:
            continue
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    return found + [line for line in mounts if str(folder) in line]


def test_as_a_context(folder):
    import docker

    with private_engine(folder) as host:
        client = docker.DockerClient(base_url=host)
        assert client.ping()
        client.close()
        with pytest.raises(UsageError, match="already runs"):
            start(folder)
    assert left(folder) == []


def test_as_a_command(folder):
    command = [sys.executable, "-m", "yunjue.sandbox.engine"]
    started = subprocess.run([*command, "start", str(folder)], capture_output=True, text=True)
    try:
        assert started.stdout == f"DOCKER_HOST=unix://{folder}/docker.sock\n", started.stderr
    finally:
        stopped = subprocess.run([*command, "stop", str(folder)], check=False)
    assert stopped.returncode == 0 and left(folder) == []
    assert subprocess.run([*command, "stop", str(folder)], check=False).returncode == 0


def test_path_too_long(tmp_path):
    with pytest.raises(UsageError, match="too long"):
        start(tmp_path / ("d" * 120))


async def test_an_engine_that_stops_in_mid_call(folder, home, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    monkeypatch.setenv("DOCKER_HOST", start(folder))
    sandbox = DockerSandbox()
    try:
        await sandbox.prepare()
        limits = SandboxLimits(seconds=60)
        job = SandboxJob(tool("time.sleep(60)"), [{}], limits=limits)
        calling = asyncio.create_task(sandbox.call(job))
        await asyncio.sleep(3)
        assert not calling.done()
        await asyncio.to_thread(stop, folder)
        async with asyncio.timeout(30):
            try:
                [outcome] = await calling
                assert outcome.status == "failed"
            except SandboxError as error:
                assert "engine" in error.message
        with pytest.raises(SandboxError, match="engine"):
            await sandbox.call(SandboxJob(DOUBLE, [{"value": 4}]))
        start(folder)
        [outcome] = await sandbox.call(SandboxJob(DOUBLE, [{"value": 4}]))
        assert outcome.output == {"result": 8}
    finally:
        await sandbox.close()
        stop(folder)

"""What only the container backend does: images, labels, and nothing left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tool_files import DOUBLE, tool

from yunjue.config import Settings
from yunjue.errors import SandboxUnavailable
from yunjue.protocols import SandboxJob, SandboxLimits
from yunjue.sandbox import leftovers
from yunjue.sandbox.docker_backend import DockerSandbox
from yunjue.sandbox.select import open_sandbox

pytestmark = pytest.mark.integration

HOSTS_KERNEL = Path("/proc/version").read_text()


@pytest.fixture
def client(engine):
    import docker

    client = docker.from_env()
    yield client
    client.close()


def ours(client):
    return client.api.containers(all=True, filters={"label": "yunjue=1"})


async def test_container_is_as_it_was_asked_for(docker_sandbox, client):
    job = SandboxJob(tool("time.sleep(30)"), [{}], limits=SandboxLimits(seconds=30))
    task = asyncio.create_task(docker_sandbox.call(job))
    found = []
    while not found:
        await asyncio.sleep(0.05)
        found = [one for one in ours(client) if one["State"] == "running"]
    seen = client.api.inspect_container(found[0]["Id"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    host, limits = seen["HostConfig"], job.limits
    assert seen["Config"]["User"] == "65534:65534"
    assert (host["NetworkMode"], host["IpcMode"], host["Init"]) == ("none", "none", True)
    assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["Privileged"]
    assert host["Memory"] == host["MemorySwap"] == limits.memory_mib << 20
    assert host["NanoCpus"] == 10**9 and host["PidsLimit"] >= limits.processes
    assert host["LogConfig"]["Type"] == "none"
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert any(option.startswith("seccomp={") for option in host["SecurityOpt"])
    assert not ours(client)


@pytest.mark.parametrize(
    "body",
    ["return {'result': 1}", "while True: pass", "os.kill(-1, 9)", "b'1' * (2 << 30)"],
)
async def test_no_container_remains(docker_sandbox, client, body):
    limits = SandboxLimits(seconds=1, memory_mib=128)
    await docker_sandbox.call(SandboxJob(tool(body), [{}, {}], limits=limits))
    await docker_sandbox.inspect(SandboxJob("def f(:"))
    assert not ours(client)


async def test_memory_of_the_runner_itself(docker_sandbox, client):
    """The kernel may also pick the runner; the reason is still memory."""
    filler = {"text": "x" * (64 << 20)}
    source = tool("return {'result': len(input.text)}", inputs="text: str")
    limits = SandboxLimits(seconds=20, memory_mib=64)
    [outcome] = await docker_sandbox.call(SandboxJob(source, [filler], limits=limits))
    assert (outcome.status, outcome.reason) == ("failed", "memory"), outcome
    assert not ours(client)


async def test_image_of_the_users(docker_sandbox, client, home, monkeypatch):
    """Our base under another name: pydantic is not on its path, so it comes as wheels."""
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    client.images.get(docker_sandbox.image).tag("users-own", "1")
    sandbox = DockerSandbox(image="users-own:1")
    try:
        source = tool("import roman, pydantic\nreturn {'result': pydantic.__file__}")
        [outcome] = await sandbox.call(SandboxJob(source, [{}], requirements=["roman"]))
        assert outcome.output["result"].startswith("/deps/"), outcome
        assert "users-own:1" in sandbox.image
    finally:
        await sandbox.close()
        client.images.remove("users-own:1")


async def test_runtime_by_name(engine, home, monkeypatch, client):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    other = "io.containerd.runc.v2"  # every dockerd has it beside its default
    await held_by(DockerSandbox(runtime=other), client, other)
    with pytest.raises(SandboxUnavailable, match="no runtime moon, only"):
        await DockerSandbox(runtime="moon").prepare()


async def test_gvisor(gvisor, home, monkeypatch, client):
    """Its kernel is not the host's."""
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    await held_by(DockerSandbox(runtime="runsc"), client, "runsc")
    sandbox = DockerSandbox(runtime="runsc")
    body = "return {'result': open('/proc/version').read()}"
    [outcome] = await sandbox.call(SandboxJob(tool(body), [{}]))
    await sandbox.close()
    assert outcome.status == "ok"
    assert outcome.output["result"] != HOSTS_KERNEL


async def held_by(sandbox, client, runtime):
    """A tool runs, and its warm container is one of this runtime."""
    before = {one["Id"] for one in ours(client)}
    outcomes = [
        (await sandbox.call(SandboxJob(DOUBLE, [{"value": value}], warm=True)))[0]
        for value in (4, 5)
    ]
    new = [one["Id"] for one in ours(client) if one["Id"] not in before]
    used = {client.api.inspect_container(one)["HostConfig"]["Runtime"] for one in new}
    await sandbox.close()
    assert [outcome.output for outcome in outcomes] == [{"result": 8}, {"result": 10}]
    assert used == {runtime}


async def test_image_that_was_removed_is_made_again(docker_sandbox, client):
    client.images.remove(docker_sandbox.image, force=True)
    [outcome] = await docker_sandbox.call(SandboxJob(DOUBLE, [{"value": 4}]))
    assert outcome.output == {"result": 8}


async def test_many_leftovers_are_removed(docker_sandbox, client):
    for _ in range(40):
        client.api.create_container(docker_sandbox.image, ["x"], labels={"yunjue": "1"})
    assert len(leftovers.containers(client)) >= 40
    assert not leftovers.reap(client, older_than=60)
    assert len(leftovers.reap(client)) >= 40
    assert leftovers.containers(client, running=False) == []


async def test_image_that_cannot_be_had(engine, home, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    sandbox = DockerSandbox(image="localhost:9/none:1")
    with pytest.raises(SandboxUnavailable, match="localhost:9/none:1"):
        await sandbox.prepare()


async def test_image_without_python(client, home, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    client.api.import_image_from_data(b"\0" * 10240, repository="empty", tag="1")
    try:
        with pytest.raises(SandboxUnavailable, match="python3"):
            await DockerSandbox(image="empty:1").prepare()
        assert not ours(client)
    finally:
        client.images.remove("empty:1")


async def test_engine_that_is_not_there(home, monkeypatch, tmp_path):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(SandboxUnavailable, match="engine"):
        await DockerSandbox().prepare()


async def test_second_start_builds_nothing(docker_sandbox, home, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    monkeypatch.setattr("yunjue.sandbox.image._build", None)
    monkeypatch.setattr("yunjue.sandbox.image.write_tar", None)
    sandbox = DockerSandbox()
    [outcome] = await sandbox.call(SandboxJob(DOUBLE, [{"value": 1}]))
    assert outcome.output == {"result": 2} and sandbox.image == docker_sandbox.image
    await sandbox.close()


async def test_automatic_choice(engine, home, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    warnings = []
    sandbox = await open_sandbox(Settings(), warnings.append)
    assert sandbox.name == "docker"
    assert bool(warnings) == bool(sandbox.isolation.missing())
    await sandbox.close()


async def test_automatic_choice_without_an_engine(bubblewrap_sandbox, home, monkeypatch, tmp_path):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    warnings = []
    sandbox = await open_sandbox(Settings(), warnings.append)
    assert sandbox.name == "bubblewrap"
    missing = sandbox.isolation.missing()
    assert [all(name in warning for name in missing) for warning in warnings] == [True] * bool(
        missing
    )
    await sandbox.close()

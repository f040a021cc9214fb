from __future__ import annotations

import pytest

from yunjue.config import Settings
from yunjue.errors import SandboxUnavailable, UsageError
from yunjue.protocols import Isolation
from yunjue.sandbox import select
from yunjue.sandbox.process import ProcessSandbox

ALL = Isolation(True, True, True, True, True, True)
SOME = Isolation(True, True, False, False, True, True)


class Stub:
    def __init__(self, name, works, isolation=ALL):
        self.name, self.works, self.isolation, self.closed = name, works, isolation, False

    async def prepare(self):
        if not self.works:
            raise SandboxUnavailable(f"{self.name} is missing.")

    async def close(self):
        self.closed = True


@pytest.fixture
def offer(monkeypatch):
    """Offer these stubs in place of the registered sandboxes."""

    def set_up(*stubs):
        class Offered:
            def choose(self, kind, name, settings):
                assert kind == "sandboxes"
                return {stub.name: stub for stub in stubs}[name]

        monkeypatch.setattr(select, "plugins", Offered)

    return set_up


async def choose(name, warnings):
    return await select.open_sandbox(Settings(sandbox=name), warnings.append)


async def test_the_engine_first(offer):
    offer(Stub("docker", True), Stub("bubblewrap", True, SOME))
    warnings = []
    assert (await choose("auto", warnings)).name == "docker"
    assert warnings == []


async def test_bubblewrap_second_with_a_warning(offer):
    docker = Stub("docker", False)
    offer(docker, Stub("bubblewrap", True, SOME))
    warnings = []
    assert (await choose("auto", warnings)).name == "bubblewrap"
    assert docker.closed
    assert warnings == ["The sandbox bubblewrap does not isolate: memory, cpu."]


async def test_nothing_works_and_the_host_is_never_used(offer):
    offer(Stub("docker", False), Stub("bubblewrap", False), Stub("process", True))
    with pytest.raises(
        SandboxUnavailable, match=r"docker is missing.*bubblewrap is miss"
    ) as caught:
        await choose("auto", [])
    assert "apt-get install" in caught.value.hint


async def test_a_named_one_is_never_replaced(offer):
    offer(Stub("docker", False), Stub("bubblewrap", True))
    with pytest.raises(SandboxUnavailable, match="docker"):
        await choose("docker", [])


async def test_unknown_name():
    with pytest.raises(UsageError, match="there are bubblewrap, docker, process"):
        await choose("vm", [])


async def test_the_host_only_on_demand():
    with pytest.raises(SandboxUnavailable, match="does not isolate"):
        await ProcessSandbox(allow_unsafe=False).prepare()
    assert len(ProcessSandbox(allow_unsafe=True).isolation.missing()) == 6

"""Real backends, made ready once. What is missing here is skipped, with the reason."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from yunjue.errors import SandboxUnavailable
from yunjue.sandbox.bubblewrap import BubblewrapSandbox
from yunjue.sandbox.docker_backend import DockerSandbox
from yunjue.sandbox.engine import private_engine

# The tool files of the unit tests serve here too.
sys.path.append(str(Path(__file__).parents[1] / "sandbox"))

LONGEST = ("test_kill.py", "test_evolve_kill.py", "test_golden_evolution.py")
"""Files that take minutes; begun last, one of them would run on alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


def missing(reason: str) -> None:
    """Skip on a user's machine; in CI a backend that is not there is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


ALONGSIDE = "PYTEST_XDIST_WORKER" in os.environ


def can_start_engines() -> bool:
    return os.getuid() == 0 and shutil.which("dockerd") is not None


def engine_answers() -> bool:
    import docker

    try:
        client = docker.from_env(timeout=10)
        client.ping()
        client.close()
        return True
    except docker.errors.DockerException:
        return False


@pytest.fixture(scope="session")
def engine():
    """``DOCKER_HOST`` points to an engine that works: the running one, or one of our own. Test
    processes side by side have one each: some tests remove every container there is."""
    if engine_answers() and not (ALONGSIDE and can_start_engines()):
        yield os.environ.get("DOCKER_HOST", "")
        return
    folder = Path(tempfile.mkdtemp(prefix="yj-"))  # a socket's path must be short
    try:
        with private_engine(folder) as host, pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", host)
            yield host
    except SandboxUnavailable as error:
        missing(f"no container engine: {error.message}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def gvisor(engine):
    """The engine has the runtime ``runsc``."""
    import docker

    client = docker.from_env()
    known = client.info()["Runtimes"]
    client.close()
    if "runsc" not in known:
        missing("the engine does not know gVisor's runsc")


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    """One home for all backends, so that the base is made once."""
    return tmp_path_factory.mktemp("home")


def ready(make, home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YUNJUE_HOME", str(home))
        sandbox = make()
    try:
        asyncio.run(sandbox.prepare())
    except SandboxUnavailable as error:
        missing(f"{sandbox.name}: {error.message}")
    return sandbox


@pytest.fixture(scope="session")
def docker_sandbox(engine, home):
    sandbox = ready(DockerSandbox, home)
    yield sandbox
    asyncio.run(sandbox.close())


@pytest.fixture(scope="session")
def bubblewrap_sandbox(home):
    sandbox = ready(BubblewrapSandbox, home)
    yield sandbox
    asyncio.run(sandbox.close())


@pytest.fixture(params=["docker", "bubblewrap"])
def sandbox(request):
    """Each backend that claims to isolate."""
    return request.getfixturevalue(f"{request.param}_sandbox")

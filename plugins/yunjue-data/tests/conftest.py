"""Every test has a home of its own; the sandbox's base is made once for all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from yunjue import config
from yunjue.bundle.folder import read_folder
from yunjue.errors import SandboxUnavailable
from yunjue.protocols import Outputs, SandboxJob, SandboxLimits
from yunjue.sandbox.bubblewrap import BubblewrapSandbox
from yunjue.synthesis.template import read_meta
from yunjue.types import CallOutcome

TOOLS = Path(__file__).parents[1] / "yunjue_data" / "tools"


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    """``YUNJUE_HOME``. The user's cache serves, if there is one: it has the sandbox's base and
    the wheels of the tools (150 MiB)."""
    folder = tmp_path_factory.mktemp("home")
    if (config.home() / "cache").is_dir():
        (folder / "cache").symlink_to(config.home() / "cache")
    return folder


@pytest.fixture(autouse=True)
def own_home(home, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def sandbox(home):
    """(a sandbox, what runs its coroutines)."""
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("YUNJUE_HOME", str(home))
        opened = BubblewrapSandbox()
        try:
            runner.run(opened.prepare())
        except SandboxUnavailable as error:
            if os.environ.get("CI"):
                pytest.fail(error.message)
            pytest.skip(error.message)
        yield opened, runner.run
        runner.run(opened.close())


@pytest.fixture(scope="session")
def sources() -> dict[str, str]:
    """name -> text of each tool, as it is shipped."""
    entries = read_folder(TOOLS)
    texts = [text.decode() for name, text in entries.items() if name.endswith(".py")]
    return {read_meta(text)["name"]: text for text in texts}


@pytest.fixture
def call(sources, sandbox, own_home, tmp_path) -> Callable[..., CallOutcome]:
    """Call a tool in a real sandbox: ``call("query_tables", [path, ...], sql="SELECT 1")``;
    the files it leaves are in ``left``."""

    def run(name: str, files: list[Path], limits: SandboxLimits | None = None, **inputs):
        job = SandboxJob(
            source=sources[name],
            calls=[inputs],
            requirements=read_meta(sources[name])["dependencies"],
            files={path.name: path for path in files},
            limits=limits or SandboxLimits(seconds=60),
            warm=True,
            outputs=Outputs(tmp_path / "left"),
        )

        opened, wait = sandbox
        return wait(opened.call(job))[0]

    return run

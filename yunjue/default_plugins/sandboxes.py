"""The built-in sandbox backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from yunjue.hookspecs import hookimpl

if TYPE_CHECKING:
    from yunjue.config import Settings
    from yunjue.protocols import Sandbox


@hookimpl
def register_sandboxes(register: Callable[[str, Callable[[Settings], Sandbox]], None]) -> None:
    register("docker", _docker)
    register("bubblewrap", _bubblewrap)
    register("process", _process)


def _docker(settings: Settings) -> Sandbox:
    from yunjue.sandbox.docker_backend import DockerSandbox

    return DockerSandbox(image=settings.image, runtime=settings.runtime)


def _bubblewrap(settings: Settings) -> Sandbox:
    from yunjue.sandbox.bubblewrap import BubblewrapSandbox

    return BubblewrapSandbox()


def _process(settings: Settings) -> Sandbox:
    from yunjue.sandbox.process import ProcessSandbox

    return ProcessSandbox(allow_unsafe=settings.allow_unsafe)

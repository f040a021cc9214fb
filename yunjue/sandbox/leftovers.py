"""Containers of ours that an engine still has.

Each is removed when its job ends; those of processes that were killed stay behind, stopped,
because a runner ends when nobody is left to talk to it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yunjue.sandbox.container import LABEL

if TYPE_CHECKING:
    from docker import DockerClient

ALIVE = ("running", "paused", "restarting", "removing", "stopping")
"""Engines name the other states differently, and podman refuses filters by names it lacks."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """One container: its name, ``running`` or how it ended, and its age in seconds."""

    name: str
    state: str
    age: float


def containers(client: DockerClient, running: bool = True) -> list[Leftover]:
    """Ours, oldest first; without ``running`` only those that have stopped."""
    now = time.time()
    found = [
        Leftover(one["Names"][0].lstrip("/"), one["State"], max(0.0, now - one["Created"]))
        for one in client.api.containers(all=True, filters={"label": f"{LABEL}=1"})
    ]
    found = [one for one in found if running or one.state.lower() not in ALIVE]
    return sorted(found, key=lambda one: -one.age)


def reap(client: DockerClient, older_than: float = 0.0, running: bool = False) -> list[str]:
    """Remove containers of ours; their names.

    Args:
        older_than: seconds; younger ones stay.
        running: those that run too, which breaks the runs that use them.
    """
    from docker.errors import DockerException

    removed = []
    for one in containers(client, running):
        if one.age < older_than:
            continue
        try:
            client.api.remove_container(one.name, v=True, force=True)
        except DockerException:
            continue  # another process reaps too
        removed.append(one.name)
    return removed

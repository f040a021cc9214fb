"""A small place to act in, for tests: rooms in a row, a lamp in the last, and a hole."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import ClassVar

import pytest

from yunjue.config import load_settings
from yunjue.domains import ActionKind, Domain, Observed, Step
from yunjue.errors import YunjueError
from yunjue.hookspecs import hookimpl
from yunjue.plugins import plugins

ROOMS = ("hall", "kitchen", "cellar")
TASK = "Find the lamp."
WAYS = {"type": "string", "enum": ["on", "back", "up"]}


class Rooms:
    """Counts what is really done to it."""

    made: ClassVar[list] = []

    def __init__(self, place):
        self.place, self.at, self.opened, self.done, self.closed = place, 0, 0, [], False
        self.made.append(self)

    def actions(self, observed):
        return [
            ActionKind("go", "to the next room or the one before", {"way": WAYS}),
            ActionKind("jump", "into the hole"),
            ActionKind("stop", "the task is done", {"answer": {"type": "string"}}),
        ]

    async def start(self, task, files):
        self.opened += 1
        return self.seen()

    async def restore(self, done, last):
        self.opened += 1
        self.at = ROOMS.index(last.state)
        return self.seen()

    async def step(self, action):
        self.done.append(dict(action))
        if action["action"] == "stop":
            return Step(self.seen(), answer=action["answer"])
        to = self.at + {"on": 1, "back": -1}.get(action.get("way"), 0)
        if action.get("way") == "up" or not 0 <= to < len(ROOMS):
            return Step(self.seen(), error="There is only a wall.")
        before, self.at = self.at, to
        change = f"{ROOMS[before]} -> {ROOMS[to]}" if to != before else ""
        return Step(self.seen(), change=change, files=[f"{len(self.done)}.txt"])

    def risk(self, action, observed):
        return "nobody comes back from there" if action["action"] == "jump" else ""

    async def close(self):
        self.closed = True

    def seen(self):
        text = f"You are in the {ROOMS[self.at]}."
        return Observed(text + (" A lamp is here." if self.at == 2 else ""), ROOMS[self.at])


class Fragile(Rooms):
    """Breaks down after its second action was done, once."""

    broken = False

    async def step(self, action):
        step = await super().step(action)
        if len(self.done) == 2 and not Fragile.broken:
            Fragile.broken = True
            raise YunjueError("The building fell down.")
        return step


@contextmanager
def offered(**changes):
    """The domain ``rooms``, while the block runs."""
    values = {"environment": Rooms, "prompt": "Rooms are in a row.", **changes}
    domain = Domain("rooms", "walk through rooms", fits=lambda task, files: False, **values)

    class Offer:
        @hookimpl
        def register_domains(self, register):
            register(domain)

    plugin = Offer()
    Rooms.made.clear()
    plugins().manager.register(plugin, name="rooms")
    try:
        yield
    finally:
        plugins().manager.unregister(plugin)


def rule(when, **reply):
    return {"when": when, "reply": reply}


WALK = [
    rule("You are in the (hall|kitchen).*Which action", action="go", way="on"),
    rule("A lamp is here.*Which action", action="stop", answer="cellar"),
    rule("says that the task is done", why="it was found", done=True),
]


def settings_of(tmp_path, *first, **flags):
    """Settings of a run in the rooms; the rules ``first`` come before those that walk on."""
    script = tmp_path / "rooms.json"
    script.write_text(json.dumps({"rules": [*first, *WALK]}))
    chosen = {"model": f"scripted/{script}", "sandbox": "process", "allow_unsafe": True}
    return load_settings(**{**chosen, "embedder": "hash", "domain": "rooms", **flags})


@pytest.fixture
def rooms():
    with offered():
        yield Rooms

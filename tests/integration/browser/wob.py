"""MiniWoB++ tasks in a real browser: pages that nobody here wrote, with rewards of their own.

The pages come from the PyPI package ``miniwob`` (MIT licence).
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from serving import serving_folder

from yunjue.browser.session import ChromiumBrowser
from yunjue.browser.types import Action, Element, Observation, Transition

MOST_ACTIONS = 60
"""Of one episode."""


def pages() -> Path | None:
    """The folder with the tasks, if the package is installed; it is never imported."""
    spec = importlib.util.find_spec("miniwob")
    return Path(spec.origin).parent / "html" if spec and spec.origin else None


def served():
    """A context with the base address of the tasks."""
    return serving_folder(pages())


class Failed(Exception):
    """An oracle cannot go on."""


@dataclass
class Episode:
    """One task with one seed, seen through observations and done through actions alone."""

    browser: ChromiumBrowser
    task: str
    seed: int
    used: Counter[str] = field(default_factory=Counter)
    seen: Observation | None = None

    async def begin(self, base: str) -> Episode:
        """Load the task and let its clock run slowly, so that only what is done counts."""
        started = await self.browser.start(f"{base}/miniwob/{quote(self.task)}.html")
        if not started.ok:
            raise Failed(started.error)
        page = self.browser.page
        await page.evaluate(
            "seed => { Math.seedrandom(seed); core.EPISODE_MAX_TIME = 1e7;"
            " document.getElementById('reward-display').style.display = 'none';"
            " document.getElementById('click-canvas').style.display = 'none';"
            " core.startEpisodeReal(); }",
            str(self.seed),
        )
        await self.do("wait", seconds=0)  # acting comes to rest, a mere look does not
        self.used.clear()
        return self

    async def reward(self) -> float:
        """The task's own verdict: above 0 is success; 0 if the episode did not end."""
        page = self.browser.page
        for _ in range(20):
            said = await page.evaluate("JSON.stringify([WOB_DONE_GLOBAL, WOB_RAW_REWARD_GLOBAL])")
            done, reward = json.loads(said)
            if done:
                return float(reward)
            await asyncio.sleep(0.05)
        return 0.0

    async def look(self):
        self.seen = await self.browser.observe()
        return self.seen

    @property
    def query(self) -> str:
        return next(one.name for one in self.seen.elements if one.role == "text")

    async def do(self, kind: str, target: Element | None = None, **fields) -> Transition:
        """Do it; an action that fails ends the episode."""
        if sum(self.used.values()) >= MOST_ACTIONS:
            raise Failed(f"more than {MOST_ACTIONS} actions")
        id = target.id if target else None
        transition = await self.browser.act(Action(kind=kind, target=id, **fields))
        self.seen = transition.observation
        if not transition.ok:
            raise Failed(f"{kind}: {transition.error}")
        self.used[kind] += 1
        return transition

    def all(self, role: str = "", name: str | None = None, has: str | None = None, action=""):
        """Elements by role, exact name (whatever its case), part of a name, possible action."""
        return [
            one
            for one in self.seen.elements
            if (not role or one.role == role)
            and (name is None or one.name.casefold() == name.casefold())
            and (has is None or has in one.name)
            and (not action or action in one.actions)
        ]

    def one(self, *args, nth: int = 0, **fields) -> Element:
        found = self.all(*args, **fields)
        if not found:
            raise Failed(f"no element with {args} {fields}")
        return found[nth]

    async def click(self, *args, **fields) -> None:
        await self.do("click", self.one(*args, **fields))

    async def type(self, text: str, nth: int = 0) -> None:
        await self.do("type", self.one(action="type", nth=nth), text=text)

    async def submit(self) -> None:
        await self.click("button", "Submit")


async def run_episode(browser, base, task, seed, oracle) -> tuple[Episode, float, str]:
    """The episode, its reward and why it was given up, if it was."""
    episode = Episode(browser, task, seed)
    try:
        await episode.begin(base)
        await oracle(episode)
    except Exception as error:  # of a solution that met what it did not expect
        said = str(error) if isinstance(error, Failed) else repr(error)
        return episode, 0.0, f"{said}\n{episode.seen.text if episode.seen else ''}"
    return episode, await episode.reward(), ""

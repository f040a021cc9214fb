"""Four arms on MiniWoB++ tasks: no look-ahead, a critic alone, look-ahead of depth 1 and of 2.

    pip install --no-deps miniwob
    python benchmarks/web_arms.py OUT --model local [--seeds 5] [--arms never,critic] [TASK ...]

OUT/rows.jsonl gets a row for each episode; a run that was stopped goes on where it was. Every
arm has a home of its own in OUT, so that its calibration is its own. ``--report`` prints the
tables of what is there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

sys.path.append(str(Path(__file__).parents[1] / "tests" / "integration" / "browser"))

from wob import pages, served

from yunjue.agent.run import Sitting
from yunjue.agent.shared import Shared, open_sandbox_and_models
from yunjue.browser.session import open_browser
from yunjue.browser.types import BrowserSettings
from yunjue.config import home, load_settings
from yunjue.domains import Domain
from yunjue.errors import LimitReached, YunjueError
from yunjue.hookspecs import hookimpl
from yunjue.library.open import open_library
from yunjue.metrics.summary import wilson
from yunjue.plugins import plugins
from yunjue.traces.runs import new_run_id
from yunjue.web.domain import PROMPT
from yunjue.web.environment import WebEnvironment

TASKS = (
    *("click-test-2", "click-button", "click-link", "click-dialog-2", "click-tab", "click-option"),
    *("click-checkboxes", "click-button-sequence", "click-collapsible", "enter-text"),
    *("enter-password", "login-user", "choose-list", "navigate-tree", "search-engine"),
)
ARMS = {
    "none": {"look_ahead": "never"},
    "critic": {"look_ahead": "critic"},
    "depth 1": {"look_ahead": "always", "look_ahead_depth": 1},
    "depth 2": {"look_ahead": "always", "look_ahead_depth": 2},
}
BEGIN = (
    "seed => { Math.seedrandom(seed); core.EPISODE_MAX_TIME = 1e7;"
    " document.getElementById('reward-display').style.display = 'none';"
    " document.getElementById('click-canvas').style.display = 'none';"
    " core.startEpisodeReal(); return core.getUtterance(); }"
)
VERDICT = "JSON.stringify([WOB_DONE_GLOBAL, WOB_RAW_REWARD_GLOBAL])"


class Episode(WebEnvironment):
    """A task of MiniWoB++: begun with a seed, ended by the page itself, with its reward."""

    seed = "0"

    async def _begin(self, url, start, files):
        await super()._begin(url, start, files)
        await self._page.evaluate(BEGIN, self.seed)
        return self._show(self._observed(await self._browser.observe()))

    @property
    def _page(self):
        return self._browser._tabs.front.page

    async def step(self, action):
        from dataclasses import replace

        step = await super().step(action)
        done, reward = json.loads(await self._page.evaluate(VERDICT))
        if done:
            return replace(step, answer="done", final=True, reward=float(reward))
        return replace(step, reward=0.0) if step.answer is not None else step


class Wob:
    """The plugin with the domain ``wob``."""

    @hookimpl
    def register_domains(self, register):
        register(
            Domain(
                "wob",
                "small tasks on one page",
                fits=lambda task, files: False,
                prompt=PROMPT,
                environment=lambda place: Episode(place, open_browser),
                strategy="look_ahead",
            )
        )


async def utterance(base: str, task: str, seed: int) -> str:
    """What the page of this task and seed asks for."""
    settings = BrowserSettings(origins=(base,), allow_private=True)
    async with await open_browser(settings) as browser:
        await browser.start(address(base, task))
        return await browser._tabs.front.page.evaluate(BEGIN, str(seed))


def address(base: str, task: str) -> str:
    return f"{base}/miniwob/{quote(task)}.html"


async def episode(base: str, task: str, seed: int, arm: str, shared: Shared, asked) -> dict:
    """One episode as a row."""
    Episode.seed = str(seed)
    settings = load_settings(
        model=asked.model,
        domain="wob",
        start_url=address(base, task),
        allow_private=True,
        approval=["allow *"],
        look_ahead_from=asked.start,
        look_ahead_candidates=asked.k,
        max_actions=asked.actions,
        max_calls=asked.calls,
        timeout=asked.seconds,
        **ARMS[arm],
    )
    run, started, error = new_run_id(), time.perf_counter(), ""
    words = await utterance(base, task, seed)
    used: dict[str, float] = {}

    def see(event):
        if event.kind in ("run.finished", "run.failed"):
            used.update(tokens=event.data.get("tokens", 0), calls=event.data.get("calls", 0))
        if event.kind == "action.done":
            used["actions"] = used.get("actions", 0) + 1

    status = "failed"
    try:
        sitting = Sitting(run, settings, earlier=[], shared=shared, subscribers=(see,))
        status = (await sitting.sit(words, {})).status
    except LimitReached as limit:
        status, error = "limit", limit.message
    except YunjueError as failure:
        error = f"{type(failure).__name__}: {failure.message}"
    return {
        "task": task,
        "seed": seed,
        "arm": arm,
        "solved": status == "solved",
        "status": status,
        "error": error,
        "seconds": round(time.perf_counter() - started, 1),
        "run": run,
        **used,
    }


async def measure(asked, out: Path) -> None:
    done = {(row["task"], row["seed"], row["arm"]) for row in rows_of(out)}
    plugins().manager.register(Wob(), name="wob")
    models_home = home() / "models"
    with served() as base, (out / "rows.jsonl").open("a") as file:
        async with AsyncExitStack() as stack:
            settings = load_settings(model=asked.model)
            sandbox, models = await open_sandbox_and_models(stack, settings, say)
            library = open_library(settings.model_copy(update={"library": out / "library"}), say)
            stack.callback(library.close)
            shared = Shared(models, sandbox, library)
            for seed in range(asked.seeds):
                for task in asked.tasks or TASKS:
                    for arm in asked.arms:
                        if (task, seed, arm) in done:
                            continue
                        use_home(out / f"home {arm}", models_home)
                        row = await episode(base, task, seed, arm, shared, asked)
                        file.write(json.dumps(row) + "\n")
                        file.flush()
                        say(f"{task} {seed} {arm}: {row['status']}, {row['seconds']} s")


def use_home(path: Path, models: Path) -> None:
    """A home of the arm's own, with the weights that are there."""
    path.mkdir(parents=True, exist_ok=True)
    if models.exists() and not (path / "models").exists():
        (path / "models").symlink_to(models.resolve())
    os.environ["YUNJUE_HOME"] = str(path)


def rows_of(out: Path) -> list[dict]:
    file = out / "rows.jsonl"
    lines = file.read_text().split("\n")[:-1] if file.exists() else []
    return [json.loads(line) for line in lines]


def report(rows: list[dict]) -> None:
    """Success by arm with Wilson's 95 % interval, and by task."""
    arms = [arm for arm in ARMS if any(row["arm"] == arm for row in rows)]
    print("| arm | solved | 95 % interval | tokens a task | seconds a task | actions a task |")
    print("|---|---|---|---|---|---|")
    for arm in arms:
        mine = [row for row in rows if row["arm"] == arm]
        solved = sum(row["solved"] for row in mine)
        low, high = wilson(solved, len(mine)) or (0.0, 1.0)
        means = [
            sum(row.get(name, 0) for row in mine) / len(mine)
            for name in ("tokens", "seconds", "actions")
        ]
        print(
            f"| {arm} | {solved}/{len(mine)} | {100 * low:.0f}-{100 * high:.0f} % "
            f"| {means[0]:.0f} | {means[1]:.1f} | {means[2]:.1f} |"
        )
    print(f"\n| task | {' | '.join(arms)} |\n|---|{'---|' * len(arms)}")
    for task in dict.fromkeys(row["task"] for row in rows):
        cells = []
        for arm in arms:
            mine = [row["solved"] for row in rows if (row["task"], row["arm"]) == (task, arm)]
            cells.append(f"{sum(mine)}/{len(mine)}")
        print(f"| {task} | {' | '.join(cells)} |")


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"default: {len(TASKS)} tasks")
    parser.add_argument("--model", default="local")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--arms", type=lambda text: text.split(","), default=list(ARMS))
    parser.add_argument("--start", type=int, default=1, help="first decision that compares")
    parser.add_argument("--k", type=int, default=3, help="candidates")
    parser.add_argument("--actions", type=int, default=8, help="most of an episode")
    parser.add_argument("--calls", type=int, default=120, help="most model calls of an episode")
    parser.add_argument("--seconds", type=float, default=600, help="most of an episode")
    parser.add_argument("--report", action="store_true", help="only print what is there")
    asked = parser.parse_intermixed_args()
    out = asked.out.absolute()
    if unknown := set(asked.arms) - set(ARMS):
        sys.exit(f"No arm is called {', '.join(sorted(unknown))}; there are {', '.join(ARMS)}.")
    if not asked.report:
        if not pages():
            sys.exit("The pages are missing: pip install --no-deps miniwob")
        out.mkdir(parents=True, exist_ok=True)
        asyncio.run(measure(asked, out))
    report(rows_of(out))


if __name__ == "__main__":
    main()

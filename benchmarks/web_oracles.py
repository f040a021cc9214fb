"""Scripted solutions of MiniWoB++ tasks in a real browser, by task and by kind of action.

    pip install --no-deps miniwob
    python benchmarks/web_oracles.py [--seeds 5] [TASK ...]

It measures the browser layer: what a task asks for can be seen and can be done. It says
nothing of models.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "integration" / "browser"))

from oracles import ORACLES
from wob import pages, run_episode, served

from yunjue.browser.session import open_browser
from yunjue.browser.types import BrowserSettings


async def measure(tasks: list[str], seeds: int) -> bool:
    """Print the tables. Whether every episode succeeded."""
    done: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    whole = time.perf_counter()
    with served() as base:
        settings = BrowserSettings(origins=(base,), allow_private=True)
        async with await open_browser(settings) as browser:
            print("| task | solved | actions | seconds |\n|---|---|---|---|")
            for task in tasks:
                used: Counter[str] = Counter()
                start, reasons = time.perf_counter(), []
                for seed in range(seeds):
                    episode, reward, why = await run_episode(
                        browser, base, task, seed, ORACLES[task]
                    )
                    done[task] += reward > 0
                    used += episode.used
                    if reward <= 0:
                        reasons.append(f"seed {seed}: {why or f'reward {reward:g}'}")
                seconds = time.perf_counter() - start
                print(f"| {task} | {done[task]}/{seeds} | {used.total()} | {seconds:.1f} |")
                for reason in reasons:
                    print(f"  {task} {reason[:1500]}", file=sys.stderr)
                kinds += used
    print("\n| action | times done |\n|---|---|")
    for kind, count in kinds.most_common():
        print(f"| {kind} | {count} |")
    solved = sum(done[task] == seeds for task in tasks)
    print(
        f"\n{solved} of {len(tasks)} tasks solved with all {seeds} seeds, "
        f"{done.total()} of {len(tasks) * seeds} episodes, "
        f"{time.perf_counter() - whole:.0f} s."
    )
    return done.total() == len(tasks) * seeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="default: all with a solution")
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    if not pages():
        sys.exit("The pages are missing: pip install --no-deps miniwob")
    unknown = set(asked.tasks) - set(ORACLES)
    if unknown:
        sys.exit(f"No solution for: {', '.join(sorted(unknown))}")
    if not asyncio.run(measure(asked.tasks or sorted(ORACLES), asked.seeds)):
        sys.exit(1)


if __name__ == "__main__":
    main()

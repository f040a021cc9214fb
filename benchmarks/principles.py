"""One stream of tasks with and without principles, each arm with a library of its own.

    python benchmarks/principles.py TASKS.jsonl --out DIR [--model local] [--limit 36]

Each line of TASKS is a JSON object with ``task``, ``answer`` and optionally ``id``. Answers
are used for the report only. In the arm with principles the lesson of each run is learnt
before the next begins, and what that takes is counted. Rows and traces are written to DIR as
they are made: the same command goes on after an interruption, and ``--report`` prints the
tables of a finished DIR again. Intervals are of 95 %: Wilson's for shares, percentiles of
10,000 resampled streams for means and for paired differences.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
from solve_stream import keep_trace, read_rows, read_tasks

from yunjue.agent.run import runs, solve
from yunjue.config import LATER_ROLES, Settings, load_settings
from yunjue.errors import YunjueError
from yunjue.evolution.answers import same_answer
from yunjue.models.selection import opened_gateway
from yunjue.principles.learn import learn
from yunjue.principles.open import open_principles
from yunjue.principles.trajectory import outcome
from yunjue.traces.trace import TRACE_FILE, read_trace

ARMS = {"off": False, "on": True}
RESAMPLED = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder for rows and traces")
    parser.add_argument("--model", default=None)
    parser.add_argument("--sandbox", default=None)
    parser.add_argument("--limit", type=int, default=None, help="first N tasks")
    parser.add_argument("--report", action="store_true", help="only print the tables")
    options = parser.parse_args()
    tasks = read_tasks(options.tasks)[: options.limit]
    if not options.report:
        asyncio.run(measure(tasks, options))
    report(tasks, read_rows(options.out))
    print_lessons(options.out)


async def measure(tasks: list[dict[str, Any]], options: Any) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    done = {(row["arm"], row["id"]) for row in read_rows(options.out)}
    for task in tasks:
        for arm in ARMS:
            if (arm, task["id"]) in done:
                continue
            row = await run_one(arm, task, options)
            with (options.out / "rows.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(
                f"{arm:3} {task['id']:16} {'right' if row['right'] else 'WRONG'} "
                f"{row['seconds']:6.1f} s {row['tokens']:6} tokens, learning {row['learning']:5}  "
                f"{'; '.join(row['learnt']) or row['why'][:80]}",
                flush=True,
            )


async def run_one(arm: str, task: dict[str, Any], options: Any) -> dict[str, Any]:
    settings = load_settings(
        model=options.model,
        sandbox=options.sandbox,
        library=options.out / "libraries" / arm,
        principles=ARMS[arm],
        max_calls=60,
    )
    row = {"arm": arm, "id": task["id"], "answer": "", "status": "", "error": "", "shown": 0}
    row |= {"tokens": 0, "calls": 0, "failures": [], "learning": 0, "learnt": [], "why": ""}
    started = time.monotonic()
    run = [""]

    def see(event: Any) -> None:
        if event.kind == "run.started":
            run[0] = event.data["run"]
        elif event.kind == "principles.found":
            row["shown"] += len(event.data["ids"])

    try:
        result = await solve(task["task"], settings, subscribers=(see,))
        row |= {"answer": result.answer, "status": result.status, "tokens": result.tokens}
        row |= {"calls": result.tool_calls}
        failed = outcome(read_trace(runs().path(run[0]) / TRACE_FILE)).failures
        row["failures"] = [[one.tool, one.error] for one in failed]
    except YunjueError as error:
        row["error"] = f"{type(error).__name__}: {error.message}"
    row["seconds"] = round(time.monotonic() - started, 2)
    if ARMS[arm]:
        row |= await lessons(settings)
    row["right"] = same_answer(row["answer"], task["answer"])
    if run[0]:
        keep_trace(run[0], options.out, f"{arm}/{task['id']}.jsonl")
    return row


async def lessons(settings: Settings) -> dict[str, Any]:
    """Learn from what waits; tokens and sentences of it."""
    found: list[Any] = []
    bank = open_principles(settings, print)
    try:
        async with opened_gateway(settings, print, LATER_ROLES) as gateway:
            await learn(bank, gateway, 9, found.append)
    finally:
        bank.close()
    return {
        "learning": sum(one.tokens for one in found),
        "learnt": [sentence for one in found for sentence in (*one.new, *one.known)],
        "why": "; ".join(one.why for one in found if one.why),
    }


def report(tasks: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    by_arm = {arm: {row["id"]: row for row in rows if row["arm"] == arm} for arm in ARMS}
    ids = [task["id"] for task in tasks if all(task["id"] in by_arm[arm] for arm in ARMS)]
    if not ids:
        print("No task has run in both arms.")
        return
    print(f"\n{len(ids)} tasks\n")
    print("| principles | right | tool failures | repeated | tokens a task | learning a task |")
    print("|---|---|---|---|---|---|")
    for arm in ARMS:
        print_arm(arm, [by_arm[arm][one] for one in ids])
    pairs = [(by_arm["off"][one], by_arm["on"][one]) for one in ids]
    gained = sum(on["right"] and not off["right"] for off, on in pairs)
    lost = sum(off["right"] and not on["right"] for off, on in pairs)
    print(f"\nRight only with principles: {gained}; only without: {lost}.")
    more = np.array([on["tokens"] - off["tokens"] for off, on in pairs], float)
    low, high = mean_interval(more)
    told = f"{more.mean():+.0f} ({low:+.0f} to {high:+.0f})"
    print(f"Tokens a task with principles, learning aside: {told}.")


def print_arm(arm: str, rows: list[dict[str, Any]]) -> None:
    right = sum(row["right"] for row in rows)
    low, high = wilson(right, len(rows))
    failures, repeated = repeats(rows)
    tokens = np.array([row["tokens"] for row in rows], float)
    least, most = mean_interval(tokens)
    learning = sum(row["learning"] for row in rows) / len(rows)
    print(
        f"| {arm} | {right}/{len(rows)} ({low:.0%} to {high:.0%}) | {failures} | {repeated} "
        f"| {tokens.mean():.0f} ({least:.0f} to {most:.0f}) | {learning:.0f} |"
    )


def repeats(rows: list[dict[str, Any]]) -> tuple[int, int]:
    """Failures of tools, each kind once a task, and those whose tool had failed so in an
    earlier task."""
    seen: set[tuple[str, ...]] = set()
    total = repeated = 0
    for row in rows:
        here = {tuple(failure) for failure in row["failures"]}
        total += len(here)
        repeated += len(here & seen)
        seen |= here
    return total, repeated


def wilson(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share."""
    share, wide = count / total, z * z / total
    centre = share + wide / 2
    spread = z * math.sqrt(share * (1 - share) / total + wide / (4 * total))
    return (centre - spread) / (1 + wide), (centre + spread) / (1 + wide)


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    drawn = np.random.default_rng(0).choice(values, (RESAMPLED, len(values)))
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def print_lessons(out: Path) -> None:
    """What the arm with principles knows at the end."""
    bank = open_principles(load_settings(library=out / "libraries" / "on"), print)
    rows = bank.existing()
    found = rows.some(rows.ids(status=None)) if rows else []
    bank.close()
    print(
        "\n| principle | kind | learnt from | successes of uses | status |\n|---|---|---|---|---|"
    )
    for one in found:
        print(
            f"| {one.sentence} | {one.kind} | {len(one.evidence)} | {one.succ} of {one.use} "
            f"| {one.status} |"
        )


if __name__ == "__main__":
    main()

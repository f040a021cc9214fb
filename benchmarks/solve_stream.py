"""A stream of tasks in three arms: the model alone, the agent with an empty library for
every task, and the agent with one library kept over the stream.

    python benchmarks/solve_stream.py TASKS.jsonl --out DIR [--model local] [--limit 24]

Each line of TASKS is a JSON object with ``task``, ``answer`` and optionally ``id`` and
``family``. Answers are used for the report only; the agent never sees them. Rows and
traces are written to DIR as they are made: the same command goes on after an
interruption, and ``--report`` prints the tables of a finished DIR again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

from yunjue.agent.run import runs, solve
from yunjue.config import Settings, home, load_settings
from yunjue.errors import YunjueError
from yunjue.evolution.answers import same_answer
from yunjue.evolution.baselines import ask_alone
from yunjue.models.gateway import Gateway
from yunjue.models.selection import opened_gateway

ARMS = ("model", "empty", "kept")
TITLES = {"model": "model alone", "empty": "agent, empty library", "kept": "agent, kept library"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder for rows and traces")
    parser.add_argument("--model", default=None)
    parser.add_argument("--sandbox", default=None)
    parser.add_argument("--limit", type=int, default=None, help="first N tasks")
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--report", action="store_true", help="only print the tables")
    options = parser.parse_args()
    tasks = read_tasks(options.tasks)[: options.limit]
    arms = options.arms.split(",")
    if not options.report:
        asyncio.run(measure(tasks, arms, options))
    report(tasks, arms, read_rows(options.out))


def read_tasks(path: Path) -> list[dict[str, Any]]:
    tasks = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    for number, task in enumerate(tasks):
        task.setdefault("id", str(number + 1))
    return tasks


def read_rows(out: Path) -> list[dict[str, Any]]:
    path = out / "rows.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def measure(tasks: list[dict[str, Any]], arms: list[str], options: Any) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    done = {(row["arm"], row["id"]) for row in read_rows(options.out)}
    for arm in arms:
        for task in tasks:
            if (arm, task["id"]) in done:
                continue
            row = await run_one(arm, task, options)
            with (options.out / "rows.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
            mark = "right" if row["right"] else "WRONG"
            print(
                f"{arm:6} {task['id']:16} {mark} {row['seconds']:7.1f} s {row['tokens']:6} tokens"
                f"  new {','.join(row['new_tools']) or '-'}  answer {row['answer'][:60]!r}",
                flush=True,
            )


async def run_one(arm: str, task: dict[str, Any], options: Any) -> dict[str, Any]:
    row = {"arm": arm, "id": task["id"], "family": task.get("family", ""), "error": ""}
    row |= {"answer": "", "new_tools": [], "tool_calls": 0, "tokens": 0, "status": ""}
    library = options.out / "libraries" / ("kept" if arm == "kept" else task["id"])
    settings = load_settings(
        model=options.model, sandbox=options.sandbox, library=library, max_calls=60
    )
    started = time.monotonic()
    run = [""]

    def see(event: Any) -> None:
        if event.kind == "run.started":
            run[0] = event.data["run"]

    try:
        if arm == "model":
            row |= await alone(task["task"], settings)
        else:
            result = await solve(task["task"], settings, subscribers=(see,))
            row |= {
                "answer": result.answer,
                "new_tools": result.new_tools,
                "tool_calls": result.tool_calls,
                "tokens": result.tokens,
                "status": result.status,
            }
    except YunjueError as error:
        row["error"] = f"{type(error).__name__}: {error.message}"
    row["seconds"] = round(time.monotonic() - started, 2)
    row["right"] = same_answer(row["answer"], task["answer"])
    if run[0]:
        keep_trace(run[0], options.out, f"{arm}/{task['id']}.jsonl")
    return row


async def alone(task: str, settings: Settings) -> dict[str, Any]:
    async with opened_gateway(settings, warn=lambda message: None) as gateway:
        status, answer = await ask_alone(gateway, task)
    return {"answer": answer, "tokens": spent(gateway), "status": status}


def spent(gateway: Gateway) -> int:
    """Tokens of all its calls."""
    return sum(use.prompt_tokens + use.completion_tokens for use in gateway.spent_by_role.values())


def keep_trace(run: str, out: Path, name: str, inputs: Path | None = None) -> None:
    """Copy the run's trace to OUT/traces, without this machine's paths in it: OUT, the home, and
    the folder of the run's inputs."""
    target = out / "traces" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    text = (runs().path(run) / "trace.jsonl").read_text()
    text = text.replace(str(out.absolute()), "OUT").replace(str(home()), "HOME")
    target.write_text(text.replace(f"{inputs}/", "") if inputs else text)


def report(tasks: list[dict[str, Any]], arms: list[str], rows: list[dict[str, Any]]) -> None:
    order = {task["id"]: position for position, task in enumerate(tasks)}
    print(f"\n{len(tasks)} tasks\n")
    print("| arm | right | new tools | tool calls | reused | tokens a task | seconds a task |")
    print("|---|---|---|---|---|---|---|")
    by_arm = {
        arm: sorted(
            (row for row in rows if row["arm"] == arm and row["id"] in order),
            key=lambda row: order[row["id"]],
        )
        for arm in arms
    }
    for arm in arms:
        print_arm(TITLES[arm], by_arm[arm])
    kept = by_arm.get("kept", [])
    if len(kept) > 1:
        half = len(kept) // 2
        print_arm("kept, first half", kept[:half])
        print_arm("kept, second half", kept[half:])
    print("\n| family | " + " | ".join(TITLES[arm] for arm in arms) + " |")
    print("|---" * (len(arms) + 1) + "|")
    for family in dict.fromkeys(task.get("family", "") for task in tasks):
        cells = []
        for arm in arms:
            those = [row for row in by_arm[arm] if row["family"] == family]
            cells.append(f"{sum(row['right'] for row in those)}/{len(those)}")
        print(f"| {family} | " + " | ".join(cells) + " |")


def print_arm(title: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    right = sum(row["right"] for row in rows)
    new = sum(len(row["new_tools"]) for row in rows)
    calls = sum(row["tool_calls"] for row in rows)
    reused = sum(bool(row["tool_calls"]) and not row["new_tools"] for row in rows)
    tokens = statistics.mean(row["tokens"] for row in rows)
    seconds = statistics.mean(row["seconds"] for row in rows)
    print(
        f"| {title} | {right}/{len(rows)} | {new} | {calls} | {reused} | {tokens:.0f} "
        f"| {seconds:.1f} |"
    )
    errors = Counter(row["error"].split(":")[0] for row in rows if row["error"])
    if errors:
        print(f"|   errors: {dict(errors)} | | | | | | |")


if __name__ == "__main__":
    main()

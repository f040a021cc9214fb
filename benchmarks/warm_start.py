"""Does a library help with tasks of kinds it was not made for? A warm start against none.

    python benchmarks/warm_start.py TASKS.jsonl --library DIR --families a,b --out DIR
        [--each 2] [--skip 60] [--model local] [--sandbox bubblewrap]

The stream is the first ``--each`` tasks of each family in TASKS after the first ``--skip``.
One evolution of it begins with the tools of the library that were made for tasks of other
families (the others are retired in a copy), one with no tools. The same command goes on after
an interruption; ``--report`` prints the table of a finished DIR again. The published figure is
32 to 100 % fewer new tools (arXiv 2601.18226).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from yunjue.evolution.warm import warm_start

ARMS = ("warm", "zero")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", type=Path)
    parser.add_argument("--library", type=Path, help="the library to begin with")
    parser.add_argument("--families", required=True, help="the new ones, with commas between")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=int, default=2, help="tasks of each family")
    parser.add_argument("--skip", type=int, default=0, help="tasks that are left out")
    parser.add_argument("--model", default="local")
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--report", action="store_true", help="only print the table")
    options = parser.parse_args()
    tasks = [json.loads(line) for line in options.tasks.read_text().splitlines() if line.strip()]
    families = options.families.split(",")
    if not options.report:
        options.out.mkdir(parents=True, exist_ok=True)
        stream = options.out / "stream.jsonl"
        chosen = chosen_tasks(tasks[options.skip :], families, options.each)
        stream.write_text("".join(json.dumps(task) + "\n" for task in chosen))
        prepare(options.library, tasks, families, options.out / "warm")
        for arm in ARMS:
            evolve(options.out, arm, stream, options)
    report(options.out)


def chosen_tasks(tasks: list[dict[str, Any]], families: list[str], each: int) -> list[dict]:
    """The first ``each`` of every family, in the order of the stream."""
    taken = dict.fromkeys(families, 0)
    chosen = []
    for task in tasks:
        if task["family"] in taken and taken[task["family"]] < each:
            taken[task["family"]] += 1
            chosen.append(task)
    return chosen


def prepare(library: Path, tasks: list[dict[str, Any]], families: list[str], target: Path) -> None:
    """Copy the library and retire in the copy what was made for tasks of ``families``."""
    if target.exists():
        return
    warm_start(library, target)
    family = {task["task"][:500]: task["family"] for task in tasks}
    for tool in listed(target):
        made_for = family.get(tool["origin"].get("task", ""))
        if made_for is None:
            raise SystemExit(f"{tool['name']} was made for none of the tasks")
        if made_for in families:
            yunjue("tools", "retire", tool["name"], "--library", str(target))


def listed(library: Path) -> list[dict[str, Any]]:
    """What is known of each active tool."""
    rows = json.loads(yunjue("tools", "list", "--library", str(library), "--json"))
    shown = (yunjue("tools", "show", row["name"], "-l", str(library), "--json") for row in rows)
    return [json.loads(text) for text in shown]


def evolve(out: Path, arm: str, stream: Path, options: argparse.Namespace) -> None:
    """Run the arm's evolution in a home of its own, or go on with it."""
    home = out / f"home-{arm}"
    begun = list(home.glob("evolutions/*/journal.jsonl"))
    arguments = ["resume"]
    if not begun:
        arguments = [str(stream), "-b", "1", "--library", str(out / f"library-{arm}")]
        arguments += ["--warm-start", str(out / "warm")] if arm == "warm" else []
    models = Path(os.environ.get("YUNJUE_HOME", "")) / "models"
    if models.is_dir() and not (home / "models").exists():  # weights need not be loaded again
        home.mkdir(parents=True, exist_ok=True)
        (home / "models").symlink_to(models)
    yunjue(
        *("evolve", *arguments, "--model", options.model, "--sandbox", options.sandbox),
        home=home,
        shown=True,
    )


def yunjue(*arguments: str, home: Path | None = None, shown: bool = False) -> str:
    environment = {**os.environ, **({"YUNJUE_HOME": str(home)} if home else {})}
    done = subprocess.run(
        [sys.executable, "-m", "yunjue", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=None if shown else subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return done.stdout


def report(out: Path) -> None:
    print("| begins with | tools at first | tasks | right | new tools | calls | tokens a task |")
    print("|---|---|---|---|---|---|---|")
    made = {}
    for arm in ARMS:
        home = out / f"home-{arm}"
        metrics = json.loads(yunjue("metrics", "--json", home=home))
        found = metrics["arms"]["evolve"]
        made[arm] = found["made"]
        at_first = len(listed(out / "warm")) if arm == "warm" else 0
        print(
            f"| {'other families' if arm == 'warm' else 'nothing'} | {at_first} "
            f"| {found['tasks']} | {found['right']}/{found['known']} | {found['made']} "
            f"| {found['calls']} | {found['tokens_per_task']:.0f} |"
        )
    if made["zero"]:
        fewer = 100 * (1 - made["warm"] / made["zero"])
        print(f"\nThe warm start made {fewer:.0f} % fewer new tools.")


if __name__ == "__main__":
    main()

"""The tasks of a domain with the domain, without it, and by the model alone.

    python benchmarks/domain_tasks.py data|research|code --out DIR [--model coder-1.5b]

Arms: ``domain`` is ``yunjue solve --domain NAME``; ``none`` is the same agent with
``--domain none``, which may write tools of its own; ``model`` is one question to the model with
the beginnings of the files, or for ``code`` with the files themselves, one of which it writes
anew. Each arm keeps one library over the tasks. Rows and traces go to DIR as they are made: the
same command goes on after an interruption, and ``--report`` prints the table of a finished DIR
again.

A row is right if the answer is the known one, or has it word for word with at most three words
more ("17 beds" for 17), in every arm alike; of a task of ``code``, if its patch passes checks
that no arm sees; of an open question, if the F1 of its findings is at least one half.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

from solve_stream import alone, keep_trace, read_rows

from yunjue.agent.form import part_of
from yunjue.agent.run import RunResult, runs, solve
from yunjue.config import Settings, load_settings
from yunjue.errors import SandboxUnavailable, UsageError, YunjueError
from yunjue.evolution.answers import same_answer
from yunjue.plugins import plugins
from yunjue.sandbox.select import opened_sandbox

ARMS = {"domain": "with the domain", "none": "agent, no domain", "model": "model alone"}
SHOWN_CHARS = 1500
"""Of each file, to the model alone."""
F1_ENOUGH = 0.5
MORE_WORDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("domain", choices=["data", "research", "code"])
    parser.add_argument("--out", type=Path, required=True, help="folder for rows and traces")
    parser.add_argument("--model", default=None)
    parser.add_argument("--sandbox", default=None)
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--limit", type=int, default=None, help="first N tasks")
    parser.add_argument("--actions", type=int, default=None, help="most in an environment")
    parser.add_argument("--tool-seconds", type=float, default=60.0)
    parser.add_argument("--report", action="store_true", help="only print the table")
    options = parser.parse_args()
    folder = Path(import_module(f"yunjue_{options.domain}").__file__ or "").parent / "tasks"
    lines = (folder / "tasks.jsonl").read_text("utf-8").splitlines()
    tasks = [{**json.loads(line), "folder": folder} for line in lines][: options.limit]
    arms = options.arms.split(",")
    if not options.report:
        asyncio.run(measure(tasks, arms, options))
    report(tasks, arms, read_rows(options.out))


async def measure(tasks: list[dict[str, Any]], arms: list[str], options: Any) -> None:
    if "domain" in arms and options.domain not in plugins().domains():
        raise SystemExit(f"The package yunjue-{options.domain} is not installed.")
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
                f"  {row['error'] or repr(row['answer'][:70])}",
                flush=True,
            )


async def run_one(arm: str, task: dict[str, Any], options: Any) -> dict[str, Any]:
    row = {"arm": arm, "id": task["id"], "status": "", "answer": "", "error": ""}
    row |= {"tokens": 0, "calls": 0, "tool_calls": 0, "new_tools": []}
    files = {Path(name).name: task["folder"] / name for name in task["files"]}
    settings = load_settings(
        model=options.model,
        sandbox=options.sandbox,
        library=options.out / "libraries" / arm,
        domain=options.domain if arm == "domain" else "none",
        max_calls=60,
        **({"max_actions": options.actions} if options.actions else {}),
        tool_seconds=options.tool_seconds,
    )
    started, run = time.monotonic(), [""]

    def see(event: Any) -> None:
        if event.kind == "run.started":
            run[0] = event.data["run"]

    result: RunResult | None = None
    try:
        if arm == "model":
            row |= await by_model(task, files, settings)
        else:
            result = await solve(task["task"], settings, files=files, subscribers=(see,))
            names = ("answer", "status", "tokens", "calls", "tool_calls", "new_tools")
            row |= {name: getattr(result, name) for name in names}
    except (UsageError, SandboxUnavailable):
        raise  # nothing was measured
    except YunjueError as error:
        row["error"] = f"{type(error).__name__}: {error.message}"
    row["seconds"] = round(time.monotonic() - started, 2)
    row |= await judged(task, row["answer"], result, settings)
    if run[0]:
        keep_trace(run[0], options.out, f"{arm}/{task['id']}.jsonl", task["folder"])
    return row


async def by_model(
    task: dict[str, Any], files: dict[str, Path], settings: Settings
) -> dict[str, Any]:
    if "check" not in task:
        return await alone(with_files(task["task"], files), settings)
    from code_alone import mend_alone

    (archive,) = files.values()
    return await mend_alone(task["task"], archive, settings)


def with_files(task: str, files: dict[str, Path]) -> str:
    """The task with the beginning of each file that is text."""
    parts = [task]
    for name, path in files.items():
        data = path.read_bytes()
        text = "(binary)" if b"\0" in data[:4096] else data.decode("utf-8", "replace")
        parts.append(f"{name} ({len(data)} bytes) begins:\n{text[:SHOWN_CHARS]}")
    return "\n\n".join(parts)


async def judged(
    task: dict[str, Any], answer: str, result: RunResult | None, settings: Settings
) -> dict[str, Any]:
    """``right``, and what else is known of the answer."""
    if "check" in task:
        return {"right": await mended(task, answer, result, settings)}
    if "findings" in task:
        return rewarded(task, answer, result, settings)
    return {"right": says(answer, task["answer"])}


def says(answer: str, known: str) -> bool:
    """Whether the answer is the known one, but for at most :data:`MORE_WORDS` around it."""
    few = len(answer.split()) <= len(known.split()) + MORE_WORDS
    return same_answer(answer, known) or (few and part_of(known.casefold(), answer.casefold()))


async def mended(
    task: dict[str, Any], answer: str, result: RunResult | None, settings: Settings
) -> bool:
    from yunjue_code.checking import checked

    patch = answer if answer.endswith("\n") else answer + "\n"
    for name in result.files if result else ():
        if name.endswith("changes.patch"):
            patch = left_file(result, name).read_text("utf-8")
    archive = task["folder"] / task["files"][0]
    check = (task["folder"] / task["check"]).read_bytes()
    async with opened_sandbox(settings, lambda message: None) as sandbox:
        return (await checked(archive, patch, check, sandbox, settings)).good


def rewarded(
    task: dict[str, Any], answer: str, result: RunResult | None, settings: Settings
) -> dict[str, Any]:
    """The reward of O2-Searcher (arXiv 2505.16582)."""
    from yunjue_research.ingest import embedder_of
    from yunjue_research.reward import reward

    queries = []
    for event in trace_of(result):
        action = event["data"].get("action") if event["kind"] == "action.done" else None
        if isinstance(action, dict) and action.get("action") == "search":
            queries.append(action["query"])
    found = reward(answer, task["findings"], queries, embedder_of(settings)())
    return {"right": found.f1 >= F1_ENOUGH, "reward": round(found.total, 4), "f1": found.f1}


def left_file(result: RunResult, name: str) -> Path:
    path = Path(name)
    return path if path.is_absolute() else runs().path(result.run) / name


def trace_of(result: RunResult | None) -> list[dict[str, Any]]:
    if result is None:
        return []
    text = (runs().path(result.run) / "trace.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def report(tasks: list[dict[str, Any]], arms: list[str], rows: list[dict[str, Any]]) -> None:
    known = {task["id"]: task for task in tasks}
    for row in rows:  # judged anew, so that rows of one table were all judged alike
        if "answer" in known.get(row["id"], {}):
            row["right"] = says(row["answer"], known[row["id"]]["answer"])
    print(f"\n{len(tasks)} tasks\n")
    print("| | right | model calls a task | tokens a task | seconds a task |")
    print("|---|---|---|---|---|")
    for arm in arms:
        those = [row for row in rows if row["arm"] == arm and row["id"] in known]
        if not those:
            continue
        means = {
            name: statistics.mean(row[name] for row in those)
            for name in ("calls", "tokens", "seconds")
        }
        print(
            f"| {ARMS[arm]} | {sum(row['right'] for row in those)}/{len(those)} "
            f"| {means['calls'] or 1:.1f} | {means['tokens']:.0f} | {means['seconds']:.1f} |"
        )
        errors = Counter(row["error"].split(":")[0] for row in those if row["error"])
        if errors:
            print(f"\nErrors of {ARMS[arm]}: {dict(errors)}\n")
        for row in those:
            if "reward" in row:
                print(f"\nReward of {row['id']}, {ARMS[arm]}: {row['reward']}\n")


if __name__ == "__main__":
    main()

"""Are the tools that were admitted right, and which stage of the proof keeps wrong ones out?

    python benchmarks/admission.py [TRACE ...] [--instances 50] [--json]

Takes recorded runs of a real model (by default those in traces/golden), judges their
candidates again in the sandbox by stricter and stricter rules, and calls what each rule
admits with fresh instances of the task's family, whose answers a reference knows. A tool is
right if it answers all of them, and falsely admitted if it does not. No model is used.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from families import FAMILIES, Family, arguments

from yunjue.config import load_settings
from yunjue.events import Event
from yunjue.protocols import SandboxLimits
from yunjue.sandbox.select import opened_sandbox
from yunjue.synthesis.choose import best
from yunjue.synthesis.generated import generated_inputs
from yunjue.synthesis.prove import Bench, Candidate
from yunjue.synthesis.settle import passes, settle
from yunjue.synthesis.trial import try_winner
from yunjue.traces.trace import read_trace
from yunjue.types import Case, ToolSpec

GOLDEN = Path(__file__).parents[1] / "traces" / "golden"
RULES = {
    "it runs": "the first candidate that runs without an error",
    "tests": "the first that passes every case of the tester",
    "tests + mutants": "the same, and the cases catch stubs and mutants",
    "vote + mutants": "candidates and cases settle by vote, then as before",
    "all stages": "the same, and other inputs, determinism and resources",
}


@dataclass(slots=True)
class Making:
    """One specification in a trace, with all that was written for it."""

    family: str
    spec: ToolSpec
    cases: list[Case] = field(default_factory=list)
    bodies: dict[int, str] = field(default_factory=dict)
    admitted: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("traces", nargs="*", type=Path, help="default: those in traces/golden")
    parser.add_argument("--instances", type=int, default=50, help="fresh instances per tool")
    parser.add_argument("--sandbox", default=None)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    traces = options.traces or sorted(GOLDEN.glob("*/*.jsonl"))
    makings = [making for trace in traces for making in makings_of(trace)]
    rows = asyncio.run(judge_all(makings, options.instances, options.sandbox))
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        report(makings, rows)


def makings_of(trace: Path) -> list[Making]:
    """What the trace made; its file is named FAMILY-NUMBER."""
    family = trace.stem.rpartition("-")[0]
    found: dict[str, Making] = {}
    done: list[Making] = []
    for event in read_trace(trace):
        _follow(event, family, found, done)
    return done


def _follow(event: Event, family: str, found: dict[str, Making], done: list[Making]) -> None:
    data = event.data
    name = data.get("name", "")
    if event.kind == "tool.specified":
        found[name] = Making(family, ToolSpec(**data["spec"]))
        done.append(found[name])
    elif event.kind == "tool.tested":
        found[name].cases = [Case(**case) for case in data["cases"]]
    elif event.kind == "tool.authored":
        found[name].bodies[data["candidate"]] = data["code"]
    elif event.kind == "tool.admitted":
        found[name].admitted = True


async def judge_all(
    makings: Sequence[Making], instances: int, backend: str | None
) -> list[dict[str, Any]]:
    """One row per making: the share of instances that the tool of each rule answers, or
    None where the rule admits none."""
    rows = []
    async with opened_sandbox(load_settings(sandbox=backend), warn=print) as sandbox:
        for making in makings:
            bench = Bench(sandbox, making.spec, SandboxLimits(), {})
            chosen = await judge(bench, making)
            shares: dict[str, float | None] = {}
            known: dict[str, float] = {}
            for rule, candidate in chosen.items():
                if candidate is None:
                    shares[rule] = None
                    continue
                if candidate.body not in known:
                    known[candidate.body] = await share_right(bench, making, candidate, instances)
                shares[rule] = known[candidate.body]
            rows.append(
                {
                    "family": making.family,
                    "tool": making.spec.name,
                    "candidates": len(making.bodies),
                    "admitted_in_run": making.admitted,
                    "right": shares,
                }
            )
    return rows


async def judge(bench: Bench, making: Making) -> dict[str, Candidate | None]:
    """Rule -> the candidate it admits."""
    asked = [case.inputs for case in making.cases]
    generated = generated_inputs(bench.spec, asked) if asked else []
    candidates = []
    for number, body in sorted(making.bodies.items()):
        candidate = await bench.examine(number, body)
        if candidate.sound and asked:
            await bench.exercise(candidate, asked, generated)
        candidates.append(candidate)
    ran = [candidate for candidate in candidates if candidate.outcomes]
    chosen: dict[str, Candidate | None] = dict.fromkeys(RULES)
    chosen["it runs"] = next((one for one in ran if runs(one)), None)
    passing = next((one for one in ran if all(map(passes, making.cases, one.outcomes))), None)
    chosen["tests"] = passing
    if passing:
        trial = await try_winner(bench, passing, making.cases, asked, generated, [])
        if trial.stages[0].passed:
            chosen["tests + mutants"] = passing
    settlement = settle(
        making.cases, [one.outcomes for one in candidates], [one.unlabelled for one in candidates]
    )
    if settlement.group:
        winner = best([candidates[index] for index in settlement.group], asked, settlement.cases)
        others = [one for one in candidates if one is not winner]
        trial = await try_winner(bench, winner, settlement.cases, asked, generated, others)
        if trial.stages[0].passed:
            chosen["vote + mutants"] = winner
        if all(stage.passed for stage in trial.stages):
            chosen["all stages"] = winner
    return chosen


def runs(candidate: Candidate) -> bool:
    return all(outcome.status == "ok" for outcome in candidate.outcomes)


async def share_right(bench: Bench, making: Making, candidate: Candidate, count: int) -> float:
    """The share of fresh instances it answers, as its task is best understood."""
    return max(
        [await _share(bench, family, candidate, count) for family in FAMILIES[making.family]]
    )


async def _share(bench: Bench, family: Family, candidate: Candidate, count: int) -> float:
    chance = random.Random(7)
    instances = [family.draw(chance) for _ in range(count)]
    calls = [arguments(family, bench.spec, instance) for instance in instances]
    if None in calls:
        return 0.0
    outcomes = await bench.run(candidate, calls)
    right = 0
    for instance, outcome in zip(instances, outcomes, strict=True):
        if outcome.status == "ok" and outcome.output:
            value = next(iter(outcome.output.values()))
            right += _formed(family, value) == family.answer(**instance)
    return right / count


def _formed(family: Family, value: Any) -> str:
    try:
        return family.form(value)
    except (TypeError, ValueError, OverflowError):
        return ""


def report(makings: Sequence[Making], rows: Sequence[dict[str, Any]]) -> None:
    written = sum(len(making.bodies) for making in makings)
    print(f"{len(makings)} specifications, {written} candidates\n")
    print("| rule | admits | right | falsely admitted |")
    print("|---|---|---|---|")
    for rule, text in RULES.items():
        shares = [row["right"][rule] for row in rows if row["right"][rule] is not None]
        right = sum(share == 1.0 for share in shares)
        wrong = f"{len(shares) - right} ({1 - right / len(shares):.0%})" if shares else "0"
        print(f"| {rule}: {text} | {len(shares)} | {right} | {wrong} |")
    print("\n| family | specifications | candidates | admitted | right | instances answered |")
    print("|---|---|---|---|---|---|")
    for name in dict.fromkeys(row["family"] for row in rows):
        those = [row for row in rows if row["family"] == name]
        shares = [row["right"]["all stages"] for row in those]
        shares = [share for share in shares if share is not None]
        answered = f"{sum(shares) / len(shares):.0%}" if shares else "-"
        print(
            f"| {name} | {len(those)} | {sum(row['candidates'] for row in those)} "
            f"| {len(shares)} | {sum(share == 1.0 for share in shares)} | {answered} |"
        )


if __name__ == "__main__":
    main()

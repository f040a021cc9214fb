"""A tool that failed in use, written anew.

What it did right in real work it must do again (regression cases), and it must not fail where
it failed: there it may give a result or refuse the inputs. Nobody knows which result is
right there, so a repair is as trustworthy as its cases, and no more.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from yunjue.hashing import canonical_json, content_id
from yunjue.models.gateway import Gateway
from yunjue.protocols import Sandbox, SandboxLimits
from yunjue.synthesis.author import Evidence, Needed, write_candidate
from yunjue.synthesis.declared import specification
from yunjue.synthesis.generated import generated_inputs
from yunjue.synthesis.prove import Bench, Candidate
from yunjue.synthesis.stages import runnable, tests_stage
from yunjue.synthesis.trial import try_winner
from yunjue.types import Case, Stage, Tool, Verdict

ATTEMPTS = 4
"""Candidates written before a repair is given up."""
TOLD = 3
"""Failures that the author is told of."""
FRAME = ("InputModel", "OutputModel", "run")


@dataclass(frozen=True, slots=True)
class Broken:
    """One call that failed: the inputs, and the error as one line."""

    inputs: dict[str, Any]
    error: str


@dataclass(frozen=True, slots=True)
class Repair:
    """What came of it: another version with its verdict, or why there is none."""

    tool: Tool | None = None
    verdict: Verdict | None = None
    refusal: str = ""


async def repair(
    gateway: Gateway,
    sandbox: Sandbox,
    tool: Tool,
    cases: Sequence[Case],
    failures: Sequence[Broken],
    limits: SandboxLimits,
    veto: Callable[[Tool, Verdict], str] = lambda tool, verdict: "",
) -> Repair:
    """Write the function of ``tool`` anew until a version passes, at most ``ATTEMPTS`` times.

    Args:
        cases: what the tool was admitted with, and what it gave in real work.
        failures: calls that failed; at least one.
        veto: the reason a plugin has against a proven version; empty for none.

    Raises:
        SandboxError, ModelError: sandbox or model failed; that says nothing of the tool.
    """
    proving = runnable(cases)
    if not proving:
        return Repair(refusal="it has no cases that can be run without files of their run")
    if tool.requirements:
        return Repair(refusal="tools with requirements are not repaired")
    try:
        spec = specification(tool.name, tool.description, tool.input_schema, tool.output_schema)
    except ValueError as error:
        return Repair(refusal=str(error))
    bench = Bench(sandbox, spec, limits, {})
    told = [f"{canonical_json(one.inputs)[:200]}: {one.error}" for one in failures[:TOLD]]
    evidence = Evidence(function_of(tool.source), told)
    needed = Needed(str(tool.origin.get("task") or tool.description))
    refusals = []
    for number in range(ATTEMPTS):
        body = await write_candidate(gateway, spec, needed, number, evidence)
        candidate = await bench.examine(number, body)
        verdict = await _prove(bench, tool, candidate, proving, failures)
        verdict = verdict.model_copy(update={"sandbox": sandbox.name, "image": sandbox.image})
        if not verdict.admitted:
            refusals.append(verdict.reason())
            continue
        origin = {"model": gateway.model_name("author"), "task": tool.origin.get("task", "")}
        new = candidate.tool(spec, origin)
        if not (why := veto(new, verdict)):
            return Repair(new, verdict)
        refusals.append(f"a plugin refused it: {why}")
    return Repair(refusal="; ".join(dict.fromkeys(refusals)))


async def _prove(
    bench: Bench,
    tool: Tool,
    candidate: Candidate,
    cases: Sequence[Case],
    failures: Sequence[Broken],
) -> Verdict:
    stages = list(candidate.stages)
    if candidate.sound:
        stages.append(_same_schemas(tool, candidate))
    if stages[-1].passed:
        asked = [case.inputs for case in cases]
        generated = generated_inputs(bench.spec, asked)
        broken = [one.inputs for one in failures]
        after = await bench.exercise(candidate, asked, generated, broken)
        stages.append(tests_stage(cases, candidate.outcomes))
        stages.append(_mended(failures, after))
    if all(stage.passed for stage in stages):
        trial = await try_winner(bench, candidate, list(cases), asked, generated, [])
        stages += trial.stages
    return Verdict(
        tool_id=content_id(candidate.source),
        admitted=all(stage.passed for stage in stages),
        stages=stages,
        cases=list(cases),
    )


def _same_schemas(tool: Tool, candidate: Candidate) -> Stage:
    """Defaults and bounds of a file that was not framed by us would be lost."""
    schemas = candidate.schemas
    same = schemas is not None and (
        dict(schemas.input_schema) == tool.input_schema
        and dict(schemas.output_schema) == tool.output_schema
    )
    detail = "the same inputs and output" if same else "its inputs or output would change"
    return Stage(name="schemas", passed=same, detail=detail)


def _mended(failures: Sequence[Broken], outcomes: Sequence[Any]) -> Stage:
    still = [
        {"inputs": one.inputs, "error": outcome.error}
        for one, outcome in zip(failures, outcomes, strict=True)
        if outcome.status == "failed"
    ]
    return Stage(
        name="failures",
        passed=not still,
        detail=f"{len(still)} of {len(failures)} calls that failed fail still",
        evidence={"still": still},
    )


def function_of(source: str) -> str:
    """What an author wrote in a tool's file: all but the frame around it."""
    tree = ast.parse(source)
    kept = [
        ast.get_source_segment(source, node) or ""
        for node in tree.body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        and getattr(node, "name", "") not in FRAME
        and not (isinstance(node, ast.ImportFrom) and node.module == "pydantic")
        and not (isinstance(node, ast.Assign) and "__TOOL_META__" in ast.unparse(node.targets[0]))
    ]
    return "\n".join(kept)

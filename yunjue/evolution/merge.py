"""Several tools that are one function become one canonical tool, or the best of them stays.

The canonical tool must pass the union of its parents' tests and regression cases in the
sandbox. Where the parents take the same inputs, each is tried with all cases first: one that
passes them needs no new code. Else the merger specifies one function, says how each parent's
calls are made with it, and writes it. If nothing passes, the best parent of those that share
one name stays; tools of different names stay apart, for they may not be one function after
all: small models say yes to every question whether two functions are one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from yunjue.agent.manager import to_spec
from yunjue.errors import DependencyError, ModelOutputInvalid, PromptTooLong
from yunjue.evolution.contender import Contender
from yunjue.hashing import canonical_json
from yunjue.models.gateway import Gateway
from yunjue.plugins import plugins
from yunjue.prompts import conversation
from yunjue.protocols import Sandbox, SandboxJob, SandboxLimits
from yunjue.synthesis.author import extract_code
from yunjue.synthesis.declared import specification
from yunjue.synthesis.generated import generated_inputs
from yunjue.synthesis.prove import Bench
from yunjue.synthesis.repair import function_of
from yunjue.synthesis.schemas import closed, specification_schema
from yunjue.synthesis.settle import passes, same
from yunjue.synthesis.slips import mended
from yunjue.synthesis.stages import tests_stage
from yunjue.synthesis.trial import try_winner
from yunjue.types import Case, Tool, ToolSpec, Verdict

ATTEMPTS = 2
"""Programs that the merger may write."""
TEMPERATURES = (0.2, 0.7)
MOST_CASES = 40
"""Of the union; each parent gives as many."""
MAX_TOKENS = 600
WRITTEN = "the merger's function passes the tests of all"
CONSTANT = {"anyOf": [{"type": "string", "maxLength": 60}, {"type": "number"}, {"type": "boolean"}]}


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of a group.

    Attributes:
        winner: the parent that stays, if one does.
        tool, verdict: the canonical tool the merger wrote, if it did.
        others: parents that go; the rest of the group stays apart.
        how: one sentence.
    """

    others: list[Contender]
    how: str
    winner: Contender | None = None
    tool: Tool | None = None
    verdict: Verdict | None = None


class Merger:
    """Merges groups.

    Args:
        origin: lineage of what the merger writes: run, step.
        taken: whether a name belongs to a tool outside of the group.
    """

    def __init__(
        self,
        gateway: Gateway,
        sandbox: Sandbox,
        limits: SandboxLimits,
        origin: Mapping[str, Any],
        taken: Any,
    ) -> None:
        self._gateway = gateway
        self._sandbox = sandbox
        self._limits = limits
        self._origin = origin
        self._taken = taken

    async def merge(self, group: Sequence[Contender]) -> Merged:
        """One tool for ``group`` of two or more, or the reason why they stay apart.

        Raises:
            SandboxError, ModelUnavailable: sandbox or model failed; that says nothing of the
                tools.
        """
        if _same_inputs(group):
            merged = await self._merge_alike(group)
            if merged is not None:
                return merged
        try:
            widest = _widest(group)
            if widest is not None:
                merged = await self._take_in(widest, group)
                if merged is not None:
                    return merged
            spec, calls = await self._specify(group)
        except (ModelOutputInvalid, PromptTooLong, ValueError) as error:
            return Merged([], f"they stay apart: no specification covers them: {error}")
        cases = [
            _asked_with(call, case)
            for parent, call in zip(group, calls, strict=True)
            for case in share(parent.cases, len(group))
        ]
        written = await self._write(group, spec, cases)
        if isinstance(written, str):
            return Merged([], f"they stay apart: {written}")
        return Merged(list(group), WRITTEN, None, *written)

    async def _merge_alike(self, group: Sequence[Contender]) -> Merged | None:
        """The parents take the same inputs: all cases can be asked of each. None if they give
        different results for them: then it takes another input to be one function."""
        cases = distinct(case for parent in group for case in share(parent.cases, len(group)))
        passed = [await self._passed(parent.tool, cases) for parent in group]
        ranked = sorted(
            range(len(group)),
            key=lambda place: (-passed[place], not group[place].kept, -group[place].calls, place),
        )
        best = group[ranked[0]]
        others = [group[place] for place in sorted(ranked[1:])]
        of = f"{passed[ranked[0]]} of the {len(cases)} cases of all"
        if passed[ranked[0]] == len(cases):
            return Merged(others, f"{best.tool.name} passes {of}", best)
        one_name = len({one.tool.name for one in group}) == 1
        if _contradict(cases) and not one_name:
            return None
        spec = _specification(best.tool)
        written = await self._write(group, spec, cases) if spec else "it has no such inputs"
        if not isinstance(written, str):
            return Merged(list(group), WRITTEN, None, *written)
        if one_name:
            return Merged(others, f"the best stays: {best.tool.name} passes {of}", best)
        return Merged([], f"they stay apart: {written}")

    async def _take_in(self, widest: Contender, group: Sequence[Contender]) -> Merged | None:
        """The parent with the most inputs may do what the others do as it is; None if not."""
        spec = _specification(widest.tool)
        if spec is None:
            return None
        cases = list(share(widest.cases, len(group)))
        others = [one for one in group if one is not widest]
        for parent in others:
            call = await self._calling(parent.tool, spec)
            cases += [_asked_with(call, case) for case in share(parent.cases, len(group))]
        if not cases or await self._passed(widest.tool, cases) < len(cases):
            return None
        how = f"{widest.tool.name} passes the {len(cases)} cases of all"
        return Merged(others, how, widest)

    async def _passed(self, tool: Tool, cases: Sequence[Case]) -> int:
        """How many cases the tool passes."""
        job = SandboxJob(
            source=tool.source,
            calls=[case.inputs for case in cases],
            requirements=tool.requirements,
            limits=self._limits,
            most_timeouts=1,
        )
        try:
            outcomes = await self._sandbox.call(job)
        except DependencyError:
            return 0
        return sum(map(passes, cases, outcomes))

    async def _specify(
        self, group: Sequence[Contender]
    ) -> tuple[ToolSpec, list[dict[str, dict[str, Any]]]]:
        """The canonical specification, and for each parent how it is called for it: input ->
        ``{"from": the parent's input}`` or ``{"value": a constant}``."""
        tools = [one.tool for one in group]
        output = _specification(tools[0])
        if output is None:
            raise ValueError(f"{tools[0].name} has inputs or an output of other types")
        messages = conversation(
            "aggregator_system", "merge_specify", tools=tools, output=output.output.type
        )
        answer = await self._gateway.ask_json(
            "merger", messages, specification_schema(), max_tokens=400, check=self._problem(group)
        )
        spec = to_spec(answer)
        if spec.output.type != output.output.type:
            raise ValueError(f"its output is {spec.output.type}, theirs {output.output.type}")
        return spec, [await self._calling(tool, spec) for tool in tools]

    def _problem(self, group: Sequence[Contender]) -> Any:
        own = {one.tool.name for one in group}

        def problem(answer: dict[str, Any]) -> str | None:
            try:
                spec = to_spec(answer)
            except ValueError as error:
                return str(error)[:300]
            if spec.name not in own and self._taken(spec.name):
                return f"The name {spec.name} is taken; choose another."
            names = [field.name for field in spec.inputs]
            most = max(len(one.tool.input_schema.get("properties", {})) for one in group)
            if _same_inputs(group) and len(names) <= most:
                return "What the functions differ in must be one more input."
            return "Two inputs have the same name." if len(set(names)) < len(names) else None

        return problem

    async def _calling(self, old: Tool, new: ToolSpec) -> dict[str, dict[str, Any]]:
        names = list(old.input_schema.get("properties", {}))
        source = {
            "anyOf": [closed({"from": {"enum": names}}), closed({"value": CONSTANT})],
        }
        schema = closed({field.name: source for field in new.inputs})
        messages = conversation("aggregator_system", "merge_call", old=old, new=new)
        return await self._gateway.ask_json(
            "merger", messages, schema, max_tokens=200, check=partial(_unused, names)
        )

    async def _write(
        self, group: Sequence[Contender], spec: ToolSpec, cases: list[Case]
    ) -> tuple[Tool, Verdict] | str:
        """A function that passes all cases and the rest of the proof, or why there is none."""
        if not cases:
            return "there are no cases to prove it with"
        if _contradict(cases):
            return "their tests expect different results for the same inputs"
        cases = distinct(cases)
        bench = Bench(self._sandbox, spec, self._limits, {})
        sources = [function_of(one.tool.source) for one in group]
        messages = conversation("author_system", "merge", spec=spec, sources=sources)
        why = ""
        for number in range(ATTEMPTS):
            reply = await self._gateway.ask(
                "merger",
                messages,
                temperature=TEMPERATURES[number],
                seed=number,
                max_tokens=MAX_TOKENS,
                stop=["\n```\n"],
            )
            body = mended(extract_code(reply.text, spec.name))
            verdict, tool = await self._prove(bench, spec, number, body, cases, group)
            if verdict.admitted and tool:
                refused = plugins().veto(tool, verdict)
                return f"a plugin refused it: {refused}" if refused else (tool, verdict)
            why = verdict.reason()
        return why

    async def _prove(
        self,
        bench: Bench,
        spec: ToolSpec,
        number: int,
        body: str,
        cases: list[Case],
        group: Sequence[Contender],
    ) -> tuple[Verdict, Tool | None]:
        candidate = await bench.examine(number, body)
        stages = list(candidate.stages)
        if candidate.sound:
            asked = [case.inputs for case in cases]
            generated = generated_inputs(spec, asked)
            await bench.exercise(candidate, asked, generated)
            stages.append(tests_stage(cases, candidate.outcomes))
            if stages[-1].passed:
                trial = await try_winner(bench, candidate, cases, asked, generated, [])
                stages += trial.stages
        parents = [one.tool for one in group]
        origin = {
            **self._origin,
            "task": parents[0].origin.get("task", ""),
            "model": self._gateway.model_name("merger"),
            "parents": [tool.id for tool in parents],
        }
        tool = candidate.tool(spec, origin) if candidate.sound else None
        verdict = Verdict(
            tool_id=tool.id if tool else "",
            admitted=all(stage.passed for stage in stages),
            stages=stages,
            sandbox=self._sandbox.name,
            image=self._sandbox.image,
            cases=cases,
        )
        return verdict, tool


def called(call: Mapping[str, Mapping[str, Any]], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of the canonical tool that stand for ``inputs`` of a parent."""
    return {
        name: inputs.get(source["from"]) if "from" in source else source["value"]
        for name, source in call.items()
    }


def _unused(names: Sequence[str], answer: Mapping[str, Mapping[str, Any]]) -> str | None:
    """What the old function is given must reach the new one."""
    taken = [source["from"] for source in answer.values() if "from" in source]
    lost = [name for name in names if name not in taken]
    if not lost:
        return None
    return f'The old input {lost[0]} is not used: one new input must be {{"from": "{lost[0]}"}}.'


def _asked_with(call: Mapping[str, Mapping[str, Any]], case: Case) -> Case:
    return case.model_copy(update={"inputs": called(call, case.inputs)})


def _widest(group: Sequence[Contender]) -> Contender | None:
    """The one tool with more inputs than any other, or None."""
    ranked = sorted(group, key=lambda one: -len(one.tool.input_schema.get("properties", {})))
    counts = [len(one.tool.input_schema.get("properties", {})) for one in ranked[:2]]
    return ranked[0] if counts[0] > counts[1] else None


def share(cases: Sequence[Case], parents: int) -> list[Case]:
    """As many of the cases as a parent may bring, its tests before what it gave in use."""
    return list(cases)[: max(1, MOST_CASES // parents)]


def distinct(cases: Any) -> list[Case]:
    """Each case once."""
    found: dict[str, Case] = {}
    for case in cases:
        expected = None if case.raises else case.expected
        found.setdefault(_key([case.inputs, case.raises, expected]), case)
    return list(found.values())


def _contradict(cases: Sequence[Case]) -> bool:
    """Whether two cases expect different things of the same inputs."""
    first: dict[str, Case] = {}
    for case in cases:
        other = first.setdefault(_key(case.inputs), case)
        if other.raises != case.raises:
            return True
        if not case.raises and not same(other.expected, case.expected):
            return True
    return False


def _same_inputs(group: Sequence[Contender]) -> bool:
    shapes = {
        _key(
            {
                name: {key: schema[key] for key in ("type", "items") if key in schema}
                for name, schema in one.tool.input_schema.get("properties", {}).items()
            }
        )
        for one in group
    }
    return len(shapes) == 1


def _specification(tool: Tool) -> ToolSpec | None:
    try:
        return specification(tool.name, tool.description, tool.input_schema, tool.output_schema)
    except ValueError:
        return None


def _key(value: Any) -> str:
    try:
        return canonical_json(value)
    except ValueError:  # NaN
        return repr(value)

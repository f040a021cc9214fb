"""What the nodes work with; one object, made once per run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from yunjue.agent.experience import Experience
from yunjue.agent.skilled import Skilled
from yunjue.agent.stage import Stage
from yunjue.config import Settings
from yunjue.events import Events
from yunjue.files import as_paths
from yunjue.grants import call_of, lacking
from yunjue.library.library import Failure, Found, Move, Refusal
from yunjue.limits import Meter
from yunjue.mcp_client.offered import RemoteTools
from yunjue.models.gateway import Gateway
from yunjue.protocols import Effects, Outputs, Sandbox
from yunjue.synthesis.synthesize import Synthesizer
from yunjue.types import CallOutcome, Case, Tool, Verdict

if TYPE_CHECKING:
    from yunjue.agent.approval import Approvals

Provider = Callable[[Path, str, str], Awaitable[Any]]
"""(folder, name, domain) -> :class:`yunjue.bundle.provide.Provided`."""

DOMAIN_BOOST = 0.15
"""Cosine by which a tool of the run's domain counts as nearer: the manager has said already
that the task is of its field."""
DOMAIN_DEPTH = 4

MOST_REMOTE = 3
"""Tools of MCP servers that are shown next to those of the library."""


RECIPE = "recipe"
"""Member of the origin of tools that are recipes (:mod:`yunjue.web.recipes`)."""


def _recipes(query: str, similar: Any) -> list[tuple[Tool, float | None]]:
    from yunjue.agent.recipes import search

    return search(query, similar)


class RunLibrary(Protocol):
    """What a run needs of a library: :class:`yunjue.library.library.Library` says what each
    does. An evolution gives each of its runs a branch of one."""

    directory: Path

    def search(self, query: str, k: int, *, domain: str | None = None) -> list[Found]: ...

    def similarities(self, query: str, texts: Sequence[str]) -> list[float] | None: ...

    def find(self, name: str) -> Tool | None: ...

    def has(self, tool_id: str) -> bool: ...

    def pass_over(self, name: str, model: str) -> Refusal | None: ...

    def add(self, tool: Tool, verdict: Verdict) -> Tool: ...

    def refuse(self, name: str, model: str, why: str, run: str) -> None: ...

    def forget_refusals(self, names: Collection[str]) -> int: ...

    def record_call(
        self, run: str, call: str, tool_id: str, outcome: CallOutcome, inputs: Mapping[str, Any]
    ) -> Move | None: ...


class MendedLibrary(Protocol):
    """What the repair of a tool needs of a library, which says what each does."""

    def cases(self, tool_id: str) -> list[Case]: ...

    def evidence(self, tool_id: str) -> list[Failure]: ...

    def replace(self, old_id: str, tool: Tool, verdict: Verdict, why: str) -> Tool: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a node may use.

    Attributes:
        run: the run's id.
        effects: retrieval goes through it, so that a replay sees the same tools.
        outputs: where files go that tools leave.
        stage: the environment of the run's domain, if that has one.
        approvals: decides what may be done.
        mended: the library, if its tools are repaired in use.
        experience: the bank of principles; None when they are off.
        skilled: the skills; None when they are off.
        provider: adds a plugin's tools to the library; None where that must stay as it is.
        replayed: the run is a replay: what its trace does not hold was not there.
    """

    run: str
    settings: Settings
    gateway: Gateway
    library: RunLibrary
    sandbox: Sandbox
    synthesizer: Synthesizer
    events: Events
    meter: Meter
    effects: Effects
    remote: RemoteTools
    outputs: Path
    stage: Stage
    approvals: Approvals
    mended: MendedLibrary | None = None
    experience: Experience | None = None
    skilled: Skilled | None = None
    provider: Provider | None = None
    replayed: bool = False

    async def search(
        self, query: str, min_similarity: float = -1.0, domain: str = ""
    ) -> list[Tool]:
        """The tools of the library that fit ``query`` best, best first, at most ``top_k``;
        then at most :data:`MOST_REMOTE` of MCP servers.

        Args:
            min_similarity: cosine below which a tool is left out. One found by words alone
                is kept: then there is no embedder to ask; and so is one of ``domain``.
            domain: the run's; its tools come first among those that are near, and tools of
                other domains are left out.

        A tool that needs a network or a secret which it is not granted is left out, and the
        user told what would allow it.
        """
        top_k = self.settings.top_k

        async def action() -> dict:
            kept = await asyncio.to_thread(self._of_library, query, domain)
            others = await asyncio.to_thread(self.remote.search, query, MOST_REMOTE)
            others += await asyncio.to_thread(_recipes, query, self.library.similarities)
            names = {entry.tool.name for entry in kept}
            why = {entry.tool.id: lacking(entry.tool.source, self.settings) for entry in kept}
            found = [(entry.tool, entry.similarity) for entry in kept if not why[entry.tool.id]]
            found += [(tool, score) for tool, score in others if tool.name not in names]
            return {
                "tools": [tool.model_dump() for tool, _ in found],
                "similarity": [None if score is None else round(score, 4) for _, score in found],
            } | _told_lacking(kept, why, min_similarity)

        request = {"query": query, "top_k": top_k} | ({"domain": domain} if domain else {})
        result = await self.effects.perform("library", request, action)
        fits = [
            (Tool(**tool), similarity)
            for tool, similarity in zip(result["tools"], result["similarity"], strict=True)
            if _fits(tool["origin"], similarity, min_similarity, domain)
        ]
        for name, needs in result.get("lacking", {}).items():
            self.events.emit("tools.lacking", tool=name, why=needs)
        self.events.emit(
            "tools.retrieved",
            query=query[:200],
            names=[tool.name for tool, _ in fits],
            similarity=[similarity for _, similarity in fits],
            left_out=len(result["tools"]) - len(fits),
        )
        return [tool for tool, _ in fits]

    def _of_library(self, query: str, domain: str) -> list[Found]:
        top_k = self.settings.top_k
        if not domain:
            return self.library.search(query, top_k)
        found = self.library.search(query, DOMAIN_DEPTH * top_k, domain=domain)

        def rank(one: Found) -> tuple[bool, float]:
            nearer = DOMAIN_BOOST if one.tool.origin.get("domain") == domain else 0.0
            return one.status != "active", -((one.similarity or 0.0) + nearer)

        return sorted(found, key=rank)[:top_k]

    async def lessons(self, query: str) -> list[str]:
        """The principles nearest to ``query``, one line each; none when they are off."""
        return await self.experience.find(query) if self.experience else []

    async def find(self, name: str) -> Tool | None:
        """The library's active tool called ``name``."""

        async def action() -> dict:
            tool = self.library.find(name)
            return {"tool": tool.model_dump() if tool else None}

        result = await self.effects.perform("library", {"find": name}, action)
        return Tool(**result["tool"]) if result["tool"] else None

    async def pass_over(self, name: str) -> str:
        """Why the tool ``name`` is not to be made now, or "": the library remembers that the
        author's model could not make it lately."""
        model = self.gateway.model_name("author")

        async def action() -> dict:
            refusal = self.library.pass_over(name, model)
            return {"why": refusal.why if refusal else ""}

        result = await self.effects.perform("library", {"pass over": name}, action)
        if result["why"]:
            self.events.emit("tool.passed_over", name=name, why=result["why"])
        return result["why"]

    async def call(self, call: str, tool: Tool, inputs: dict, files: dict[str, str]) -> CallOutcome:
        """Call ``tool`` once: in the sandbox with what it is granted, or at its server. The
        files it leaves go to the folder ``call`` of :attr:`outputs`."""
        if not tool.source:
            if RECIPE in tool.origin:
                return await self._call_recipe(call, tool, inputs)
            return await self._call_remote(tool, inputs)
        job = replace(
            call_of(tool, inputs, self.settings),
            files=as_paths(files),
            warm=True,
            outputs=Outputs(self.outputs / call),
        )
        outcome = (await self.sandbox.call(job))[0]
        for visit in outcome.visits:
            self.events.emit("tool.network", tool=tool.name, **visit.model_dump())
        return outcome

    async def _call_remote(self, tool: Tool, inputs: dict) -> CallOutcome:
        async def action() -> dict:
            return (await self.remote.call(tool, inputs)).model_dump()

        request = {**tool.origin["mcp"], "id": tool.id, "inputs": inputs}
        return CallOutcome(**await self.effects.perform("mcp", request, action))

    async def _call_recipe(self, call: str, tool: Tool, inputs: dict) -> CallOutcome:
        from yunjue.web import recipe_run, recipes

        async def action() -> dict:
            recipe = recipes.find(tool.name)
            if recipes.as_tool(recipe).id != tool.id:
                changed = f"The recipe {tool.name} has changed since it was found."
                return CallOutcome(status="failed", reason="recipe", error=changed).model_dump()
            folder = self.outputs / call
            done = await recipe_run.carry_out(recipe, inputs, self.settings, folder)
            return done.model_dump()

        request = {"recipe": tool.name, "id": tool.id, "call": call, "inputs": inputs}
        return CallOutcome(**await self.effects.perform("recipe", request, action))

    async def recorded(
        self, call: str, tool: Tool, outcome: CallOutcome, inputs: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Keep the call in the library.

        Returns:
            What a repair needs, if the tool has just failed too often: ``tool``, its name,
            and plain ``cases`` and ``failures``.
        """

        mended = self.mended
        if mended is None or outcome.status != "failed" or not tool.source:
            self.record_call(call, tool, outcome, inputs)
            return None

        async def action() -> dict[str, Any]:
            move = self.record_call(call, tool, outcome, inputs)
            if move is None or move.status != "suspect":
                return {"failures": []}
            failures = mended.evidence(tool.id)
            return {
                "tool": tool.name,
                "cases": [case.model_dump() for case in mended.cases(tool.id)],
                "failures": [asdict(one) for one in failures if one.inputs is not None],
            }

        worn = await self.effects.perform("library", {"failed": tool.id, "call": call}, action)
        return worn if worn["failures"] else None

    def record_call(
        self, call: str, tool: Tool, outcome: CallOutcome, inputs: dict[str, Any]
    ) -> Move | None:
        """Keep the call in the library, which may move the tool to another status; a tool
        that is not kept there (its name was taken, or this is a replay) has no record."""
        if not self.library.has(tool.id):
            return None
        move = self.library.record_call(self.run, call, tool.id, outcome, inputs)
        if move:
            self.events.emit(
                "tool.moved", name=tool.name, id=tool.id, status=move.status, why=move.why
            )
        return move


def _told_lacking(
    kept: Sequence[Found], why: Mapping[str, str], least: float
) -> dict[str, dict[str, str]]:
    """What the user is told of tools that may not be called, though they are near or the best
    found: name -> what each needs; nothing if there is none."""
    found = {
        one.tool.name: why[one.tool.id]
        for place, one in enumerate(kept)
        if why[one.tool.id] and (place == 0 or one.similarity is None or one.similarity >= least)
    }
    return {"lacking": found} if found else {}


def _fits(origin: Mapping[str, Any], similarity: float | None, least: float, domain: str) -> bool:
    """Whether a tool that was found is near enough; those of the run's domain are."""
    near = similarity is None or similarity >= least
    return near or (bool(domain) and origin.get("domain") == domain)

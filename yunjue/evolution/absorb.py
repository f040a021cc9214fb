"""What of a batch enters the library, and what it merges into: T_t = T_{t-1} + P_t.

A tool that was never invoked is dropped, one that another equals in code is merged without a
model, those that are one function become one (arXiv 2601.18226). The plan is made here; the
library carries it out in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from yunjue.events import Events
from yunjue.evolution import cluster
from yunjue.evolution.branch import Base, Harvest
from yunjue.evolution.contender import Contender, code_key, contenders
from yunjue.evolution.merge import Merged, Merger
from yunjue.models.gateway import Gateway
from yunjue.protocols import Effects, Sandbox, SandboxLimits
from yunjue.store.absorptions import Changes
from yunjue.store.records import Addition
from yunjue.synthesis.stages import runnable
from yunjue.types import Case, Tool


@dataclass(slots=True)
class Plan:
    """What absorbing a batch will do.

    Attributes:
        retired: (id, why) of the library's tools that are merged away.
        added: tools that come in; ``earlier``: parents kept for the history.
        merges: merges of two or more tools into one; ``merged``: tools that went into them.
        dropped: (name, why) of the batch's tools that do not come in.
    """

    retired: list[tuple[str, str]] = field(default_factory=list)
    added: list[Addition] = field(default_factory=list)
    earlier: list[Addition] = field(default_factory=list)
    merges: int = 0
    merged: int = 0
    dropped: list[tuple[str, str]] = field(default_factory=list)

    def names(self) -> list[str]:
        """Of the tools that come in."""
        return [one.tool.name for one in self.added]

    def changes(
        self, harvests: Sequence[Harvest], base: AbsorbingBase, summary: Mapping[str, Any]
    ) -> Changes:
        """What the library is to do. Calls of tools that it will not have are left out.

        Args:
            summary: kept with the step.
        """
        additions = [*self.added, *self.earlier]
        coming = {one.tool.id for one in additions}
        calls = [call for harvest in harvests for call in harvest.calls]
        return Changes(
            retired=self.retired,
            additions=additions,
            calls=[call for call in calls if call.tool_id in coming or base.has(call.tool_id)],
            refused=[one for harvest in harvests for one in harvest.refused],
            passed_over=[one for harvest in harvests for one in harvest.passed_over],
            summary=summary,
        )


class AbsorbingBase(Base):
    """What absorbing reads of the library, beyond what a branch does."""

    def get_by_id(self, tool_id: str) -> Tool: ...

    def cases(self, tool_id: str) -> list[Case]: ...


@dataclass(frozen=True, slots=True)
class Absorber:
    """Plans the absorption of batches.

    Attributes:
        origin: lineage of merged tools.
    """

    gateway: Gateway
    sandbox: Sandbox
    limits: SandboxLimits
    base: AbsorbingBase
    effects: Effects
    events: Events
    origin: dict[str, Any]

    async def plan(self, harvests: Sequence[Harvest]) -> Plan:
        """What to do with the tools of ``harvests``, which come in the order of the stream.

        Raises:
            SandboxError, ModelUnavailable: nothing can be said now.
        """
        plan = Plan()
        made = [one for harvest in harvests for one in harvest.made]
        calls = [call for harvest in harvests for call in harvest.calls]
        tools = []
        for tool in contenders(made, calls):
            if tool.calls:
                tools.append(tool)
            else:
                self._drop(plan, tool, "it was never called")
        tools = self._identical(plan, tools)
        for group in await self._groups(tools):
            await self._take(plan, group)
        return plan

    def _identical(self, plan: Plan, tools: list[Contender]) -> list[Contender]:
        """Of tools with the same code the first stays: no model is asked."""
        first: dict[str, Contender] = {}
        others: dict[str, list[Contender]] = {}
        for tool in tools:
            key = code_key(tool.tool.source)
            if key in first:
                others.setdefault(key, []).append(tool)
            else:
                first[key] = tool
        for key, same in others.items():
            self._merge(plan, Merged(same, "their code is the same", first[key]))
        return list(first.values())

    async def _groups(self, tools: list[Contender]) -> list[list[Contender]]:
        """Groups that are one function each, with the library's tools that belong to them."""
        kept: dict[str, Contender] = {}
        pairs = await cluster.near_each_other(tools, self.base, self.effects)
        for place, tool in enumerate(tools):
            for tool_id in await cluster.neighbours(tool, self.base, self.effects):
                kept.setdefault(tool_id, self._kept(tool_id))
                pairs.append((place, len(tools) + list(kept).index(tool_id)))
        everyone = [*tools, *kept.values()]
        groups = []
        for numbers in cluster.components(len(everyone), pairs):
            near = [everyone[number] for number in numbers]
            if len(near) == 1:
                groups.append(near)
            else:
                groups += await cluster.confirmed(near, self.gateway, self.events)
        # The library's own tools among themselves are no business of this batch.
        return [group for group in groups if not all(tool.kept for tool in group)]

    def _kept(self, tool_id: str) -> Contender:
        tool = self.base.get_by_id(tool_id)
        return Contender(tool, None, tuple(runnable(self.base.cases(tool_id))))

    async def _take(self, plan: Plan, group: list[Contender]) -> None:
        if len(group) == 1:
            self._add(plan, group[0])
            return
        taken = partial(self._taken, plan)
        merger = Merger(self.gateway, self.sandbox, self.limits, self.origin, taken)
        merged = await merger.merge(group)
        if merged.winner is None and merged.tool is None:
            self.events.emit("absorb.apart", tools=_names(group), why=merged.how)
            for tool in group:
                if not tool.kept:
                    self._add(plan, tool)
            return
        self._merge(plan, merged)
        if merged.tool is not None and merged.verdict is not None:
            plan.added.append(Addition(merged.tool, merged.verdict, True, merged.how))
        elif merged.winner is not None and not merged.winner.kept:
            self._add(plan, merged.winner)

    def _merge(self, plan: Plan, merged: Merged) -> None:
        """The others leave, but stay in the history."""
        into = merged.winner.tool if merged.winner else merged.tool
        assert into is not None
        parents = [*merged.others, *([merged.winner] if merged.winner else [])]
        plan.merges += 1
        plan.merged += len(parents)
        why = f"merged into {into.name} {into.id[:12]}: {merged.how}"
        for tool in merged.others:
            if tool.tool.id == into.id:
                continue
            if tool.verdict is None:
                plan.retired.append((tool.tool.id, why))
            else:
                plan.earlier.append(Addition(tool.tool, tool.verdict, False, why))
        self.events.emit(
            "absorb.merged", name=into.name, id=into.id, parents=_names(parents), why=merged.how
        )

    def _add(self, plan: Plan, tool: Contender) -> None:
        """Put the tool into use, unless another has its name: no tool is renamed silently."""
        assert tool.verdict is not None
        holder = self.base.find(tool.tool.name)
        leaving = [tool_id for tool_id, _ in plan.retired]
        if tool.tool.name in plan.names() or (holder is not None and holder.id not in leaving):
            self._drop(plan, tool, "another tool has its name")
            return
        plan.added.append(Addition(tool.tool, tool.verdict))

    def _drop(self, plan: Plan, tool: Contender, why: str) -> None:
        plan.dropped.append((tool.tool.name, why))
        self.events.emit("absorb.dropped", name=tool.tool.name, id=tool.tool.id, why=why)

    def _taken(self, plan: Plan, name: str) -> bool:
        return name in plan.names() or self.base.find(name) is not None


def _names(tools: Sequence[Contender]) -> list[str]:
    return [one.tool.name for one in tools]

"""Import: check, show, prove, and then add everything in one step, or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from yunjue.bundle.archive import unpack
from yunjue.bundle.contents import Packed, read_contents
from yunjue.bundle.original import read_originals
from yunjue.bundle.plan import Incoming, OnCollision, Planned, plan
from yunjue.bundle.signature import Signed
from yunjue.bundle.sources import Source
from yunjue.errors import NameTaken
from yunjue.hashing import content_id
from yunjue.library.library import Library
from yunjue.store.records import Addition
from yunjue.synthesis.declared import signature
from yunjue.synthesis.template import read_meta
from yunjue.types import Tool, Verdict

Prove = Callable[[Incoming], Awaitable[tuple[Incoming, Verdict]]]
"""Gives the tool back with what it lacked: original files come without schemas and cases."""
Veto = Callable[[Tool, Verdict], str]


@dataclass(slots=True)
class Report:
    """What an import came to.

    Attributes:
        changed: whether the library is another than before.
    """

    source: str
    sha256: str
    signed: Signed
    tools: list[Planned] = field(default_factory=list)
    changed: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def refused(self) -> list[Planned]:
        return [one for one in self.tools if one.reason]

    def to_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "sha256": self.sha256,
            "signature": self.signed.to_dict(),
            "changed": self.changed,
            "tools": [one.to_dict() for one in self.tools],
            "notes": self.notes,
        }


def unpacked(source: Source, signed: Signed) -> list[Incoming]:
    """The tools of a bundle, after every check that runs nothing.

    Raises:
        BundleRefused: the first thing that is wrong.
    """
    assert source.data is not None
    digest = content_id(source.data)
    return [
        _incoming(packed, source.label, digest, signed)
        for packed in read_contents(unpack(source.data))
    ]


def _incoming(packed: Packed, label: str, digest: str, signed: Signed) -> Incoming:
    record = packed.record
    origin: dict[str, Any] = {"imported_from": label, "sha256": digest, "licence": record.licence}
    if signed.state == "trusted":
        origin["signed_by"] = signed.key
    # What was said of its making, for the next export: nothing here relies on it.
    origin["made"] = record.made.model_dump(exclude_none=True)
    origin["proof"] = record.proof.model_dump()
    tool = Tool(
        id=packed.entry.id,
        name=record.name,
        description=record.description,
        signature=signature(record.name, record.input_schema, record.output_schema),
        source=packed.source,
        input_schema=record.input_schema,
        output_schema=record.output_schema,
        requirements=record.requirements,
        origin=origin,
    )
    return Incoming(tool, record.cases, read_meta(packed.source), packed.entry.active)


def planned(
    library: Library,
    source: Source,
    signed: Signed,
    on_collision: OnCollision,
) -> Report:
    """What would be done, after every check that runs nothing. Nothing is changed.

    Raises:
        BundleRefused: the first thing that is wrong with a bundle. Original files have
            nothing to do with one another, so each is refused by itself.
    """
    if source.data is not None:
        tools = plan(library, unpacked(source, signed), on_collision)
        return Report(source.label, content_id(source.data), signed, tools)
    assert source.folder is not None
    sound, refused, notes = read_originals(source.folder, source.label)
    tools = [*plan(library, sound, on_collision), *refused]
    return Report(source.label, "", signed, tools, notes=notes)


async def install(
    library: Library,
    report: Report,
    prove: Prove,
    *,
    veto: Veto,
    partial: bool = False,
    tell: Callable[[Planned], None] = lambda one: None,
) -> Report:
    """Prove what is planned, and add it if all of it passed.

    Args:
        prove: in the importer's sandbox.
        veto: the first reason a plugin has against a proven tool; empty for none.
        partial: add what passed even if something was refused.
        tell: sees each tool as soon as its fate is known.

    Raises:
        SandboxError, LibraryError: nothing was added.
    """
    verdicts: dict[str, Verdict] = {}
    for one in report.tools:
        # Without --partial one refusal decides, so the rest need not be run.
        if one.taken and (partial or not report.refused):
            one.incoming, verdict = await prove(one.incoming)
            tool = one.incoming.tool
            failed = next((stage for stage in verdict.stages if not stage.passed), None)
            if failed:
                one.refuse(failed.name.replace(" ", "-"), failed.detail)
                one.evidence = failed.evidence
            elif why := veto(tool, verdict):
                one.refuse("veto", f"a plugin refused it: {why}")
            else:
                one.detail = next(s.detail for s in verdict.stages if s.name == "tests")
            verdicts[tool.id] = verdict
        tell(one)
    if report.refused and not partial:
        _leave_out(report.tools, "another tool was refused; --partial takes the rest")
        return report
    _follow_active(report.tools)
    additions = [_addition(one, verdicts) for one in report.tools if one.taken]
    try:
        library.add_all(additions)
    except NameTaken as error:
        # Another process was faster; what it did is as good as ours.
        raise NameTaken(f"{error.message} Another process added it just now.") from None
    report.changed = bool(additions)
    return report


def _addition(one: Planned, verdicts: dict[str, Verdict]) -> Addition:
    tool = one.incoming.tool
    why = f"import of {tool.origin['imported_from']}"
    return Addition(tool, verdicts[tool.id], one.incoming.active, why, one.holder)


def _follow_active(tools: list[Planned]) -> None:
    """Leave out the earlier versions of a tool that was refused."""
    taken = {one.incoming.tool.name for one in tools if one.incoming.active and one.taken}
    _leave_out(
        [one for one in tools if one.incoming.tool.name not in taken],
        "the version in use was refused",
    )


def _leave_out(tools: list[Planned], why: str) -> None:
    for one in tools:
        if one.taken:
            one.action, one.detail = "left out", why

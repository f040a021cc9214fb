"""The entries of a bundle, from the tools of a library."""

from __future__ import annotations

from collections.abc import Sequence

import yunjue
from yunjue.bundle import strict_json
from yunjue.bundle.archive import MANIFEST, check_sizes
from yunjue.bundle.contents import read_contents
from yunjue.bundle.licences import NO_ASSERTION
from yunjue.bundle.manifest import (
    FORMAT,
    MAX_CASES,
    Entry,
    Made,
    Manifest,
    Proof,
    ProofStage,
    Record,
)
from yunjue.errors import BundleRefused
from yunjue.hashing import content_id
from yunjue.library.library import Library
from yunjue.types import Case, Tool, Verdict


def export(
    library: Library,
    names: Sequence[str],
    *,
    versions: bool = False,
    licence: str = NO_ASSERTION,
    with_tasks: bool = False,
) -> dict[str, bytes]:
    """Name -> content of every entry; the same library gives the same bytes.

    Args:
        names: of active tools.
        versions: bring the earlier versions along, but those that a proof refused.
        licence: of the tools that came with none, as an SPDX expression.
        with_tasks: bring along what may be private: the tasks that tools were made for,
            and the inputs of calls that succeeded in real work.

    Raises:
        UnknownToolError: there is no such tool.
        BundleRefused: a tool would be refused by every importer; says why.
    """
    entries: dict[str, bytes] = {}
    listed = []
    for name in sorted(set(names)):
        for tool, active in _versions(library, name, versions):
            source = _source(tool)
            record = strict_json.dump(
                _record(library, tool, licence, with_tasks).model_dump(exclude_none=True)
            )
            entry = Entry(
                name=name,
                id=tool.id,
                source_bytes=len(source),
                record_sha256=content_id(record),
                record_bytes=len(record),
                active=active,
            )
            entries |= {entry.source_path: source, entry.record_path: record}
            listed.append(entry)
    manifest = Manifest(format=FORMAT, yunjue=yunjue.__version__, tools=listed)
    entries[MANIFEST] = strict_json.dump(manifest.model_dump())
    check_sizes(entries)
    read_contents(entries)
    return entries


def _versions(library: Library, name: str, earlier: bool) -> list[tuple[Tool, bool]]:
    """(version, whether it is in use), oldest first, the one in use last."""
    active = library.get(name)
    older = []
    for one in library.versions(name) if earlier else ():
        verdict = library.verdict(one["id"])
        if one["id"] != active.id and verdict and verdict.admitted:
            older.append((library.get_by_id(one["id"]), False))
    return [*older, (active, True)]


def _source(tool: Tool) -> bytes:
    try:
        return tool.source.encode("utf-8")
    except UnicodeEncodeError:
        raise BundleRefused("not-utf8", f"The file of {tool.name} is not UTF-8.") from None


def _record(library: Library, tool: Tool, licence: str, with_tasks: bool) -> Record:
    origin = tool.origin
    if "made" in origin:  # it was imported: what it says of its making travels on unchanged
        made, proof = Made.model_validate(origin["made"]), Proof.model_validate(origin["proof"])
    else:
        made, proof = _made(tool), _proof(library.verdict(tool.id))
    cases = [case for case in library.cases(tool.id) if with_tasks or case.origin != "regression"]
    own = origin.get("licence", NO_ASSERTION)
    return Record(
        name=tool.name,
        description=tool.description,
        requirements=tool.requirements,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        licence=licence if own == NO_ASSERTION else own,
        cases=[_plain(case) for case in cases[:MAX_CASES]],
        proof=proof,
        made=made if with_tasks else made.model_copy(update={"task": None}),
    )


def _plain(case: Case) -> Case:
    """``expected`` means nothing where the tool must refuse; it has one form here."""
    return case.model_copy(update={"expected": None}) if case.raises else case


def _made(tool: Tool) -> Made:
    model, parents = tool.origin.get("model"), tool.origin.get("parents", [])
    task = tool.origin.get("task")
    return Made(
        model=str(model)[:300] if model else None,
        parents=[str(parent)[:300] for parent in parents][:20],
        task=str(task)[:4000] if task else None,
    )


def _proof(verdict: Verdict | None) -> Proof:
    """Without evidence, which may show inputs, and without seconds, which are of no use."""
    if verdict is None:
        return Proof(stages=[])
    return Proof(
        stages=[
            ProofStage(name=stage.name[:300], passed=stage.passed, detail=stage.detail[:2000])
            for stage in verdict.stages[:20]
        ],
        sandbox=verdict.sandbox[:300],
        image=verdict.image[:300],
    )

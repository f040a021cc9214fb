"""Tools that come with a plugin: proved in the user's sandbox, then added to the library.

A folder holds a bundle in folder form (``manifest.json``), or plain tool files with a
``cases.json``: name -> list of cases. Like an import, but each tool by itself: one that is
refused keeps none of the others out. A tool of somebody else's under the same name stays, and
so does what the user has retired.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from yunjue.bundle.archive import MANIFEST
from yunjue.bundle.folder import read_file
from yunjue.bundle.install import install, planned
from yunjue.bundle.plan import KEPT, REPLACE, Incoming, Planned
from yunjue.bundle.proof import prove
from yunjue.bundle.signature import Signed
from yunjue.bundle.sources import take
from yunjue.errors import BundleRefused, UsageError
from yunjue.hashing import content_id
from yunjue.library.library import Library
from yunjue.protocols import Sandbox, SandboxJob, SandboxLimits
from yunjue.synthesis.declared import declaring
from yunjue.types import Case, Tool, Verdict


@dataclass(slots=True)
class Provided:
    """Names of the tools that were added, and why others were not, one line each."""

    added: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


async def provide(
    folder: Path,
    name: str,
    domain: str,
    library: Library,
    sandbox: Sandbox,
    limits: SandboxLimits,
    *,
    run: str,
    veto: Callable[[Tool, Verdict], str],
) -> Provided:
    """Add the tools of ``folder`` that the library does not have.

    Args:
        name: of the plugin's domain or set of tools, kept as where they came from.
        domain: the tools are marked with it; "" for none.
        run: that needs them.

    Raises:
        BundleRefused: the folder is neither, or is damaged.
        SandboxError, LibraryError: nothing was added.
    """
    source = take(str(folder), folder)
    report = planned(library, source, Signed(), "keep")
    cases = None if (folder / MANIFEST).is_file() else _cases(folder / CASES)
    # Another version of the plugin may do better.
    maker = (
        f"plugin {name} {content_id(''.join(one.incoming.tool.id for one in report.tools))[:12]}"
    )
    provided = Provided()
    tried = set()
    for one in report.tools:
        if one.action == KEPT:
            _again(one, library, name)
        if not (one.taken or one.reason):
            continue
        # What was refused lately would be refused again; the library says when to try anew.
        refusal = library.pass_over(one.incoming.tool.name, maker)
        if refusal:
            one.refuse(LATELY, refusal.why)
            continue
        tried.add(one.incoming.tool.name)
        one.incoming = _marked(one.incoming, name, domain)

    async def proved(incoming: Incoming) -> tuple[Incoming, Verdict]:
        if cases is not None:
            incoming = await _declared(incoming, cases, sandbox, limits)
        return incoming, await prove(sandbox, incoming.tool, incoming.cases, limits)

    await install(library, report, proved, veto=veto, partial=True)
    for one in report.tools:
        tool = one.incoming.tool
        if one.reason and one.reason != LATELY:
            provided.refused.append(f"{tool.name}: {one.reason}: {one.detail}")
            if tool.name in tried:
                library.refuse(tool.name, maker, f"{one.reason}: {one.detail}", run)
        elif one.taken and one.incoming.active:
            provided.added.append(tool.name)
    return provided


LATELY = "refused-lately"


def _again(one: Planned, library: Library, name: str) -> None:
    """What becomes of a tool whose name is taken: a plugin's own earlier version gives way,
    another tool does not. One that the user retired is left alone."""
    holder = library.find(one.incoming.tool.name)
    if holder is None:
        return
    if holder.origin.get("imported_from") == f"plugin {name}":
        one.action, one.holder = REPLACE, holder.id
    else:
        one.refuse("collision", "another tool has its name")


CASES = "cases.json"
_CASES = TypeAdapter(dict[str, list[Case]])


def _cases(path: Path) -> dict[str, list[Case]]:
    hint = f"Put {CASES} beside the tools, or write them with `yunjue tools export --as folder`."
    try:
        return _CASES.validate_json(read_file(path, MAX_CASES_BYTES))
    except UsageError as error:
        raise BundleRefused("no-cases", error.message, hint=hint) from None
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise BundleRefused("wrong-form", f"{path}: {where}: {problem['msg']}.", hint="") from None


MAX_CASES_BYTES = 10 << 20


async def _declared(
    incoming: Incoming, cases: dict[str, list[Case]], sandbox: Sandbox, limits: SandboxLimits
) -> Incoming:
    """The tool with the schemas that its file declares, and its cases."""
    tool = incoming.tool
    job = SandboxJob(source=tool.source, requirements=tool.requirements, limits=limits)
    schemas = await sandbox.inspect(job)
    if not schemas.error:
        tool = declaring(tool, schemas)
    return Incoming(tool, cases.get(tool.name, []), incoming.meta, incoming.active)


def _marked(incoming: Incoming, name: str, domain: str) -> Incoming:
    origin = {**incoming.tool.origin, "imported_from": f"plugin {name}"}
    if domain:
        origin["domain"] = domain
    tool = incoming.tool.model_copy(update={"origin": origin})
    return Incoming(tool, incoming.cases, incoming.meta, incoming.active)

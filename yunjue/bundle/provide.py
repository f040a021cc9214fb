"""Tools that come with a plugin: proved in the user's sandbox, then added to the library.

Like an import of a bundle, but each tool by itself: one that is refused keeps none of the others
out. What the user has under a name, or has retired, stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from yunjue.bundle.archive import MANIFEST
from yunjue.bundle.install import install, planned
from yunjue.bundle.plan import Incoming
from yunjue.bundle.proof import prove
from yunjue.bundle.signature import Signed
from yunjue.bundle.sources import take
from yunjue.errors import BundleRefused
from yunjue.library.library import Library
from yunjue.protocols import Sandbox, SandboxLimits
from yunjue.types import Tool, Verdict


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
        BundleRefused: the folder is no bundle in folder form, or is damaged.
        SandboxError, LibraryError: nothing was added.
    """
    if not (folder / MANIFEST).is_file():
        raise BundleRefused("no-manifest", f"{folder} has no {MANIFEST}.", hint=HOW)
    source = take(str(folder), folder)
    report = planned(library, source, Signed(), "keep")
    maker = f"plugin {name} {report.sha256[:12]}"
    provided = Provided()
    for one in [one for one in report.tools if one.taken]:
        # A proof that failed lately would fail again; the library says when to try anew.
        refusal = library.pass_over(one.incoming.tool.name, maker)
        if refusal:
            one.refuse(LATELY, refusal.why)
            continue
        one.incoming = _marked(one.incoming, name, domain)
    tried = {one.incoming.tool.name for one in report.tools if one.taken}

    async def proved(incoming: Incoming) -> tuple[Incoming, Verdict]:
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
HOW = "`yunjue tools export --as folder` writes such folders."


def _marked(incoming: Incoming, name: str, domain: str) -> Incoming:
    origin = {**incoming.tool.origin, "imported_from": f"plugin {name}"}
    if domain:
        origin["domain"] = domain
    tool = incoming.tool.model_copy(update={"origin": origin})
    return Incoming(tool, incoming.cases, incoming.meta, incoming.active)

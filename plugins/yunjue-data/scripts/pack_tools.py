"""Joins the tools of ``tool_sources`` with what they share, proves them in the sandbox, and
writes them in export form under the hashes they have.

    python scripts/pack_tools.py [--sandbox bubblewrap]

Nothing is written unless all are proved.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import tempfile
from pathlib import Path

from yunjue.bundle.export import export
from yunjue.bundle.folder import write_folder
from yunjue.bundle.original import read_originals
from yunjue.bundle.proof import prove
from yunjue.config import load_settings
from yunjue.library.open import open_library
from yunjue.protocols import SandboxJob
from yunjue.sandbox.select import opened_sandbox
from yunjue.synthesis.declared import declaring
from yunjue.types import Case

HERE = Path(__file__).parents[1]
SOURCES = HERE / "tool_sources"
TOOLS = HERE / "yunjue_data" / "tools"
LICENCE = "Apache-2.0"
SHARED = ("rendering", "common")
IMPORTED = re.compile(rf"^from ({'|'.join(SHARED)}) import .*\n", re.MULTILINE)


def joined(source: str) -> str:
    """One file: what the tool imports of the shared files stands where it is imported."""

    def body(found: re.Match[str]) -> str:
        text = (SOURCES / f"{found[1]}.py").read_text("utf-8")
        shared = text.split('"""', 2)[2].strip()
        return f"\n# ---- shared by the tools of yunjue-data: {found[1]} ----\n\n{shared}\n\n"

    text, count = IMPORTED.subn(body, source)
    return (
        text.replace("\n__TOOL_META__", "\n# ---- this tool ----\n\n__TOOL_META__")
        if count
        else text
    )


def sources() -> dict[str, str]:
    """name -> whole text of each tool."""
    return {
        path.stem: joined(path.read_text("utf-8"))
        for path in sorted(SOURCES.glob("*.py"))
        if path.stem not in SHARED
    }


def cases() -> dict[str, list[Case]]:
    read = json.loads((SOURCES / "cases.json").read_text("utf-8"))
    return {name: [Case(**one) for one in listed] for name, listed in read.items()}


async def pack(work: Path, backend: str | None) -> None:
    settings = load_settings(sandbox=backend, library=work / "library", embedder="hash")
    library = open_library(settings, warn=print)
    (work / "tools").mkdir()
    for name, text in sources().items():
        (work / "tools" / f"{name}.py").write_text(text, "utf-8")
    incoming, refused, _ = read_originals(work / "tools", "yunjue-data")
    problems = [f"{one.incoming.tool.name}: {one.detail}" for one in refused]
    async with opened_sandbox(settings, warn=print) as sandbox:
        for tool in (one.tool for one in incoming):
            job = SandboxJob(source=tool.source, requirements=tool.requirements)
            schemas = await sandbox.inspect(job)
            licensed = tool.model_copy(update={"origin": {"licence": LICENCE}})
            declared = declaring(licensed, schemas)
            verdict = await prove(sandbox, declared, cases()[tool.name], settings.tool_limits())
            if verdict.admitted:
                library.add(declared, verdict)
            else:
                wrong = [stage.evidence for stage in verdict.stages if not stage.passed]
                problems.append(f"{tool.name}: {verdict.reason()} {wrong}")
    if problems:
        raise SystemExit("\n".join(problems))
    entries = export(library, [one.tool.name for one in incoming], licence=LICENCE)
    library.close()
    shutil.rmtree(TOOLS, ignore_errors=True)
    write_folder(TOOLS, entries)
    print(f"{len(incoming)} tools, {sum(map(len, cases().values()))} cases")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sandbox", default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(pack(Path(folder), options.sandbox))


if __name__ == "__main__":
    main()

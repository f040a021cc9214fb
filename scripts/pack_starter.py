"""Proves the starter tools and writes them in export form again, under the hashes they have.

    python scripts/pack_starter.py [--sandbox bubblewrap]

Edit ``tools_registry/starter/tools/NAME/*.py`` or the ``cases`` in the .json beside it, or
add a folder with two such files; then run this. Nothing is written unless all are proved.
"""

from __future__ import annotations

import argparse
import asyncio
import json
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

STARTER = Path(__file__).parents[1] / "tools_registry" / "starter"
LICENCE = "Apache-2.0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sandbox", default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(pack(Path(folder), options.sandbox))


async def pack(work: Path, backend: str | None) -> None:
    settings = load_settings(sandbox=backend, library=work / "library", embedder="hash")
    library = open_library(settings, warn=print)
    cases: dict[str, list[Case]] = {}
    (work / "tools").mkdir()
    for folder in sorted((STARTER / "tools").iterdir()):
        (source,), (record,) = folder.glob("*.py"), folder.glob("*.json")
        shutil.copy(source, work / "tools" / f"{folder.name}.py")
        cases[folder.name] = [Case(**one) for one in json.loads(record.read_text())["cases"]]

    incoming, refused, _ = read_originals(work / "tools", "starter")
    problems = [f"{one.incoming.tool.name}: {one.detail}" for one in refused]
    async with opened_sandbox(settings, warn=print) as sandbox:
        for tool in (one.tool for one in incoming):
            schemas = await sandbox.inspect(SandboxJob(source=tool.source))
            licensed = tool.model_copy(update={"origin": {"licence": LICENCE}})
            declared = declaring(licensed, schemas)
            verdict = await prove(sandbox, declared, cases[tool.name], settings.tool_limits())
            if verdict.admitted:
                library.add(declared, verdict)
            else:
                wrong = [stage.evidence for stage in verdict.stages if not stage.passed]
                problems.append(f"{tool.name}: {verdict.reason()} {wrong}")
    if problems:
        raise SystemExit("\n".join(problems))
    entries = export(library, [one.tool.name for one in incoming], licence=LICENCE)
    library.close()
    shutil.rmtree(STARTER)
    write_folder(STARTER, entries)
    print(f"{len(incoming)} tools, {sum(map(len, cases.values()))} cases")


if __name__ == "__main__":
    main()

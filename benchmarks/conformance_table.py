"""The table of docs/security.md: every probe of the conformance suite, on each backend.

    python benchmarks/conformance_table.py [--backends docker,docker:runsc,bubblewrap]

``docker:runsc`` is docker with the runtime runsc (gVisor). What a backend does not claim to hold
is not run against it.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from yunjue.config import load_settings
from yunjue.sandbox.conformance.check import PROBES, check
from yunjue.sandbox.select import opened_sandbox


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backends", default="docker,docker:runsc,bubblewrap")
    names = parser.parse_args().backends.split(",")
    found = {name: asyncio.run(probe(name)) for name in names}
    print("| a tool finds | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for one in PROBES:
        cells = [found[name].get(one.name, "not claimed") for name in names]
        print(f"| {one.name} | " + " | ".join(cells) + " |")
    for name in names:
        held = list(found[name].values()).count("holds")
        print(f"\n{name}: {held} of {len(found[name])} probes held.")


async def probe(name: str) -> dict[str, Any]:
    backend, _, runtime = name.partition(":")
    settings = load_settings(sandbox=backend, runtime=runtime or None)
    async with opened_sandbox(settings, warn=lambda message: None) as sandbox:
        return {
            report.name: "holds" if report.passed else f"**broken**: {report.detail}"
            async for report in check(sandbox)
        }


if __name__ == "__main__":
    main()

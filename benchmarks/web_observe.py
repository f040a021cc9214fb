"""How long it takes to observe a page of many nodes, and how long the text is.

    python benchmarks/web_observe.py [--nodes 50000] [--turns 9]

Seconds are those of a clock, and depend on what else the machine does; the seconds of
processor time of all processes involved (the browser's, Playwright's, this one) do so less.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "integration" / "browser"))

from serving import Site

from yunjue.browser.session import open_browser
from yunjue.browser.types import BrowserSettings

ROW = (
    "<div><span>Row {0}</span><a href='#{0}'>Open {0}</a><button>Delete {0}</button>"
    "<input aria-label='Amount {0}' value={0}></div>"
)
A_ROW = 5
"""Elements of a row."""


def processor_seconds() -> float:
    """Of this process and all it started that still live."""
    parents, seconds = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        parents[int(name)] = int(fields[1])
        seconds[int(name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    ours = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(seconds[one] for one in ours if one in seconds)


async def measure(nodes: int, turns: int) -> None:
    html = "<title>many</title>" + "".join(ROW.format(n) for n in range(nodes // A_ROW))
    site = Site({"/": html})
    with site.served() as base:
        settings = BrowserSettings(
            origins=(base,), allow_private=True, timeout=60, load_timeout=120
        )
        async with await open_browser(settings) as browser:
            started = await browser.start(base + "/")
            assert started.ok, started.error
            times, processor = [], []
            for _ in range(turns):
                begun, used = time.perf_counter(), processor_seconds()
                seen = await browser.observe()
                processor.append(processor_seconds() - used)
                times.append(time.perf_counter() - begun)
    print(
        f"{nodes} nodes, {len(seen.elements)} elements listed{' (cut)' if seen.cut else ''}, "
        f"text of {len(seen.text)} characters = {len(seen.text) // 4} tokens "
        f"(budget {settings.budget})"
    )
    print(f"median of {turns}: {statistics.median(times):.2f} s by the clock, ", end="")
    print(f"{statistics.median(processor):.2f} s of processor time; worst {max(times):.2f} s")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=50_000)
    parser.add_argument("--turns", type=int, default=9)
    asked = parser.parse_args()
    asyncio.run(measure(asked.nodes, asked.turns))


if __name__ == "__main__":
    main()

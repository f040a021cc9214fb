"""A large CSV file profiled and queried: by the tools of yunjue-data in the sandbox, and by
DuckDB alone, side by side.

    python benchmarks/data_large.py [--rows 5000000] [--keep FILE.csv]

``DuckDB alone`` is a process of its own on the host with DuckDB's defaults (all processors, no
bound of memory): ``SUMMARIZE`` and the same SELECT. Seconds are wall time of the whole thing:
of the process, or of the call with the copy of the file that the sandbox makes. ``inside`` is
the tool's own time. Memory is the most that the process held (ru_maxrss).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from yunjue.bundle.folder import read_folder
from yunjue.config import load_settings
from yunjue.protocols import Sandbox, SandboxJob, SandboxLimits
from yunjue.sandbox.select import opened_sandbox
from yunjue.synthesis.template import read_meta

TOOLS = Path(__file__).parents[1] / "plugins" / "yunjue-data" / "yunjue_data" / "tools"
QUERY = (
    "SELECT city, count(*) AS n, round(avg(price), 4) AS mean FROM big "
    "WHERE quantity > 3 GROUP BY city ORDER BY city"
)
ALONE = """
import resource, sys, duckdb
duck = duckdb.connect()
duck.execute(f"CREATE VIEW big AS SELECT * FROM read_csv('{sys.argv[1]}')")
print(duck.execute(sys.argv[2]).fetchall())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""
BLOCK = 50_000
TURNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--keep", type=Path, default=None, help="where the file is kept")
    parser.add_argument("--sandbox", default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.keep or Path(folder) / "big.csv"
        if not path.exists():
            write_rows(path, options.rows)
        print(f"{options.rows} rows, {path.stat().st_size >> 20} MiB, {os.cpu_count()} processors")
        asyncio.run(measure(path, options.sandbox))


def write_rows(path: Path, rows: int) -> None:
    """Blocks of the same invented rows under new numbers: making them is not what is timed."""
    rng = random.Random(5)
    cities = ["Oslo", "Bergen", "Rome", "Lyon", "Porto", "Ghent", "Turin", "Graz"]
    tails = [
        f"2024-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d},{rng.choice(cities)},"
        f"{rng.randint(1, 9)},{rng.uniform(1, 500):.2f},{rng.getrandbits(48):012x}\n"
        for _ in range(BLOCK)
    ]
    with path.open("w") as file:
        file.write("order_id,day,city,quantity,price,code\n")
        for start in range(0, rows, BLOCK):
            count = min(BLOCK, rows - start)
            file.writelines(f"{start + place},{tails[place]}" for place in range(count))


async def measure(path: Path, backend: str | None) -> None:
    asked: dict[str, tuple[str, dict[str, Any], str]] = {
        "profile": ("profile_table", {}, "SUMMARIZE big"),
        "query": ("query_tables", {"sql": QUERY}, QUERY),
    }
    print("\n| | seconds | inside | peak MiB |\n|---|---|---|---|")
    async with opened_sandbox(load_settings(sandbox=backend), print) as sandbox:
        for what, (tool, inputs, sql) in asked.items():
            await in_sandbox(sandbox, tool, inputs, path)  # the wheels, the file in memory
            turns = [await in_sandbox(sandbox, tool, inputs, path) for _ in range(TURNS)]
            print_row(f"{what}, tool in {sandbox.name}", turns)
            print_row(f"{what}, DuckDB alone", [alone(path, sql) for _ in range(TURNS)])


async def in_sandbox(
    sandbox: Sandbox, name: str, inputs: dict[str, Any], path: Path
) -> tuple[float, float, float]:
    """(seconds, seconds inside, peak MiB) of one call with the default bounds but for time."""
    entries = read_folder(TOOLS)
    source = next(
        text.decode()
        for entry, text in entries.items()
        if entry.endswith(".py") and f"/{name}/" in entry
    )
    job = SandboxJob(
        source=source,
        calls=[inputs],
        requirements=read_meta(source)["dependencies"],
        files={"big.csv": path},
        limits=SandboxLimits(seconds=600),
    )
    started = time.monotonic()
    outcome = (await sandbox.call(job))[0]
    if outcome.status != "ok":
        raise SystemExit(f"{name}: {outcome.error}")
    return time.monotonic() - started, outcome.seconds, outcome.peak_mib


def alone(path: Path, sql: str) -> tuple[float, float, float]:
    started = time.monotonic()
    command = [sys.executable, "-c", ALONE, str(path), sql]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.monotonic() - started
    return seconds, seconds, float(done.stderr)


def print_row(title: str, turns: list[tuple[float, float, float]]) -> None:
    seconds, inside, peak = (median(column) for column in zip(*turns, strict=True))
    print(f"| {title} | {seconds:.1f} | {inside:.1f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()

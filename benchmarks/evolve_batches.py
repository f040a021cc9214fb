"""How the time of an evolution falls with the batch size, and what becomes of the library.

    python benchmarks/evolve_batches.py [--tasks 24] [--delay 0.5] [--sizes 1,2,4,8]

A scripted model answers each request after a delay, as a hosted one would; tools run in the
real sandbox. All sizes get the same tasks, three families by turns, and a library of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))  # the scripted stream

from stream_story import script, stream

from yunjue.config import load_settings
from yunjue.evolution.evolve import Evolution, Options, begin
from yunjue.metrics.record import History


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=24)
    parser.add_argument("--delay", type=float, default=0.5, help="seconds of each model reply")
    parser.add_argument("--sizes", default="1,2,4,8")
    parser.add_argument("--sandbox", default=None)
    options = parser.parse_args()
    print(f"{options.tasks} tasks, {options.delay} s a reply, {os.cpu_count()} cores\n")
    print("| batch size | seconds | times faster | tools made | merged | library | right |")
    print("|---|---|---|---|---|---|---|")
    first = 0.0
    for size in map(int, options.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["YUNJUE_HOME"] = folder
            started = time.monotonic()
            past = asyncio.run(evolve(Path(folder), size, options))
            seconds = time.monotonic() - started
        first = first or seconds
        tasks = past.arm("evolve")
        print(
            f"| {size} | {seconds:.1f} | {first / seconds:.2f} | {sum(t.made for t in tasks)} "
            f"| {sum(s.merged for s in past.steps)} | {past.steps[-1].size} "
            f"| {sum(bool(t.right) for t in tasks)}/{len(tasks)} |",
            flush=True,
        )


async def evolve(folder: Path, size: int, options: argparse.Namespace) -> History:
    settings = load_settings(
        model=script(folder / "stream.json", delay=options.delay),
        sandbox=options.sandbox,
        embedder="hash",
        min_similarity=-1.0,
    )
    begun = begin(stream(options.tasks), settings, Options(batch_size=size))
    return await Evolution(begun).go_on()


if __name__ == "__main__":
    main()

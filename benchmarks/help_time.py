"""How long `yunjue --help` takes next to `llm --help` (the PyPI package llm), in turns.

    python benchmarks/help_time.py [--runs 15] [--llm PATH]

Without --llm, llm is installed into a temporary virtual environment first.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--llm", type=Path, help="an installed llm")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        llm = options.llm or install(Path(folder))
        yunjue = Path(sys.executable).parent / "yunjue"
        times: dict[str, list[float]] = {"yunjue": [], "llm": []}
        for _ in range(options.runs + 1):
            for name, program in (("yunjue", yunjue), ("llm", llm)):
                times[name].append(seconds(program))
    for name, values in times.items():
        values = values[1:]  # the first of each warms the disk's cache
        low, middle, high = min(values), statistics.median(values), max(values)
        print(f"{name:7} median {middle * 1000:.0f} ms, {low * 1000:.0f} to {high * 1000:.0f}")
    pairs = zip(times["yunjue"][1:], times["llm"][1:], strict=True)
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    print(f"yunjue / llm, median of {options.runs} pairs: {ratio:.2f}")


def install(folder: Path) -> Path:
    venv.create(folder / "llm", with_pip=True)
    programs = folder / "llm" / "bin"
    subprocess.run([programs / "pip", "install", "--quiet", "llm"], check=True)
    return programs / "llm"


def seconds(program: Path) -> float:
    started = time.perf_counter()
    subprocess.run([program, "--help"], check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

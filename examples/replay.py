"""Replay a recorded run of a real model: no model, no cost, tools in the sandbox anew."""

import asyncio
import sys
from pathlib import Path

from yunjue.agent.replay import replay
from yunjue.config import load_settings

GOLDEN = Path(__file__).parents[1] / "traces" / "golden" / "kept"


async def main() -> None:
    trace = Path(sys.argv[1]) if len(sys.argv) > 1 else sorted(GOLDEN.glob("*.jsonl"))[0]
    done = await replay(trace, load_settings())
    print(trace.name, "->", done.result.answer, f"({done.result.model})")
    for difference in done.differences or ["no differences"]:
        print(" ", difference)


if __name__ == "__main__":
    asyncio.run(main())

"""Solve a task from Python and watch it: the same call as `yunjue solve`.

Offline: a scripted model stands for the language model. Leave `model=` out to use the
one that `yunjue models list` shows. Tools run in the sandbox that `yunjue doctor` finds.
"""

import asyncio
import tempfile
from pathlib import Path

from yunjue.agent.run import solve
from yunjue.config import load_settings

SCRIPT = Path(__file__).parent / "script.json"


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            model=f"scripted/{SCRIPT}", library=Path(folder), embedder="hash", min_similarity=-1
        )
        for task in ("Count the vowels in 'amber'.", "Count the vowels in 'cedar river'."):
            result = await solve(task, settings, subscribers=(lambda e: print("  ", e.kind),))
            print(task, "->", result.answer, "| new tools:", result.new_tools)


if __name__ == "__main__":
    asyncio.run(main())

"""A repository mended by a scripted model in the place of a language model.

    python examples/mend.py

Offline once pytest's wheel is in the sandbox's cache. Leave `model=` out to use the model that
`yunjue models list` shows.
"""

import asyncio
import json
import tempfile
from pathlib import Path

import yunjue_code

from yunjue.agent.run import runs, solve
from yunjue.config import load_settings

ARCHIVE = Path(yunjue_code.__file__).parent / "tasks" / "files" / "median.tar.gz"
MENDED = """\
def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2"""


def script(path: Path) -> str:
    """Read, write, finish."""
    write = {"action": "write", "path": "stats.py", "text": MENDED}
    rules = [
        {"when": "Changed so far: stats.*Which action", "reply": {"action": "finish"}},
        {"when": "def median.*Which action", "reply": write},
        {"when": "Which action", "reply": {"action": "read", "path": "stats.py", "line": 1}},
    ]
    path.write_text(json.dumps({"rules": rules}))
    return f"scripted/{path}"


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            model=script(Path(folder) / "script.json"),
            library=Path(folder) / "library",
            embedder="hash",
            domain="code",
        )
        task = "median is wrong for lists of even length. Mend it."
        result = await solve(task, settings, files={ARCHIVE.name: ARCHIVE})
    print(result.status, "-", result.answer)
    for name in result.files:
        path = runs().path(result.run) / name
        print((path if path.exists() else Path(name)).read_text())


if __name__ == "__main__":
    asyncio.run(main())

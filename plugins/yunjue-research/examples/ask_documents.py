"""A question answered from documents, with a scripted model in the place of a language model.

    python examples/ask_documents.py

Offline. The documents are those of the domain's tasks that are plain text, so that no sandbox
is needed. Leave `model=` out to use the model that `yunjue models list` shows.
"""

import asyncio
import json
import tempfile
from pathlib import Path

import yunjue_research

from yunjue.agent.run import solve
from yunjue.config import load_settings

FILES = Path(yunjue_research.__file__).parent / "tasks" / "files"
DOCUMENTS = {path.name: path for path in sorted(FILES.glob("*.md"))}
NOTE = {"action": "note", "passage": 1}
QUOTES = {
    "A fuel line froze in June.": "The outage in June came from a frozen fuel line",
    "A fan blade cracked in July.": "In July the power failed because of a cracked fan blade",
}


def script(path: Path) -> str:
    """Search, note two findings, report."""
    first, second = (NOTE | {"finding": f, "quote": q} for f, q in QUOTES.items())
    rules = [
        {"when": "Noted:.*cracked in July.*Which action", "reply": {"action": "report"}},
        {"when": "Noted:.*Which action", "reply": second},
        {"when": r"\[1\] outages.*Which action", "reply": first},
        {"when": "Which action", "reply": {"action": "search", "query": "power outage cause"}},
    ]
    path.write_text(json.dumps({"rules": rules}))
    return f"scripted/{path}"


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            model=script(Path(folder) / "script.json"),
            library=Path(folder) / "library",
            embedder="hash",
            domain="research",
        )
        result = await solve("What caused the power outages?", settings, files=DOCUMENTS)
        print(result.status)
        print(result.answer)


if __name__ == "__main__":
    asyncio.run(main())

"""A task of ``yunjue-code`` by the model alone: it sees the files, and writes one of them anew."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from solve_stream import spent
from yunjue_code.copying import copy_repository
from yunjue_code.patch import files_of, patch_of

from yunjue.config import Settings
from yunjue.evolution.baselines import ROLE
from yunjue.models.selection import opened_gateway
from yunjue.synthesis.schemas import closed
from yunjue.types import Message

SYSTEM = (
    "You mend a file of a repository. Reply with one line of JSON: text is the whole file as it "
    "should be."
)
WHOLE = closed({"text": {"type": "string", "minLength": 1, "maxLength": 6000}})
TOKENS = 1500
NAMED = re.compile(r"The function is in (\S+\.py)\.")


async def mend_alone(task: str, archive: Path, settings: Settings) -> dict[str, Any]:
    """Its answer is the patch that the reply comes to; the file is the one that the task names."""
    found = NAMED.search(task)
    assert found, "every task names its file"
    with tempfile.TemporaryDirectory(prefix="yunjue-alone-") as folder:
        before, after = Path(folder) / "before", Path(folder) / "after"
        for tree in (before, after):
            copy_repository(archive, tree)
        files = files_of(before)
        shown = [f"{name}:\n{path.read_text('utf-8')}" for name, path in files.items()]
        question = "\n\n".join([*shown, task, f"Write {found[1]} anew."])
        messages = [Message(role="system", content=SYSTEM), Message(role="user", content=question)]
        async with opened_gateway(settings, warn=lambda message: None) as gateway:
            reply = await gateway.ask_json(ROLE, messages, WHOLE, max_tokens=TOKENS)
        text = reply["text"] if reply["text"].endswith("\n") else reply["text"] + "\n"
        (after / found[1]).write_text(text, "utf-8")
        return {"answer": patch_of(before, after), "tokens": spent(gateway), "status": "solved"}

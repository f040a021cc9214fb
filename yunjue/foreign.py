"""Foreign text in prompts: pages, files and tool output are data, never instructions.

It is marked line by line, so that no text can end its own block, and what a chat template
would read as a turn of the conversation is broken.
"""

from __future__ import annotations

import re
import unicodedata

MARK = "| "
"""Stands before each line of foreign text; the system texts say so."""

_TURNS = re.compile(
    r"<(?=\|)|(?<=\|)>|\[(?=/?(INST|SYSTEM|TOOL)[^\]]*\])|<(?=/?/?(s|SYS|bos|eos)>)"
    r"|<(?=(start|end)_of_turn>)|<(?=/?(tool_call|tool_response|think)>)",
    re.IGNORECASE,
)
"""What begins or ends a special token of the usual chat templates."""
_BROKEN = {"<": "‹", ">": "›", "[": "("}


def neutral(text: str) -> str:
    """``text`` without characters that hide or reorder what is written (controls, format and
    private ones) and with the special tokens of chat templates broken."""
    seen = "".join(
        character
        for character in text.replace("\r\n", "\n").replace("\r", "\n")
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Co", "Cs")
    )
    return _TURNS.sub(lambda found: _BROKEN[found.group(0)], seen)


def block(text: str) -> str:
    """``text``, neutral, with :data:`MARK` before each of its lines."""
    return "\n".join(
        MARK + line for line in re.split("[\n\v\f\x1c-\x1e\x85\u2028\u2029]", neutral(text))
    )


def inline(text: str, limit: int) -> str:
    """``text``, neutral, on one line of at most ``limit`` characters."""
    line = " ".join(neutral(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"

"""Takes the values of secrets out of texts, as they are or in a usual encoding.

This keeps a value from being written down by accident. Who holds one and means to give it
away can: it may be written in any way.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

SHORTEST = 6
"""Characters of a value; a shorter one would be found in texts that have nothing to do with
it, so no such secret is used."""


class Redactor:
    """Replaces each value, whatever its case, by its name in brackets.

    Args:
        secrets: name -> value.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.forms = [
            (form, f"[{name}]") for name, value in secrets.items() for form in set(_forms(value))
        ]
        self.forms.sort(key=lambda pair: -len(pair[0]))  # the longest first: it may hold others

    def value(self, value: Any) -> Any:
        """JSON with every text (keys too) and number looked through."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            shown = str(value)
            clean = self.text(shown)
            return value if clean == shown else clean
        return value

    def text(self, text: str) -> str:
        for form, name in self.forms:
            text = re.sub(re.escape(form), name, text, flags=re.IGNORECASE)
        return text

    def halves(self, text: str) -> str:
        """Without beginnings of a value that are at least half of it."""
        for form, name in self.forms:
            half = form[: max(SHORTEST, -(-len(form) // 2))]
            pattern = re.escape(half) + _optional(form[len(half) :])
            text = re.sub(pattern, name, text, flags=re.IGNORECASE)
        return text


def _optional(rest: str) -> str:
    """A pattern for any beginning of ``rest``; long ones are taken up to 64 characters."""
    rest = rest[:64]
    return "".join(f"(?:{re.escape(char)}" for char in rest) + ")?" * len(rest)


def _forms(value: str) -> Iterator[str]:
    """The value as it may be written; forms that are too short to tell are left out."""
    data = value.encode()
    written = [
        *(value, repr(value)[1:-1], ascii(value)[1:-1], repr(data)[2:-1]),
        *(json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]),
        *(quote(value), quote(value, safe=""), quote_plus(value), html.escape(value), data.hex()),
    ]
    for before in range(3):  # where the value begins in its group of three bytes
        whole = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        inner = whole[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        written += [inner, inner.replace("+", "-").replace("/", "_")]
    return (form for form in written if len(form) >= SHORTEST)

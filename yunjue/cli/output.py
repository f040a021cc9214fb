"""How commands speak: results on stdout, everything else on stderr.

With ``--json`` stdout holds exactly one JSON document. Colours and animation only on a
terminal; ``NO_COLOR``, ``FORCE_COLOR`` and ``TERM=dumb`` are honoured by rich.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any


def print_json(value: Any) -> None:
    """Write ``value`` as the one JSON document of this command."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a plain table on stdout; aligned on a terminal, tab-separated off it."""
    if not sys.stdout.isatty():
        for row in [columns, *rows]:
            print("\t".join(str(cell) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console().print(table)


def print_text(text: str) -> None:
    """Write an answer on stdout; on a terminal without what would steer it."""
    print(harmless(text) if sys.stdout.isatty() else text)


def say(message: str) -> None:
    """A message for the person: stderr."""
    print(harmless(message) if sys.stderr.isatty() else message, file=sys.stderr, flush=True)


def harmless(text: str) -> str:
    """``text`` with its control characters written out, but for line breaks and tabs: answers
    and errors may come from models, tools and pages.

    >>> harmless("a\\x1b[2Jb\\n")
    'a\\\\x1b[2Jb\\n'
    """
    return "".join(
        one if one in "\n\t" or unicodedata.category(one) != "Cc" else f"\\x{ord(one):02x}"
        for one in text
    )

"""Replacing a piece of a file's text; a Python file that can be read stays one."""

from __future__ import annotations

import ast
import itertools
import re
import textwrap

from yunjue_code.mistake import Mistake

QUOTES = ", where old differs in quotes or spaces"
WHOLE_LINE = ", as the whole line: Python could not read the file else"


def edited(path: str, text: str, old: str, new: str) -> tuple[str, str]:
    """The text with ``new`` for ``old``, which must be there once, and what was mended of the edit
    ("" if nothing): models like to write a whole statement for a part of one.

    Raises:
        Mistake: says what the model can do about it; nothing is to be changed.
    """
    if old == new:
        raise Mistake("old and new are the same.")
    mended = ""
    if old not in text and (near := _nearly(text, old)) not in ("", new):
        old, mended = near, QUOTES
    count = text.count(old)
    if not count and new and new in text:
        raise Mistake(f"In {path} the text old is not there, but new is: it may be done already.")
    if count != 1:
        what = "is not there" if count == 0 else f"is there {count} times; take more of it"
        raise Mistake(f"In {path} the text old {what}. Read the file and copy it exactly.")
    after = text.replace(old, new)
    if not path.endswith(".py") or unreadable(text):
        return after, mended
    problem = unreadable(after)
    if not problem:
        return after, mended
    whole = _whole_lines(text, old, new)
    if whole != text and not unreadable(whole):
        return whole, mended + WHOLE_LINE
    raise Mistake(f"Nothing was changed: Python could not read {path} then, {problem}.")


def written(path: str, before: str | None, text: str, most: int) -> str:
    """The whole text of a file, as it is written anew, with a newline at its end.

    Args:
        before: its text; None for a new file.
        most: characters that one action may hold.

    Raises:
        Mistake: as :func:`edited`.
    """
    if before is not None and len(before) > most:
        raise Mistake(f"{path} is too long to be written anew: edit it.")
    if text and not text.endswith("\n"):
        text += "\n"
    if text == before:
        raise Mistake(f"{path} has just this text already.")
    problem = unreadable(text) if path.endswith(".py") else ""
    if problem and not unreadable(before or ""):
        raise Mistake(f"Nothing was written: Python cannot read that, {problem}.")
    return text


def first_changed(before: str, after: str) -> int:
    """The number of the first line that differs, from 1."""
    pairs = zip(before.split("\n"), after.split("\n"), strict=False)
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
    return 1 + sum(1 for _ in same)


def unreadable(text: str) -> str:
    """Why Python cannot read it: "" if it can."""
    try:
        ast.parse(text)
    except SyntaxError as error:
        return f"{error.msg} in line {error.lineno}"
    except UnicodeError:
        return ""  # half of a character, which is told when the file is written
    except (ValueError, RecursionError, MemoryError) as error:
        return type(error).__name__
    return ""


def _nearly(text: str, old: str) -> str:
    """The one piece of ``text`` that is ``old`` but for its quotes and the width of its spaces,
    which models do not copy well; "" if there is none, or several."""
    parts = re.findall(r"[\"']+|\s+|[^\"'\s]+", old.strip())
    if not any(part[0].isalnum() for part in parts):
        return ""
    wild = {'"': r"[\"']+", "'": r"[\"']+", " ": r"\s+", "\n": r"\s+", "\t": r"\s+"}
    found = re.findall("".join(wild.get(part[0], re.escape(part)) for part in parts), text)
    return found[0] if len(found) == 1 else ""


def _whole_lines(text: str, old: str, new: str) -> str:
    """``new`` in the place of all lines that ``old`` lies in, indented as the first of them."""
    at = text.index(old)
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at + len(old))
    end = len(text) if end < 0 else end
    line = text[start:end]
    indent = line[: len(line) - len(line.lstrip())]
    body = textwrap.indent(textwrap.dedent(new).strip("\n"), indent)
    if not new[:1].isspace():  # its first line stands without the indentation of the rest
        first, _, rest = new.strip("\n").partition("\n")
        body = indent + first + (f"\n{rest}" if rest else "")
    return text[:start] + body + text[end:]

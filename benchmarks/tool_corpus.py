"""Descriptions of real functions, as if each were a tool: what installed packages say of theirs.

First lines of the docstrings of the functions and classes under the given folders (by
default the standard library and the installed packages). What several say alike comes after
what one says alone, with the class or module it is said of.
"""

from __future__ import annotations

import ast
import json
import random
import re
import site
import sysconfig
import warnings
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import chain, count
from pathlib import Path

from yunjue.hashing import content_id
from yunjue.types import TOOL_NAME, Stage, Tool, Verdict

CORPUS = "corpus.jsonl"
_SHORTEST, _LONGEST = 25, 200
_MOST_INPUTS = 5
_OF_A_TEST = re.compile(r"^(tests?|check that|regression|see |deprecated|todo|internal)\b", re.I)


def read_corpus(cache: Path, folders: Sequence[Path], wanted: int) -> list[Tool]:
    """``wanted`` tools in a fixed shuffled order; kept in ``cache`` for the next time.

    Raises:
        SystemExit: the folders do not have that many.
    """
    path = cache / CORPUS
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        alone, alike = _distinct(_entries(folders or _installed()))
        for entries in (alone, alike):
            random.Random(7).shuffle(entries)
        entries = alone + alike
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    lines = path.read_text().splitlines()
    if len(lines) < wanted:
        raise SystemExit(f"Only {len(lines)} descriptions were found; name more --folder.")
    return [as_tool(*json.loads(line)) for line in lines[:wanted]]


def as_tool(name: str, description: str, signature: str) -> Tool:
    """A tool that only its description tells from others."""
    source = f'"""{description}"""\n\n__TOOL_META__ = {{"name": "{name}"}}\n'
    return Tool(
        id=content_id(source),
        name=name,
        description=description,
        signature=signature,
        source=source,
        input_schema={"type": "object"},
        output_schema={"type": "object"},
        origin={"run": "benchmark"},
    )


def admitting(tool: Tool) -> Verdict:
    """A verdict that lets the tool in: nothing is proven here."""
    return Verdict(
        tool_id=tool.id, admitted=True, stages=[Stage(name="benchmark", passed=True)], cases=[]
    )


def _installed() -> list[Path]:
    return [Path(sysconfig.get_path("stdlib")), *map(Path, site.getsitepackages())]


def _entries(folders: Iterable[Path]) -> Iterator[tuple[str, str, str, str]]:
    """(name, description, signature, class or module) of each function and class."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            if not {"test", "tests", "testing"} & set(path.parts):
                yield from _of_file(path)


def _of_file(path: Path) -> Iterator[tuple[str, str, str, str]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    owners = {
        id(child): node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for child in node.body
    }
    module = path.parent.name if path.stem == "__init__" else path.stem
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            description = _first_line(ast.get_docstring(node) or "")
            name = _snake(node.name)
            if description and TOOL_NAME.match(name) and len(name) <= 48:
                of = " ".join(_snake(owners.get(id(node), module)).split("_"))
                yield name, description, _signature(name, node), of


def _first_line(text: str) -> str:
    paragraph = text.strip().split("\n\n")[0]
    line = " ".join(paragraph.split())
    line = re.split(r"(?<=[a-z)])\. ", line)[0].replace("\\", "").replace('"', "'")
    fits = _SHORTEST <= len(line) <= _LONGEST and line.isascii() and line.count(" ") >= 3
    prose = sum(character.isalpha() or character == " " for character in line) > 0.8 * len(line)
    return line if fits and prose and not _OF_A_TEST.match(line) else ""


def _snake(name: str) -> str:
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
    return "_".join(part for part in parts if part)


def _signature(name: str, node: ast.AST) -> str:
    if isinstance(node, ast.ClassDef):
        return f"{name}(text: str) -> result: str"
    names = [argument.arg for argument in node.args.args if argument.arg not in ("self", "cls")]
    inputs = ", ".join(f"{_snake(one) or 'value'}: str" for one in names[:_MOST_INPUTS])
    return f"{name}({inputs or 'text: str'}) -> result: str"


def _distinct(
    entries: Iterable[tuple[str, str, str, str]],
) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """Descriptions said for the first time, and those said again, told apart by what they
    are of; each under a name of its own."""
    alone, alike = [], []
    said: set[str] = set()
    taken: set[str] = set()
    for name, description, signature, of in entries:
        found = alone
        if description.casefold().rstrip(".") in said:
            description, found = f"{description.rstrip('.')} ({of})", alike
        key = description.casefold().rstrip(".")
        if key in said:
            continue
        said.add(key)
        own = _free(name, taken)
        taken.add(own)
        found.append((own, description, signature.replace(f"{name}(", f"{own}(", 1)))
    return alone, alike


def _free(name: str, taken: Container[str]) -> str:
    """``name`` or, if it is taken, the first of ``name_2``, ``name_3``… that is not."""
    numbered = (f"{name}_{number}" for number in count(2))
    return next(one for one in chain([name], numbered) if one not in taken)

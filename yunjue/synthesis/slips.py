"""Slips of small models in code that is right otherwise, mended before it is checked."""

from __future__ import annotations

import ast
import datetime
import sys

from yunjue.synthesis.static_checks import FORBIDDEN_MODULES, undefined_names

_COMMON_NAMES = {
    "Counter": "collections",
    "OrderedDict": "collections",
    "defaultdict": "collections",
    "deque": "collections",
    "date": "datetime",
    "timedelta": "datetime",
    "Decimal": "decimal",
    "Fraction": "fractions",
    "StringIO": "io",
    "Any": "typing",
    "Dict": "typing",
    "List": "typing",
    "Optional": "typing",
    "Tuple": "typing",
    "Union": "typing",
    **dict.fromkeys(("asin", "atan2", "ceil", "cos", "floor", "gcd", "log", "log10"), "math"),
    **dict.fromkeys(("pi", "radians", "sin", "sqrt", "tan"), "math"),
}


def mended(code: str) -> str:
    """``code`` with the standard library's names as it must have meant them: imports that it
    forgot, and ``datetime`` as the module where it imports the class, or the other way round.

    What cannot be mended so is left for the checks.
    """
    code = code.replace("\r\n", "\n").replace("\r", "\n")
    try:
        code = _with_imports(code)
        return _right_datetime(code, ast.parse(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code


def _with_imports(code: str) -> str:
    lines = []
    for name in undefined_names(ast.parse(code)):
        if name in _COMMON_NAMES:
            lines.append(f"from {_COMMON_NAMES[name]} import {name}")
        elif name in sys.stdlib_module_names and name not in FORBIDDEN_MODULES:
            lines.append(f"import {name}")
    return "\n".join([*lines, code])


def _right_datetime(code: str, tree: ast.Module) -> str:
    """``code`` with ``datetime.x`` where ``x`` is one of the module's, or of the class's,
    that the file did not import under the name ``datetime``."""
    meant = _imported_datetime(tree)
    other = {"class": datetime, "module": datetime.datetime}.get(meant)
    known = {"class": datetime.datetime, "module": datetime}.get(meant)
    if other is None:
        return code
    lines = code.encode().split(b"\n")  # columns of nodes are bytes
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "datetime"
        and hasattr(other, node.attr)
        and not hasattr(known, node.attr)
    ]
    alias = "_datetime_module" if meant == "class" else "datetime.datetime"
    for node in sorted(found, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        start, end = node.value.col_offset, node.value.end_col_offset
        line = lines[node.lineno - 1]
        lines[node.lineno - 1] = line[:start] + alias.encode() + line[end:]
    right = b"\n".join(lines).decode()
    return f"import datetime as {alias}\n{right}" if found and meant == "class" else right


def _imported_datetime(tree: ast.Module) -> str:
    """``class`` or ``module`` if that is all the file imports as ``datetime``, else ""."""
    meant = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if (alias.asname or alias.name) == "datetime":
                    meant.add("module" if isinstance(node, ast.Import) else "class")
    return meant.pop() if len(meant) == 1 else ""

"""What can be said of a tool file without running it; all problems at once.

These checks keep out tools that cannot be what a tool must be. They are no security
boundary: that is the sandbox.
"""

from __future__ import annotations

import ast
import builtins
import sys

from packaging.requirements import InvalidRequirement, Requirement

from yunjue import hosts, keys
from yunjue.synthesis.template import read_meta
from yunjue.types import TOOL_NAME

MAX_SOURCE_CHARS = 50_000

FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "input", "breakpoint", "globals"}
FORBIDDEN_MODULES = {
    "ctypes": "native code",
    "multiprocessing": "processes",
    "os.system": "processes",
    "pickle": "unsafe loading",
    "pty": "processes",
    "shelve": "unsafe loading",
    "signal": "signals",
    "socket": "network",
    "subprocess": "processes",
    "yunjue": "the agent itself",
}
ALWAYS_THERE = {"pydantic", "pydantic_core", "typing_extensions", "annotated_types"}
IMPORT_NAMES = {
    "beautifulsoup4": "bs4",
    "pillow": "PIL",
    "python-dateutil": "dateutil",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
}
"""Distribution -> import name, where they differ, for the common ones."""


def check_source(source: str, requirements: list[str] | None = None) -> list[str]:
    """Problems of a tool file, each one sentence; empty if there is none.

    Args:
        source: the whole Python file.
        requirements: what it may import beyond the standard library and pydantic; None
            takes the ``dependencies`` of its ``__TOOL_META__``.
    """
    if len(source) > MAX_SOURCE_CHARS:
        return [f"The file has {len(source)} characters; at most {MAX_SOURCE_CHARS} are read."]
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        where = f" in line {line}" if line else ""
        return [f"The code has a syntax error{where}: {getattr(error, 'msg', error)}."]
    problems = _check_meta(source)
    if requirements is None:
        try:
            requirements = list(read_meta(source).get("dependencies", []))
        except ValueError:
            requirements = []
    problems += _check_shape(tree)
    problems += _check_requirements(requirements)
    problems += _check_imports(tree, requirements)
    problems += _check_calls(tree)
    problems += _check_names(tree)
    return problems


def _check_meta(source: str) -> list[str]:
    try:
        meta = read_meta(source)
    except ValueError as error:
        return [f"{error}."]
    problems = []
    name = meta.get("name")
    if not isinstance(name, str) or not TOOL_NAME.match(name) or len(name) > 64:
        problems.append(f"The name {name!r} is not lower_snake_case of at most 64 characters.")
    if not isinstance(meta.get("description"), str) or not meta["description"].strip():
        problems.append("The description is empty.")
    for key, check in (("network", hosts.declared), ("secrets", keys.secret_names)):
        try:
            check(meta.get(key, []))
        except ValueError as error:
            problems.append(f"The {key} in __TOOL_META__ cannot be: {error}.")
    return problems


def _check_shape(tree: ast.Module) -> list[str]:
    problems = []
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    for wanted in ("InputModel", "OutputModel"):
        if wanted not in classes:
            problems.append(f"The class {wanted} is missing.")
    runs = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run"]
    if not runs:
        problems.append("The function run(input: InputModel) is missing.")
    elif len(runs) > 1 or len(runs[0].args.args) != 1:
        problems.append("There must be one function run, with one argument.")
    return problems


def _check_requirements(requirements: list[str]) -> list[str]:
    problems = []
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            problems.append(f"The requirement {text!r} is not of the form name==version.")
            continue
        if requirement.url:
            problems.append(f"The requirement {text!r} names a URL; only versions are allowed.")
    return problems


def _check_imports(tree: ast.Module, requirements: list[str]) -> list[str]:
    declared = set(ALWAYS_THERE)
    for text in requirements:
        try:
            name = Requirement(text).name.lower()
        except InvalidRequirement:
            continue
        declared |= {name.replace("-", "_"), IMPORT_NAMES.get(name, name)}
    problems = []
    for module, line in _imports(tree):
        root = module.split(".")[0]
        why = FORBIDDEN_MODULES.get(module) or FORBIDDEN_MODULES.get(root)
        if why:
            problems.append(f"Line {line} imports {module} ({why}), which tools may not use.")
        elif root not in sys.stdlib_module_names and root not in declared:
            problems.append(f"Line {line} imports {module}, which is not declared.")
    return problems


def _imports(tree: ast.Module) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                found.append(("." * node.level + (node.module or ""), node.lineno))
            else:
                found.append((node.module or "", node.lineno))
    return found


def _check_calls(tree: ast.Module) -> list[str]:
    problems = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name in FORBIDDEN_CALLS or name in ("os.system", "os.popen", "os.fork"):
            problems.append(f"Line {node.lineno} calls {name}(), which tools may not use.")
    return problems


def _check_names(tree: ast.Module) -> list[str]:
    return [
        f"Line {line} uses {name}, which is defined nowhere."
        for name, line in undefined_names(tree).items()
    ]


def undefined_names(tree: ast.Module) -> dict[str, int]:
    """name -> line of every name that is used and defined nowhere in the file."""
    defined = set(dir(builtins)) | {"__file__", "__name__"}
    used: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                used.setdefault(node.id, node.lineno)
            else:
                defined.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            if "*" in names:  # anything may be defined then
                return {}
            defined |= names
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            defined.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            defined.add(node.rest)
    return {name: line for name, line in used.items() if name not in defined}

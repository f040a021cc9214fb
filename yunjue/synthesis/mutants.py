"""Small changes of a program: cases that do not notice them say little about it.

Mutation analysis as DeMillo, Lipton and Sayward describe it ("Hints on Test Data
Selection", Computer 11(4), 1978). Some mutants behave as the program does, whatever the
inputs, so even the best cases seldom kill all of them.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

MOST = 12
"""Mutants of one program; of more, some are taken from every part of it."""

_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
"""What an operator becomes; comparisons move their boundary."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed program. ``what`` names the change, with the line of ``body``."""

    what: str
    body: str


def mutants(body: str, most: int = MOST) -> list[Mutant]:
    """At most ``most`` changed versions of ``body``, spread evenly over it; none if it
    is no Python.

    Args:
        body: code whose functions are to be changed; imports, annotations, docstrings and
            code outside of functions stay as they are, but for constants named there.
    """
    try:
        tree = ast.parse(body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    same = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    for node, new, what in sorted(_changes(tree), key=lambda change: change[0].lineno):
        text = _changed(tree, node, new)
        if text != same:
            found.setdefault(text, Mutant(f"line {node.lineno}: {what}", text))
    everything = list(found.values())
    if len(everything) <= most:
        return everything
    return [everything[place * len(everything) // most] for place in range(most)]


def _changed(tree: ast.Module, node: ast.expr | ast.stmt, new: ast.AST) -> str:
    """The program's text with ``node`` replaced."""
    place = next(i for i, one in enumerate(ast.walk(tree)) if one is node)
    changed = copy.deepcopy(tree)
    target = next(one for i, one in enumerate(ast.walk(changed)) if i == place)
    target.__class__ = type(new)
    target.__dict__.clear()
    target.__dict__.update(copy.deepcopy(new).__dict__)
    return ast.unparse(ast.fix_missing_locations(changed))


def _changes(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt, ast.AST, str]]:
    """Node, what it becomes, and the change in words."""
    untouched = {id(inner) for node in _descriptions(tree) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) not in untouched:
            yield from _changes_of(node)


def _descriptions(tree: ast.Module) -> Iterator[ast.AST]:
    """Parts that compute nothing: annotations, docstrings and other loose strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation:
            yield node.annotation
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns:
            yield node.returns
        elif isinstance(node, ast.AnnAssign):
            yield node.annotation
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node


def _changes_of(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, ast.AST, str]]:
    if isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)):
        swapped = _OPERATORS.get(type(node.op))
        if swapped:
            yield node, _with(node, op=swapped()), _named(type(node.op), swapped)
    elif isinstance(node, ast.Compare):
        swapped = _OPERATORS[type(node.ops[0])]
        ops = [swapped(), *node.ops[1:]]
        yield node, _with(node, ops=ops), _named(type(node.ops[0]), swapped)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node, node.operand, f"{type(node.op).__name__} removed"
    elif isinstance(node, ast.Constant):
        changed = _other(node.value)
        if changed is not None:
            yield node, ast.Constant(changed), f"{node.value!r:.20} becomes {changed!r:.20}"
    elif isinstance(node, ast.Return) and node.value is not None:
        yield node, ast.Return(ast.Constant(None)), "returns nothing"
    elif isinstance(node, (ast.Break, ast.Continue)):
        yield node, ast.Pass(), f"{type(node).__name__} removed"


def _with(node: ast.AST, **parts: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in parts.items():
        setattr(changed, name, value)
    return changed


def _other(value: object) -> object:
    """Another constant of the kind, or None."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return value + "~" if isinstance(value, str) else None


def _named(old: type[ast.AST], new: type[ast.AST]) -> str:
    return f"{old.__name__} becomes {new.__name__}"

"""A tool that may enter the library, or make room: with its tests and what it was called for."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from yunjue.hashing import content_id
from yunjue.store.absorptions import Call
from yunjue.store.truth import embedded_text
from yunjue.synthesis.stages import runnable
from yunjue.types import Case, Tool, Verdict


@dataclass(frozen=True, slots=True)
class Contender:
    """One tool of a batch, or one of the library that is like it.

    Attributes:
        verdict: why it was admitted; None if it is kept in the library.
        cases: its tests and what it gave in real work, as far as both can be run again.
        calls: how often it was called in the batch.
    """

    tool: Tool
    verdict: Verdict | None
    cases: tuple[Case, ...] = ()
    calls: int = 0

    @property
    def kept(self) -> bool:
        return self.verdict is None

    @property
    def text(self) -> str:
        """What is embedded of it."""
        return embedded_text(self.tool.name, self.tool.description, self.tool.signature)

    @property
    def output_type(self) -> Any:
        """The declared type of its one output, or None."""
        outputs = list(self.tool.output_schema.get("properties", {}).values())
        if len(outputs) != 1:
            return None
        return {name: outputs[0][name] for name in ("type", "items") if name in outputs[0]}


def contenders(made: Sequence[tuple[Tool, Verdict]], calls: Sequence[Call]) -> list[Contender]:
    """The batch's tools in the order they were made."""
    found = []
    for tool, verdict in made:
        own = [call for call in calls if call.tool_id == tool.id]
        cases = (*verdict.cases, *regression_cases(own))
        found.append(Contender(tool, verdict, tuple(runnable(cases)), len(own)))
    return found


def regression_cases(calls: Sequence[Call]) -> list[Case]:
    """What calls that went well gave."""
    return [
        Case(inputs=dict(call.inputs), expected=next(iter(output.values())), origin="regression")
        for call in calls
        if call.outcome.status == "ok" and (output := call.outcome.output) and len(output) == 1
    ]


def code_key(source: str) -> str:
    """The same for files that do the same by the look of their code: names of the tool,
    descriptions, comments and white space apart.

    Raises:
        SyntaxError: it is no Python.
    """
    tree = _Plain().visit(ast.parse(source))
    return content_id(ast.dump(tree))


@dataclass
class _Plain(ast.NodeTransformer):
    """Leaves out what a tool's file says of itself."""

    own: dict[str, str] = field(default_factory=dict)

    def visit_Module(self, node: ast.Module) -> ast.Module:
        name = _declared_name(node)
        self.own = {name: "the_tool"} if name else {}
        node.body = [one for one in node.body if not _is_meta(one)]
        return self._without_docstring(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.name = self.own.get(node.name, node.name)
        return self._without_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        return self._without_docstring(node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.own.get(node.id, node.id)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.keyword | None:
        self.generic_visit(node)
        return None if node.arg == "description" else node

    def _without_docstring(self, node: Any) -> Any:
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            node.body = node.body[1:]
        self.generic_visit(node)
        return node


def _is_meta(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "__TOOL_META__" for target in node.targets
    )


def _declared_name(tree: ast.Module) -> str:
    from yunjue.synthesis.template import read_meta

    try:
        return str(read_meta(ast.unparse(tree)).get("name", ""))
    except ValueError:
        return ""

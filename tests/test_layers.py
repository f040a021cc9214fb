"""Inner layers know nothing of outer ones."""

from __future__ import annotations

import ast
from pathlib import Path

import yunjue

ROOT = Path(yunjue.__file__).parent

LAYERS = [
    {"errors", "types", "hashing", "hosts", "files", "foreign", "concurrency"},
    {"protocols", "domains", "events", "hookspecs"},
    {"config", "limits", "keys", "plugins", "weights", "weight_sources", "prompts"},
    {"models", "sandbox", "store", "browser"},
    {
        "library",
        "synthesis",
        "traces",
        "bundle",
        "grants",
        "starter",
        "mcp_client",
        "metrics",
        "principles",
        "strategies",
        "web",
    },
    {"agent"},
    {"mcp_server", "evolution"},
    {"cli", "default_plugins"},
]
ADAPTERS = LAYERS[3]
LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}


def imports(path: Path) -> list[tuple[str, int]]:
    """(part of the package, line) of each import at run time; annotations do not count."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in skipped:
            parts = node.module.split(".")
            if parts[0] == "yunjue":
                names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
                found += [(name, node.lineno) for name in names]
    return found


def test_every_part_has_a_layer():
    parts = {path.stem for path in ROOT.iterdir() if not path.name.startswith("__")}
    assert parts == set(LEVEL)


def test_no_import_points_outwards():
    wrong = []
    for path in ROOT.rglob("*.py"):
        part = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for name, line in imports(path):
            if part not in LEVEL or name not in LEVEL:
                continue
            across = part in ADAPTERS and name in ADAPTERS and part != name
            if LEVEL[name] > LEVEL[part] or across:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert wrong == []

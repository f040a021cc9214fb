"""Tools and libraries for the tests of the library; workers for its other processes."""

from __future__ import annotations

from pathlib import Path

from yunjue.errors import DownloadError
from yunjue.hashing import content_id
from yunjue.library.library import Library
from yunjue.store.embedders.hashing import HashEmbedder
from yunjue.types import Case, Stage, Tool, Verdict


def a_tool(name: str = "count_words", description: str = "Count words", **changes) -> Tool:
    source = changes.pop("source", f'"""{description}"""\n__TOOL_META__ = {{"name": "{name}"}}\n')
    fields = {
        "id": content_id(source),
        "name": name,
        "description": description,
        "signature": f"{name}(text: str) -> result: int",
        "source": source,
        "input_schema": {"type": "object", "properties": {"text": {"type": "string"}}},
        "output_schema": {"type": "object"},
        "requirements": ["numpy>=2"],
        "origin": {"run": "r1", "model": "scripted"},
    }
    return Tool(**{**fields, **changes})


def a_verdict(tool: Tool, **changes) -> Verdict:
    fields = {
        "tool_id": tool.id,
        "admitted": True,
        "stages": [Stage(name="cases", passed=True, detail="2 of 2", evidence={"n": [1, 2]})],
        "sandbox": "bubblewrap",
        "cases": [
            Case(inputs={"text": "a b"}, expected=2),
            Case(inputs={"text": ""}, raises=True, origin="regression"),
        ],
    }
    return Verdict(**{**fields, **changes})


def no_embedder():
    raise DownloadError("model.onnx could not be had.")


def open_library(
    folder: Path, warnings: list[str] | None = None, embedder=HashEmbedder, **more
) -> Library:
    return Library(folder, embedder, (warnings if warnings is not None else []).append, **more)


def add_many(folder: Path, prefix: str, count: int, indexed: bool = True) -> None:
    """Add ``count`` tools and name each on stdout when it is safe."""
    library = open_library(folder, embedder=HashEmbedder if indexed else no_embedder)
    for number in range(count):
        tool = a_tool(f"{prefix}_{number}", f"Does {prefix} number {number}")
        library.add(tool, a_verdict(tool))
        print(tool.name, flush=True)
    library.close()

"""How search fares in libraries of growing size.

    python benchmarks/retrieval.py --cache DIR [--sizes 100,1000,10000] [--folder PACKAGES]

Each library holds fifty tools as the agent makes them (``retrieval_needs.py``) among
descriptions of real functions (``tool_corpus.py``). Each of the fifty is looked for by a need
in other words. Vectors, libraries and rows stay in DIR: the same command goes on after an
interruption, and ``--report`` prints the tables again. 100000 is a size, too; its vectors take
long. The weights of the embedder come from the home (``YUNJUE_HOME``).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cached_embedder import CachedEmbedder
from retrieval_needs import needs
from tool_corpus import admitting, as_tool, read_corpus

from yunjue.agent.state import new_state
from yunjue.agent.views import task_messages
from yunjue.config import load_settings
from yunjue.library.library import Library
from yunjue.plugins import plugins
from yunjue.store.fulltext import words_of
from yunjue.store.truth import embedded_text
from yunjue.types import Tool

K = 5
WINDOW = 32_768
"""Tokens of a model that is to read the whole list."""

START = """
import sys
from pathlib import Path
from yunjue.library.library import Library
library = Library(Path(sys.argv[1]), lambda: None, print)
library.find("count_words")
"""
FIRST_SEARCH = """
import sys, time
from pathlib import Path
from yunjue.library.library import Library
from yunjue.store.embedders.minilm import MiniLM
library = Library(Path(sys.argv[1]), MiniLM, print)
library.search("how many words are there", 5)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder to work in")
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument("--folder", type=Path, action="append", help="packages to read")
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--rounds", type=int, default=4, help="searches for each need")
    parser.add_argument("--report", action="store_true", help="only print the tables")
    options = parser.parse_args()
    rows = options.cache / "rows.json"
    found: dict[str, Any] = json.loads(rows.read_text()) if rows.exists() else {}
    if not options.report:
        sizes = [int(size) for size in options.sizes.split(",")]
        corpus = read_corpus(options.cache, options.folder or [], max(sizes))
        embedder = plugins().choose("embedders", options.embedder, load_settings())
        cached = CachedEmbedder(embedder, options.cache / "vectors.sqlite")
        for size in sizes:
            bench = Bench(options.cache / f"library-{size}", corpus, size, embedder, cached)
            found[str(size)] = {**found.get(str(size), {}), **bench.measure(options.rounds)}
            rows.write_text(json.dumps(found, indent=1))
    report(found)


class Bench:
    """One library of ``size`` tools and what is measured on it."""

    def __init__(
        self, folder: Path, corpus: Sequence[Tool], size: int, embedder: Any, cached: Any
    ) -> None:
        self.needs = needs()
        wanted = [as_tool(*one[:3]) for one in self.needs]
        names = {tool.name for tool in wanted}
        others = [tool for tool in corpus if tool.name not in names]
        self.tools = wanted + others[: size - len(wanted)]
        self.folder, self.size = folder, size
        self.embedder, self.cached = embedder, cached

    def measure(self, rounds: int) -> dict[str, Any]:
        built = self.build()
        library = Library(self.folder, lambda: self.embedder, print)
        try:
            library.search(self.needs[0][3], K)  # opens everything
            return {
                **built,
                **self.times(library, rounds),
                **self.recall(library),
                **self.exactly(library),
                "manager_tokens": self.manager_tokens(library),
                **self.whole_list(),
                **self.starts(),
                "index_bytes": tree_bytes(self.folder / "index"),
                "database_bytes": tree_bytes(self.folder, "library.db*"),
                "load": os.getloadavg()[0],
            }
        finally:
            library.close()

    def build(self) -> dict[str, float]:
        """Add all tools (those that are there cost little), then index them; seconds of what
        was done now, or nothing when the library was there."""
        library = Library(self.folder, lambda: self.cached, print)
        try:
            if library.count() == len(self.tools):
                library.search("anything", 1)
                return {}
            started = time.perf_counter()
            for tool in self.tools:
                library.add(tool, admitting(tool))
            added = time.perf_counter()
            for start in range(0, len(self.tools), 512):  # vectors, if they are not cached
                self.cached.embed([text_of(tool) for tool in self.tools[start : start + 512]])
            embedded = time.perf_counter()
            library.search("anything", 1)
            return {
                "add_seconds": added - started,
                "embed_seconds": embedded - added,
                "index_seconds": time.perf_counter() - embedded,
            }
        finally:
            library.close()

    def times(self, library: Library, rounds: int) -> dict[str, float]:
        """Milliseconds of a search in an open library, query embedding included."""
        taken, parts = [], []
        for _ in range(rounds):
            for *_, need in self.needs:
                started = time.perf_counter()
                library.search(need, K)
                taken.append(1000 * (time.perf_counter() - started))
                started = time.perf_counter()
                self.embedder.embed([need])
                parts.append(1000 * (time.perf_counter() - started))
        cuts = statistics.quantiles(taken, n=20)
        return {
            "p50_ms": statistics.median(taken),
            "p95_ms": cuts[18],
            "embed_ms": statistics.median(parts),
        }

    def recall(self, library: Library) -> dict[str, float]:
        """Share of the needs whose tool is among the first ``K``."""
        ids = {tool.name: tool.id for tool in self.tools[: len(self.needs)]}
        index, words = library._vectors(), library._words()
        assert index is not None and words is not None
        ways: dict[str, Callable[[str], list[str]]] = {
            "hybrid": lambda need: [found.tool.id for found in library.search(need, K)],
            "vectors": lambda need: [one for one, _ in index.search(need, K)],
            "words": lambda need: words.matching(words_of(need), K),
        }
        return {
            f"recall_{way}": statistics.mean(
                ids[name] in find(need) for name, _, _, need in self.needs
            )
            for way, find in ways.items()
        }

    def exactly(self, library: Library) -> dict[str, float]:
        """The same by comparing with every vector, and the share of the ``K`` nearest of all
        that the index's graph reaches."""
        index = library._vectors()
        assert index is not None
        texts = [text_of(tool) for tool in self.tools]
        rows = [self.cached.embed(texts[at : at + 512]) for at in range(0, len(texts), 512)]
        queries = self.embedder.embed([need for *_, need in self.needs])
        nearest = np.argsort(-(queries @ np.concatenate(rows).T), axis=1)[:, :K]
        found, reached = [], []
        for place, (*_, need) in enumerate(self.needs):
            ids = {self.tools[one].id for one in nearest[place]}
            found.append(place in nearest[place])
            reached.append(len(ids & {one for one, _ in index.search(need, K)}) / K)
        return {
            "recall_exact": statistics.mean(found),
            "recall_reached": statistics.mean(reached),
        }

    def manager_tokens(self, library: Library) -> float:
        """Mean tokens of the manager's prompt when all that search gives is shown."""
        counts = []
        for *_, need in self.needs:
            found = [found.tool.model_dump() for found in library.search(need, K)]
            state = {**new_state(need, {}), "tools": found}
            counts.append(
                sum(
                    tokens(message.content)
                    for message in task_messages(state, "decide", lessons=state["lessons"])
                )
            )
        return statistics.mean(counts)

    def whole_list(self) -> dict[str, float]:
        """Tokens of all tools, one line each, by name; and the share of the needs whose tool
        is within a window of ``WINDOW`` tokens: it cannot be found beyond."""
        wanted = {tool.name for tool in self.tools[: len(self.needs)]}
        total, seen = 0, 0
        for tool in sorted(self.tools, key=lambda tool: tool.name):
            total += tokens(f"- {tool.signature}: {tool.description[:160]}\n")
            seen += tool.name in wanted and total <= WINDOW
        return {"list_tokens": total, "recall_list_at_most": seen / len(wanted)}

    def starts(self) -> dict[str, float]:
        """Seconds of a process that opens the library and looks a name up, next to one with
        an empty library; and of one that searches once."""
        empty = self.folder.with_name("library-0")
        nothing = Library(empty, lambda: self.embedder, print)
        nothing._made()
        nothing.close()
        here, there = [], []
        for _ in range(7):
            there.append(process_seconds(START, empty))
            here.append(process_seconds(START, self.folder))
        ratios = [ours / theirs for ours, theirs in zip(here, there, strict=True)]
        return {
            "start_seconds": statistics.median(here),
            "start_ratio": statistics.median(ratios),
            "first_search_seconds": statistics.median(
                process_seconds(FIRST_SEARCH, self.folder) for _ in range(3)
            ),
        }


def text_of(tool: Tool) -> str:
    return embedded_text(tool.name, tool.description, tool.signature)


def tokens(text: str) -> int:
    """By cl100k, which comes with litellm."""
    from yunjue.models.litellm_model import load_litellm

    return len(load_litellm().encode(model="gpt-4", text=text))


def process_seconds(code: str, folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True)
    return time.perf_counter() - started


def tree_bytes(folder: Path, pattern: str = "**/*") -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())


TABLES = {
    "Speed and size": {
        "tools": "size",
        "p50 ms": "p50_ms",
        "p95 ms": "p95_ms",
        "of it the query's vector": "embed_ms",
        "index MB": "index_bytes",
        "rows MB": "database_bytes",
        "adding s": "add_seconds",
        "vectors s": "embed_seconds",
        "index s": "index_seconds",
    },
    "Recall@5 of 50 needs in other words": {
        "tools": "size",
        "hybrid": "recall_hybrid",
        "vectors alone": "recall_vectors",
        "compared with all": "recall_exact",
        "of the 5 nearest, reached": "recall_reached",
        "full text alone": "recall_words",
        "whole list, at most": "recall_list_at_most",
        "tokens of the list": "list_tokens",
        "tokens of the manager's prompt": "manager_tokens",
    },
    "Start of a process": {
        "tools": "size",
        "opens and looks up, s": "start_seconds",
        "next to an empty library": "start_ratio",
        "searches once, s": "first_search_seconds",
        "load of the machine": "load",
    },
}


def report(found: dict[str, Any]) -> None:
    for title, columns in TABLES.items():
        print(f"\n{title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
        for size, row in sorted(found.items(), key=lambda item: int(item[0])):
            cells = [shown(name, {**row, "size": int(size)}.get(name)) for name in columns.values()]
            print(f"| {' | '.join(cells)} |")


def shown(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name.endswith("_bytes"):
        return f"{value / 1e6:.1f}"
    if name.startswith(("recall", "start_ratio")) or name.endswith("start_seconds"):
        return f"{value:.2f}"
    return f"{value:.0f}" if value >= 100 or float(value).is_integer() else f"{value:.1f}"


if __name__ == "__main__":
    main()

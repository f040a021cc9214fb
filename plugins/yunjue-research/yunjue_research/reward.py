"""The reward of O2-Searcher for open questions (arXiv 2505.16582): form, findings, queries.

Three differences from the published code. Pairs of findings below the threshold are left out
before they are matched, not after, so the matching never gives a good pair up for a bad one.
Findings are the lines of a report with sources, not text between tags. And the length of a query
is counted in words, not in tokens of one model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from yunjue.protocols import Embedder
from yunjue_research.findings import LINE
from yunjue_research.matching import assignment

THRESHOLD = 0.75
"""Cosine from which two findings say the same."""
WEIGHTS = {"form": 1.0, "findings": 1.0, "queries": 0.5}
SAME = 0.98
"""Cosine above which two queries are one."""
MOST_QUERIES = 20
FULL_LENGTH = 8
"""Words of a query that is not too short."""


@dataclass(frozen=True, slots=True)
class Reward:
    """All from 0 to 1; ``total`` is the weighted mean of form, f1 and queries."""

    form: float
    precision: float
    recall: float
    f1: float
    queries: float
    total: float


def reward(answer: str, known: Sequence[str], queries: Sequence[str], embedder: Embedder) -> Reward:
    """The reward of a report.

    Args:
        answer: the report; findings without a source have no form.
        known: the findings that it should have.
        queries: the searches that led to it.
    """
    lines = [line for line in answer.splitlines() if line.strip()]
    found = [line[2:].split(' ["')[0].strip() for line in lines if line.startswith("- ")]
    form = 1.0 if lines and all(LINE.match(line) for line in lines) else 0.0
    precision, recall, f1 = findings_f1(found, known, embedder)
    spread = diversity(queries, embedder)
    weighted = WEIGHTS["form"] * form + WEIGHTS["findings"] * f1 + WEIGHTS["queries"] * spread
    return Reward(form, precision, recall, f1, spread, weighted / sum(WEIGHTS.values()))


def findings_f1(
    found: Sequence[str], known: Sequence[str], embedder: Embedder
) -> tuple[float, float, float]:
    """(precision, recall, F1) of the best matching of the findings, each matched at most once."""
    if not found or not known:
        return 0.0, 0.0, 0.0
    vectors = embedder.embed([*found, *known])
    similar = (vectors[: len(found)] @ vectors[len(found) :].T).tolist()
    kept = [[value if value >= THRESHOLD else 0.0 for value in row] for row in similar]
    pairs = [(row, column) for row, column in assignment(kept) if kept[row][column]]
    precision, recall = len(pairs) / len(found), len(pairs) / len(known)
    return precision, recall, 2 * len(pairs) / (len(found) + len(known))


def diversity(queries: Sequence[str], embedder: Embedder) -> float:
    """How unlike one another the queries are, weighted by their number and length."""
    queries = [query for query in queries if query.strip()][:MOST_QUERIES]
    count = len(queries)
    if count < 2:
        return 0.0
    vectors = embedder.embed(queries)
    similar = vectors @ vectors.T
    if (similar > SAME).all():
        return 0.5 * 0.2 ** (count - 1)
    scores = []
    for place, query in enumerate(queries):
        others = [1.0 - float(similar[place, other]) for other in range(count) if other != place]
        length = min(1.0, max(0.1, len(query.split()) / FULL_LENGTH))
        scores.append(sum(others) / len(others) * number_weight(count) * length)
    return min(1.0, max(0.0, sum(scores) / count))


def number_weight(count: int) -> float:
    """0.5 up to five queries, then more up to fifteen, then a little less."""
    if count <= 5:
        return 0.5
    return 0.5 + 0.05 * (count - 5) if count <= 15 else 1.0 - 0.02 * (count - 15)

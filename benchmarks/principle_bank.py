"""How a bank of principles fares as it grows.

    python benchmarks/principle_bank.py --principles 2000 [--embedder hash|minilm] [--cache DIR]

Builds a bank of sentences that all differ, half of them cautionary, of twenty domains, and
asks it 200 questions, each in a domain every other time. Prints how long a question takes
(with the embedding of the question, and the first one, which opens the index, apart), the
memory of this process, and the bank's size. With --cache the vectors of MiniLM and the bank
stay in DIR: the same command goes on after an interruption.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from pathlib import Path

from cached_embedder import CachedEmbedder

from yunjue.principles.principles import Principles
from yunjue.principles.types import Draft, Evidence, Scope
from yunjue.protocols import Embedder

QUESTIONS = 200
ACTS = ["sort", "convert", "round", "count", "split", "join", "parse", "compare", "sum", "check"]
THINGS = ["dates", "words", "letters", "numbers", "rows", "angles", "prices", "names", "hashes"]
WHEN = ["before", "after", "unless", "because", "while"]
WHY = ["empty", "negative", "doubled", "missing", "unsorted", "too long", "in another unit"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--principles", type=int, default=2000)
    parser.add_argument("--embedder", choices=("hash", "minilm"), default="hash")
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = given.cache or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        measured = measure(place / f"bank-{given.embedder}-{given.principles}", given, place)
    print(json.dumps(measured, indent=1))


def measure(folder: Path, given: argparse.Namespace, cache: Path) -> dict[str, float]:
    """Build what is missing of the bank, and ask it."""
    embedder = _embedder(given.embedder, cache)
    bank = Principles(folder, lambda: embedder, print)
    began = time.perf_counter()
    _fill(bank, given.principles)
    bank.search("anything", 1)  # takes in what the index lacks
    built = time.perf_counter() - began
    bank.close()

    bank = Principles(folder, lambda: embedder, print)
    chance = random.Random(1)
    first = _seconds(bank, "round the prices", None)
    seconds = sorted(
        _seconds(bank, _sentence(chance), f"domain{number % 20}" if number % 2 else None)
        for number in range(QUESTIONS)
    )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    measured = {
        "principles": len(bank.bank().ids()),
        "build_s": round(built, 1),
        "first_query_ms": round(1000 * first, 1),
        "query_p50_ms": round(1000 * statistics.median(seconds), 1),
        "query_p95_ms": round(1000 * seconds[int(0.95 * len(seconds))], 1),
        "rss_mib": round(_rss_mib(), 1),
        "size_mib": round(size / 2**20, 1),
    }
    bank.close()
    return measured


def _embedder(name: str, cache: Path) -> Embedder:
    if name == "hash":
        from yunjue.store.embedders.hashing import HashEmbedder

        return HashEmbedder()
    from yunjue.store.embedders.minilm import MiniLM

    return CachedEmbedder(MiniLM(), cache / "vectors.db")


def _fill(bank: Principles, wanted: int) -> None:
    rows = bank.bank()
    have = len(rows.ids())
    chance = random.Random(have)
    for start in range(have, wanted, 1000):
        drafts = [_draft(number, chance) for number in range(start, min(start + 1000, wanted))]
        rows.keep_all([(draft, "", False, "active") for draft in drafts], "benchmark")


def _draft(number: int, chance: random.Random) -> Draft:
    return Draft(
        kind="guiding" if number % 2 else "cautionary",
        sentence=f"{_sentence(chance)}, case {number}",
        triples=(("data", "needs", "care"),),
        scope=Scope(domain=f"domain{number % 20}"),
        evidence=(Evidence(run=f"run-{number}", steps=(3, 5)),),
    )


def _sentence(chance: random.Random) -> str:
    pick = chance.choice
    act, thing, then, other = pick(ACTS), pick(THINGS), pick(ACTS), pick(THINGS)
    return f"{act} the {thing} {pick(WHEN)} the {other} are {pick(WHY)} and {then} them again"


def _seconds(bank: Principles, question: str, domain: str | None) -> float:
    began = time.perf_counter()
    bank.search(question, 3, 1200, domain)
    return time.perf_counter() - began


def _rss_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()

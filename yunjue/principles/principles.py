"""The bank of principles of a library: find them, count their use, keep new ones.

::

    LIBRARY/principles/principles.db   rows: principles, evidence, uses, changes, runs
    LIBRARY/principles/index/          vectors; can be deleted at any time

They live in the library's folder because they speak of its tools: who names another library
works with other lessons, and a copy of the folder is a copy of both. They have a file of their
own, so that damage to one leaves the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from yunjue.errors import LibraryError, UnknownPrincipleError
from yunjue.models.gateway import Gateway
from yunjue.principles.bank import PRUNE_EVERY, Bank, Kept
from yunjue.principles.credit import Outcome
from yunjue.principles.integrate import SIMILAR, Integrated, integrate
from yunjue.principles.schema import PRINCIPLES
from yunjue.principles.shown import Found, together, within
from yunjue.principles.truth import ActivePrinciples
from yunjue.principles.types import Credit, Draft, Kind, Principle
from yunjue.principles.waiting import Waiting
from yunjue.protocols import Embedder
from yunjue.store.database import Database
from yunjue.store.fulltext import shorten
from yunjue.store.index import VectorIndex

EMBEDDED_CHARACTERS = 1000
"""What the embedder reads of a query: about 256 tokens."""

DEEPEST = 1024
"""Most neighbours that are looked at when few are of the wanted kind or domain."""


NEIGHBOURS = 64
"""Neighbours of a principle among which its opposite is looked for."""


class Principles:
    """The principles of one folder. Any number of processes and threads may use it at once.

    Nothing is opened before it is needed and no file is made before the first write.

    Args:
        directory: the folder.
        make_embedder: called once, when a vector is needed.
        warn: told what is wrong but does not stop the work.
    """

    def __init__(
        self,
        directory: Path,
        make_embedder: Callable[[], Embedder],
        warn: Callable[[str], None],
    ) -> None:
        self.directory = directory
        self._make_embedder = make_embedder
        self._warn = warn
        self._turn = threading.RLock()
        self._database: Database | None = None
        self._index: VectorIndex | None = None

    def search(
        self,
        query: str,
        k: int = 3,
        budget_chars: int | None = None,
        domain: str | None = None,
        *,
        min_similarity: float = -1.0,
    ) -> list[Found]:
        """The ``k`` active principles nearest in meaning to ``query``, nearest first.

        Each comes with the principle of the other kind that is nearly the same thing (cosine
        from 0.85), if there is one, which may be beyond ``k``: the two may contradict each
        other, and stand together, the better-evidenced first. Nothing is written.

        Args:
            budget_chars: most characters of all :attr:`Found.text`, each on a line of its
                own; what does not fit is left out, a pair as a whole.
            domain: only principles of this domain, and those of any.
            min_similarity: cosine below which a principle is left out.

        Raises:
            LibraryError: the query could not be embedded, or the bank not be read.
        """
        bank = self.existing()
        if bank is None or k <= 0 or not self._any(bank):
            return []
        vectors = self._vectors()
        vector = vectors.embed([shorten(query, EMBEDDED_CHARACTERS)])
        near = self._near(bank, vector, k, min_similarity, domain=domain)
        pairs = self._opposites(bank, [found for found, _ in near], domain)
        wanted = dict.fromkeys([*(found for found, _ in near), *pairs.values()])
        known = {one.id: one for one in bank.some(list(wanted))}
        return within(together(near, pairs, known), budget_chars)

    def record_use(self, run: str, principle_id: str, outcome: Outcome) -> Credit:
        """Count a finished run for a principle that it was shown; see
        :func:`yunjue.principles.credit.credit`. A run counts once a principle, however often
        this is called.

        Raises:
            UnknownPrincipleError: there is no such principle.
        """
        return self.bank().record_use(run, principle_id, outcome)

    def run_finished(self, run: str, every: int = PRUNE_EVERY) -> list[str]:
        """Note that a run finished, after its uses were recorded; each ``every``-th prunes the
        bank. The ids of what was pruned."""
        bank = self.existing()
        return bank.run_finished(run, every) if bank else []

    async def integrate(self, drafts: Sequence[Draft], gateway: Gateway) -> list[Integrated]:
        """Bring drafts into the bank: see :func:`yunjue.principles.integrate.integrate`."""
        return await integrate(drafts, self, gateway)

    def holder(self, kind: Kind, sentence: str) -> str:
        """Id of the principle of that kind and text, of any status; "" if there is none."""
        bank = self.existing()
        return bank.holder(kind, sentence) if bank else ""

    def nearest(self, sentence: str, kind: Kind, k: int, least: float) -> list[tuple[str, str]]:
        """(id, sentence) of the ``k`` active principles of that kind with at least the cosine
        ``least``, closest first.

        Raises:
            LibraryError: the sentence could not be embedded.
        """
        bank = self.bank()
        vector = self._vectors().embed([sentence])  # even if there are none: it must be possible
        near = self._near(bank, vector, k, least, kind=kind)
        return [(one.id, one.sentence) for one in bank.some([found for found, _ in near])]

    def keep(self, draft: Draft, matches: Sequence[str] = (), why: str = "") -> list[Kept]:
        """Link the draft to each of ``matches``, or to the principle of its text, or insert it."""
        return self.bank().keep(draft, matches, why)

    def waiting(self) -> Waiting:
        """The runs to learn from; the rows are made if there are none."""
        with self._turn:
            self.bank()
            assert self._database is not None
            return Waiting(self._database)

    def existing(self) -> Bank | None:
        """The rows, or None if there is no bank yet."""
        with self._turn:
            if self._database is None and not self._path.exists():
                return None
            return self.bank()

    def bank(self) -> Bank:
        """The rows, for one who writes; made if there are none."""
        with self._turn:
            if self._database is None:
                self._database = Database(self._path, schema=PRINCIPLES)
            return Bank(self._database)

    def get(self, principle_id: str) -> Principle:
        """The principle whose id is, or begins with, ``principle_id``.

        Raises:
            UnknownPrincipleError: none or more than one is meant.
        """
        bank = self.existing()
        if bank is None:
            raise UnknownPrincipleError("There is no principle yet.")
        return bank.get(principle_id)

    def check(self) -> list[str]:
        """What is wrong with the rows, one line each; empty when they are sound."""
        try:
            if self.existing() is None or self._database is None:
                return []
            return self._database.check()
        except LibraryError as error:
            return [error.message]

    def close(self) -> None:
        """Close the files; may be called twice, and the bank may be used again."""
        with self._turn:
            if self._index:
                self._index.close()
            if self._database:
                self._database.close()
            self._database = self._index = None

    @property
    def _path(self) -> Path:
        return self.directory / "principles.db"

    def _any(self, bank: Bank) -> bool:
        assert self._database is not None
        rows = self._database.rows("SELECT 1 FROM principles WHERE status = 'active' LIMIT 1")
        return bool(rows)

    def _vectors(self) -> VectorIndex:
        with self._turn:
            if self._index is None:
                self.bank()
                assert self._database is not None
                truth = ActivePrinciples(self._database)
                folder = self.directory / "index"
                self._index = VectorIndex(
                    folder, self._make_embedder(), truth, self._warn, "principles"
                )
            return self._index

    def _near(
        self,
        bank: Bank,
        vector: object,
        k: int,
        least: float,
        *,
        kind: Kind | None = None,
        domain: str | None = None,
    ) -> list[tuple[str, float]]:
        """The ``k`` nearest active principles (id, cosine) of a kind, for a domain; asks for
        more neighbours as long as too few of them are."""
        depth = max(16, 4 * k)
        while True:
            near = self._vectors().search_vector(vector, depth)
            facts = bank.facts([found for found, _ in near])
            passed = [
                (found, similarity)
                for found, similarity in near
                if similarity >= least
                and found in facts
                and kind in (None, facts[found][0])
                and (domain is None or facts[found][1] in ("", domain))
            ]
            exhausted = len(near) < depth or near[-1][1] < least
            if len(passed) >= k or exhausted or depth >= DEEPEST:
                return passed[:k]
            depth *= 4

    def _opposites(self, bank: Bank, ids: Sequence[str], domain: str | None) -> dict[str, str]:
        """id -> id of the principle of the other kind that is nearest to it, from 0.85."""
        import numpy as np

        vectors = self._vectors().vectors(list(ids))
        if not vectors:
            return {}
        rows = self._vectors().search_vectors(np.vstack(list(vectors.values())), NEIGHBOURS)
        facts = bank.facts({*vectors, *(found for row in rows for found, _ in row)})
        pairs = {}
        for one, row in zip(vectors, rows, strict=True):
            for found, similarity in row:
                if similarity < SIMILAR or one not in facts:
                    break
                if found not in facts or facts[found][0] == facts[one][0]:
                    continue
                if domain is None or facts[found][1] in ("", domain):
                    pairs[one] = found
                    break
        return pairs

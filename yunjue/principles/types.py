"""The nouns: a principle, its evidence and its uses, and what is not yet in the bank.

After EvolveR (arXiv 2510.16079): a principle is one sentence and a few triples, guiding (what
to do) or cautionary (what to avoid), with a score from its uses.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from pydantic import Field

from yunjue.types import Data

MOST_CHARACTERS = 200
MOST_TRIPLES = 4
MOST_PART = 60
"""Characters of a sentence, triples of a principle, and characters of a triple's part."""

Kind = Literal["guiding", "cautionary"]
Author = Literal["model", "person"]
Status = Literal["active", "pruned"]
Credit = Literal["success", "failure", "none"]

Sentence = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
Part = Annotated[str, Field(min_length=1, max_length=MOST_PART)]
Triples = Annotated[tuple[tuple[Part, Part, Part], ...], Field(max_length=MOST_TRIPLES)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]


class Scope(Data):
    """What a principle is about.

    Attributes:
        domain: "" for any.
        tools: names; empty when it is about no tool in particular.
        errors: kinds of failure it is about: a reason of :class:`yunjue.types.CallOutcome`,
            ``input_error``, or ``refused`` for a tool that could not be made.
    """

    domain: Literal[""] | Name = ""
    tools: tuple[Name, ...] = ()
    errors: tuple[Name, ...] = ()


class Evidence(Data):
    """Where a principle was learnt: a run, and the numbers of events in its trace."""

    run: Name
    steps: tuple[Annotated[int, Field(ge=0)], ...] = ()


class Use(Data):
    """One run that was shown the principle, and what that counts for; see
    :mod:`yunjue.principles.credit`. A run counts once."""

    run: Name
    credit: Credit


class Draft(Data):
    """A lesson that is not in the bank yet.

    Attributes:
        task: equal for drafts of one task; only those are compared with one another.
        uses: of an import; a draft that was just distilled has none.
    """

    kind: Kind
    sentence: Sentence
    triples: Triples = ()
    scope: Scope = Scope()
    evidence: tuple[Evidence, ...] = ()
    uses: tuple[Use, ...] = ()
    author: Author = "model"
    task: str = ""


class Principle(Data):
    """A lesson of the bank.

    Attributes:
        succ: runs that used it and count as its success.
        use: runs that used it and count, for or against it.
        pinned: never pruned.
        status: ``pruned`` ones are kept but not found.
        created: ISO time in UTC.
    """

    id: str
    kind: Kind
    sentence: str
    triples: Triples
    scope: Scope
    evidence: tuple[Evidence, ...]
    succ: int
    use: int
    pinned: bool
    author: Author
    status: Status
    created: str

    @property
    def score(self) -> float:
        """See :func:`score`."""
        return score(self.succ, self.use)

    @property
    def support(self) -> int:
        """How many runs speak for it: those it was learnt from, and its successes."""
        return len(self.evidence) + self.succ

    def to_dict(self) -> dict:
        """As JSON, with the score."""
        return {**self.model_dump(mode="json"), "score": round(self.score, 4)}


def score(succ: int, use: int) -> float:
    """How far a principle is to be trusted, from 0 to 1: (succ + 1) / (use + 2), EvolveR's
    score. One that was never used has 0.5."""
    return (succ + 1) / (use + 2)


def same_text(sentence: str) -> str:
    """Equal for sentences that differ only in case, white space, Unicode form or a full stop."""
    return " ".join(unicodedata.normalize("NFKC", sentence).casefold().split()).rstrip(" .!;")

"""How well a foreseen change agrees with the real one: precision and recall over facts.

A fact is one thing that is different: an element of this role and name came, went, or looks
otherwise; the page has another address. That nothing changes is a fact as well, so that
foreseeing it counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from yunjue.browser.types import Change, Element

Fact = tuple[str, ...]
NOTHING: Fact = ("nothing",)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts of facts: foreseen and true, foreseen, true."""

    hits: int
    foreseen: int
    actual: int

    @property
    def precision(self) -> float:
        return self.hits / self.foreseen if self.foreseen else 0.0

    @property
    def recall(self) -> float:
        return self.hits / self.actual if self.actual else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 0 without a hit."""
        return 2 * self.hits / (self.foreseen + self.actual)


def facts(change: Change) -> Counter[Fact]:
    """The facts of a change, each with how often it holds."""
    found = Counter(
        [
            *(("new", *_look(one)) for one in change.new),
            *(("deleted", *_look(one)) for one in change.deleted),
            *(("updated", *_look(one.after), *_inner(one.after)) for one in change.updated),
        ]
    )
    if change.url and _place(change.url[0]) != _place(change.url[1]):
        found["url", _place(change.url[1])] += 1
    return found or Counter([NOTHING])


def agreement(foreseen: Change, actual: Change) -> Agreement:
    """How the two agree; neither has no facts."""
    said, true = facts(foreseen), facts(actual)
    return Agreement((said & true).total(), said.total(), true.total())


def _look(element: Element) -> Fact:
    return element.role, _plain(element.name)


def _inner(element: Element) -> Fact:
    """Value and what is switched; where the focus is, is not foreseen."""
    states: Iterable[str] = (one for one in element.states if one != "focused")
    return _plain(element.value), ",".join(sorted(states))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path.rstrip('/')}"

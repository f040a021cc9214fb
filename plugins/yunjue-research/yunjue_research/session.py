"""What an episode has seen and noted. It is on disk after every step, so that an interrupted
run goes on without another search."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from yunjue.errors import YunjueError
from yunjue.files import write_whole
from yunjue_research.findings import Finding

FILE = "session.json"


@dataclass
class Shown:
    """A passage under the number that the model knows it by.

    Attributes:
        document: name of the document, or address of a page on the web.
        number: of the passage in the corpus; 0 for a page on the web.
    """

    document: str
    place: str
    text: str
    number: int = 0


@dataclass
class Session:
    """One episode.

    Attributes:
        corpus: name of the corpus; "" for the task's own files.
        shown: all passages that were shown; the model's numbers begin at 1.
        last: indices in ``shown`` of what the last search or look gave.
        queries: all searches, in order.
        fresh: a search has just shown passages, and nothing was made of them yet.
    """

    corpus: str
    shown: list[Shown] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    fresh: bool = False

    def show(self, shown: list[Shown]) -> None:
        """Make these the last ones; one that was shown before keeps its number."""
        self.last = []
        for one in shown:
            known = [(each.document, each.place, each.text) for each in self.shown]
            key = (one.document, one.place, one.text)
            if key not in known:
                self.shown.append(one)
                known.append(key)
            self.last.append(known.index(key))

    def searched(self, query: str) -> bool:
        """Whether these words were searched before."""
        words = sorted(query.lower().split())
        return any(words == sorted(earlier.lower().split()) for earlier in self.queries)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / FILE, json.dumps(asdict(self)).encode())


def load(folder: Path) -> Session:
    """The session that :meth:`Session.save` left.

    Raises:
        YunjueError: it is missing or damaged.
    """
    try:
        data: dict[str, Any] = json.loads((folder / FILE).read_text("utf-8"))
        data["shown"] = [Shown(**one) for one in data["shown"]]
        data["findings"] = [Finding(**one) for one in data["findings"]]
        return Session(**data)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise YunjueError(
            f"What the run had found is lost: {type(error).__name__}.",
            hint="Solve the task anew.",
        ) from error

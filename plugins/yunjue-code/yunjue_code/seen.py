"""What the model has before it: what it looked at last, and how the tests went last."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from yunjue.files import write_whole
from yunjue.hashing import content_id
from yunjue_code.trial import Trial

QUICK_SECONDS = 10.0
"""Tests that take longer are run only when the model, or the end, asks for them."""
MOST_STALE = 2
"""Looks at what was seen before, until a change has to be tried: a small model that is lost looks
around for ever."""
PASSES = "All tests pass with this change. Finish, unless the task asks for more."


@dataclass(slots=True)
class Seen:
    """Both are shown together: a test that fails is mended with the code in sight.

    Attributes:
        look: files, lines or places.
        tests: the last report; "" before the first.
        tested: content id of what was changed when they ran.
        good: they passed.
        going_on: the model says that the task asks for more than what passes.
        again: the action that looked at what is shown already, if that was the last one.
        known: content ids of all looks.
        stale: looks at what was seen before, since a change was last tried.
        quick: they took no longer than :data:`QUICK_SECONDS`.
        best: how many passed, and how many failed, times -1, when a change was last kept; [] if
            the tests could not be compared then.
        undo: path -> its text (None: there was no file) before a change that is being tried.
    """

    look: str = ""
    tests: str = ""
    tested: str = ""
    good: bool = False
    going_on: bool = False
    again: str = ""
    known: list[str] = field(default_factory=list)
    stale: int = 0
    quick: bool = True
    best: list[int] = field(default_factory=list)
    undo: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Seen:
        """As :meth:`keep` left it. Raises OSError, ValueError or TypeError."""
        return cls(**json.loads(path.read_text("utf-8")))

    def keep(self, path: Path) -> None:
        write_whole(path, json.dumps(asdict(self)).encode())

    def new(self, look: str, action: str) -> bool:
        """Take a look by this action; whether it shows anything new."""
        self.again, self.look = action if look == self.look else "", look
        self._know(look)
        return not self.again

    def change(self, look: str) -> None:
        """Something was changed; it is shown."""
        self.look, self.again = look, ""
        self._know(look)
        self.stale = 0

    def _know(self, look: str) -> None:
        name = content_id(look)
        if name in self.known:
            self.stale += 1
        else:
            self.known.append(name)

    def test(self, trial: Trial, changes: str) -> None:
        """The tests were run on what has the content id ``changes``."""
        self.tests = f"{trial.line()}\n{trial.report}".strip()
        self.tested, self.good, self.going_on = changes, trial.good, False
        self.quick = trial.seconds <= QUICK_SECONDS

    def settle(self, trial: Trial) -> None:
        """What was changed so far, of which ``trial`` is, is what further changes must surpass."""
        self.best = _score(trial) if trial.whole else []

    def helps(self, trial: Trial, code: bool) -> bool:
        """Whether a change is to be kept, as far as the tests can tell.

        Args:
            code: Python files were changed; of others the tests need not know.
        """
        if trial.good or not self.best:
            return True
        better = _score(trial) > self.best or (not code and _score(trial) == self.best)
        return trial.whole and better

    def text(self, names: list[str], changes: str, room: int) -> str:
        """For the model, in at most ``room`` characters.

        Args:
            names: of the files that were changed.
            changes: their content id.
        """
        head = f"Changed so far: {', '.join(names) or 'nothing'}"
        tests = ""
        if self.passes(names, changes):
            head += f"\n{PASSES}"
        elif self.tests:
            when = "" if self.tested == changes else " before the last change"
            tests = f"\nTests{when}: {self.tests}"[: room // 2]
        return f"{head}\n{self.look}"[: room - len(tests)] + tests

    def passes(self, names: list[str], changes: str) -> bool:
        """Something was changed, and the tests pass with just that."""
        return bool(names) and self.good and self.tested == changes

    def offered(self, names: list[str], changes: str) -> list[str]:
        """The actions that make sense now; what a small model may do again it does for ever."""
        if self.passes(names, changes) and not self.going_on:
            return ["finish", "reopen"]
        looks = [name for name in ("list", "read", "search") if name != self.again]
        if self.stale >= MOST_STALE:
            looks = []
        test = ["test"] if self.tested != changes else []
        return [*looks, "write", "edit", "edits", *test, *(["finish"] if names else [])]


def _score(trial: Trial) -> list[int]:
    return [trial.passed, -trial.failed]

"""What the model has before it: what it looked at last, and how the tests went last."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from yunjue.files import write_whole
from yunjue_code.trial import Trial

QUICK_SECONDS = 10.0
"""Tests that take longer are run only when the model, or the end, asks for them."""
MOST_LOOKS = 2
"""At what is complete as far as the tests can tell, and one before it is changed further."""
PASSES = "All tests pass with this change. Finish, unless the task asks for more."


@dataclass(slots=True)
class Seen:
    """Both are shown together: a test that fails is mended with the code in sight.

    Attributes:
        look: files, lines or places.
        tests: the last report; "" before the first.
        tested: content id of what was changed when they ran.
        good: they passed.
        looks: how often it was looked since.
        again: the action that looked at what is shown already, if that was the last one.
        quick: they took no longer than :data:`QUICK_SECONDS`.
    """

    look: str = ""
    tests: str = ""
    tested: str = ""
    good: bool = False
    looks: int = 0
    again: str = ""
    quick: bool = True

    @classmethod
    def load(cls, path: Path) -> Seen:
        """As :meth:`keep` left it. Raises OSError, ValueError or TypeError."""
        return cls(**json.loads(path.read_text("utf-8")))

    def keep(self, path: Path) -> None:
        write_whole(path, json.dumps(asdict(self)).encode())

    def new(self, look: str, action: str) -> bool:
        """Take a look by this action; whether it shows anything new."""
        self.again, self.looks = action if look == self.look else "", self.looks + 1
        self.look = look
        return not self.again

    def change(self, look: str) -> None:
        """Something was changed; it is shown."""
        self.look, self.again = look, ""

    def test(self, trial: Trial, changes: str) -> None:
        """The tests were run on what has the content id ``changes``."""
        self.tests = f"{trial.line()}\n{trial.report}".strip()
        self.tested, self.good, self.looks = changes, trial.good, 0
        self.quick = trial.seconds <= QUICK_SECONDS

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
        if self.passes(names, changes):
            looks = ["read", "search"] if self.looks < MOST_LOOKS else []
            return ["finish", *looks, *(["write", "edit"] if self.looks else [])]
        looks = [name for name in ("list", "read", "search") if name != self.again]
        test = ["test"] if self.tested != changes else []
        return [*looks, "write", "edit", *test, *(["finish"] if names else [])]

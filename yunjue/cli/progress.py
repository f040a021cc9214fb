"""What a person sees of a run while it goes on; all of it on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from yunjue.agent.told import plain, told
from yunjue.events import Event


class Progress:
    """Prints one line for each thing that is decided, written, tested or called.

    On a terminal a last line says what is being waited for.

    Attributes:
        run: the run's id, as soon as it is known.
    """

    def __init__(self, quiet: bool) -> None:
        self.run = ""
        self._quiet = quiet
        self._status: Any = None

    def __enter__(self) -> Progress:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console

            self._status = Console(stderr=True).status("starting")
            self._status.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._status is not None:
            self._status.stop()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """No animation in the block: a person is asked something."""
        if self._status is not None:
            self._status.stop()
        yield
        if self._status is not None:
            self._status.start()

    def __call__(self, event: Event) -> None:
        if event.kind in ("run.started", "run.resumed"):
            self.run = event.data["run"]
        if event.kind == "warning":
            self._print(plain(f"warning: {event.data['message']}"))
        if self._quiet:
            return
        line = told(event)
        if line:
            self._print(line)
        if self._status is not None and event.kind in WAITING:
            from rich.markup import escape

            self._status.update(escape(WAITING[event.kind]))

    def _print(self, line: str) -> None:
        if self._status is not None:
            self._status.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)


WAITING = {
    "run.started": "looking for tools",
    "tools.retrieved": "deciding",
    "manager.decided": "deciding what to do",
    "tool.specified": "writing test cases",
    "tool.tested": "writing candidates",
    "tool.authored": "proving a candidate",
    "tool.judged": "writing candidates",
    "tool.admitted": "calling the tool",
    "executor.acted": "working",
    "tool.called": "reading the result",
}

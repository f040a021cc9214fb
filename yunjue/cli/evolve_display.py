"""What a person sees of an evolution while it goes on; all of it on stderr."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from yunjue.agent.told import told as told_event

if TYPE_CHECKING:
    from yunjue.evolution.evolve import Told
    from yunjue.metrics.record import History

TOLD = ("warning", "absorb.merged", "absorb.apart", "absorb.dropped", "tool.admitted")
"""Events that are shown; ``--verbose`` shows all that a run would."""


class EvolveDisplay:
    """One line a task and a step, with how far it is, what the library holds, the EGL, the
    cost, and how long the rest will take at this rate.

    Args:
        total: tasks of the stream.
        past: what earlier sittings did.
    """

    def __init__(self, total: int, past: History, quiet: bool, verbose: bool) -> None:
        self._total = total
        self._quiet = quiet
        self._verbose = verbose
        self._sums: Counter[str] = Counter()
        self._size = past.steps[-1].size if past.steps else 0
        self._cost = 0.0
        self._new = 0
        self._started = time.monotonic()
        for record in past.tasks:
            self._count(record.to_dict())

    def __call__(self, told: Told) -> None:
        data = told.data
        if told.what == "event":
            self._event(data["kind"], data["data"])
        elif told.what == "task":
            self._count(data)
            self._new += 1
            if not self._quiet:
                self._print(self._task(data))
        elif told.what == "step":
            self._size = data["size"]
            if not self._quiet:
                self._print(
                    f"step {data['step']}: {data['added']} added, {data['merged']} merged, "
                    f"{data['dropped']} dropped; {data['size']} tools; {data['seconds']:.0f} s"
                )
        elif told.what == "means" and not self._quiet:
            names = ", ".join(dict.fromkeys(one["name"] for one in data["models"].values()))
            self._print(f"model {names}  sandbox {data['sandbox']}")

    def _event(self, kind: str, data: dict[str, Any]) -> None:
        from yunjue.events import Event

        if kind == "warning":
            self._print(f"warning: {data['message']}")
        elif not self._quiet and (self._verbose or kind in TOLD):
            line = told_event(Event(kind, data))
            if line:
                self._print(f"    {line}")

    def _count(self, record: dict[str, Any]) -> None:
        self._cost += record["cost_usd"]
        self._sums[record["arm"]] += 1
        if record["arm"] == "evolve":
            self._sums["made"] += record["made"]
            self._sums["calls"] += record["calls"]

    def _task(self, record: dict[str, Any]) -> str:
        arm, sums = record["arm"], self._sums
        mark = {True: " right", False: " WRONG", None: ""}[record["right"]]
        line = (
            f"[{sums[arm]:>{len(str(self._total))}}/{self._total}] {record['task']}: "
            f"{record['status']}{mark}, {record['seconds']:.1f} s, {record['tokens']} tokens"
        )
        if arm != "evolve":
            return f"{arm} {line}{self._left(arm)}"
        egl = f"{1000 * sums['made'] / sums['calls']:.0f}" if sums["calls"] else "-"
        return (
            f"{line}, {record['made']} new, {record['calls']} calls | tools {self._size}  "
            f"EGLx1000 {egl}  ${self._cost:.2f}{self._left(arm)}"
        )

    def _left(self, arm: str) -> str:
        rest = self._total - self._sums[arm]
        seconds = (time.monotonic() - self._started) / self._new * rest
        return f"  {seconds / 60:.0f} min left" if rest else ""

    def _print(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

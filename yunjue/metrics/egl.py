"""EGL, the evolutionary generality loss (arXiv 2601.18226): tools made over tool invocations.

Over the tasks 1 … t of a stream, L_t = C_t / U_t, where C_t sums the tools made (c_i) and U_t
the tool invocations (u_i). A library that is general enough makes few tools and calls them
often. All is kept in integers and fractions, so nothing is rounded before it is shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from yunjue.metrics.record import History, TaskRecord


@dataclass(frozen=True, slots=True)
class Counts:
    """``made`` tools (C, or c of one task) and ``calls`` (U, or u)."""

    made: int = 0
    calls: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.made + other.made, self.calls + other.calls)

    def __sub__(self, other: Counts) -> Counts:
        return Counts(self.made - other.made, self.calls - other.calls)

    @property
    def egl(self) -> Fraction | None:
        """made / calls; None without a call. Of one task it is the marginal ratio c / u."""
        return Fraction(self.made, self.calls) if self.calls else None


def stream(history: History, arm: str = "evolve") -> list[TaskRecord]:
    """The tasks of an arm in the order they were worked on: by step, then by index."""
    return sorted(history.arm(arm), key=lambda task: (task.step, task.index))


def counts(task: TaskRecord) -> Counts:
    return Counts(task.made, task.calls)


def total(tasks: Iterable[TaskRecord]) -> Counts:
    return sum(map(counts, tasks), Counts())


def falls(so_far: Counts, task: Counts) -> bool | None:
    """Whether L falls with the next task: exactly when c/u < C/U, that is c*U < C*u.

    Without a division: a task that calls nothing (u = 0) never lowers L, as c*U < 0 is false.
    None before the first call (U = 0): there is no L yet that could fall.
    """
    if so_far.calls == 0:
        return None
    return task.made * so_far.calls < so_far.made * task.calls


class Window:
    """The counts of the last ``size`` tasks; O(size) memory, O(1) a task."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a window holds at least one task, not {size}")
        self._tasks: deque[Counts] = deque()
        self._size = size
        self.counts = Counts()

    def add(self, task: Counts) -> None:
        self._tasks.append(task)
        self.counts += task
        if len(self._tasks) > self._size:
            self.counts -= self._tasks.popleft()


class Meter:
    """The EGL of a stream, task by task, as a whole and by domain.

    Its state is two integers a domain, and with a window the last tasks of each domain too.

    Args:
        window: tasks of the windowed counts; None for none. The window of a domain holds the
            last tasks *of that domain*.

    Attributes:
        total, domains: counts from the start.
        recent, recent_domains: counts of the window; None and empty without one.
    """

    def __init__(self, window: int | None = None) -> None:
        self.total = Counts()
        self.domains: dict[str, Counts] = {}
        self._size = window
        self._window = Window(window) if window is not None else None
        self._windows: dict[str, Window] = {}

    def add(self, task: TaskRecord) -> None:
        """Count one task; those of a stream in its order."""
        these = counts(task)
        self.total += these
        self.domains[task.domain] = self.domains.get(task.domain, Counts()) + these
        if self._window is not None and self._size is not None:
            self._window.add(these)
            self._windows.setdefault(task.domain, Window(self._size)).add(these)

    @property
    def recent(self) -> Counts | None:
        return self._window.counts if self._window else None

    @property
    def recent_domains(self) -> dict[str, Counts]:
        return {domain: window.counts for domain, window in self._windows.items()}


@dataclass(frozen=True, slots=True)
class Point:
    """The EGL after a task.

    Attributes:
        total: C and U after it.
        recent: counts of the last W tasks; None without a window.
        fell: whether L fell with it; None if L was undefined before.
    """

    task: TaskRecord
    total: Counts
    recent: Counts | None
    fell: bool | None


def curve(tasks: Iterable[TaskRecord], window: int | None = None) -> list[Point]:
    """One point a task of ``tasks``, which are in stream order."""
    meter, points = Meter(window), []
    for task in tasks:
        fell = falls(meter.total, counts(task))
        meter.add(task)
        points.append(Point(task, meter.total, meter.recent, fell))
    return points

"""Records what a run did outside its process, and serves it again.

Three uses of one mechanism: a live run records; a resumed run gets what its earlier
sitting had finished, so that no effect happens twice; a replay gets every model reply
from the trace and runs the sandbox again, noting where it differs.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from yunjue.errors import ReplayMiss
from yunjue.events import Event, Events
from yunjue.hashing import canonical_json, content_id
from yunjue.types import BOUNDS

Action = Callable[[], Awaitable[dict[str, Any]]]


def effect_key(kind: str, request: Mapping[str, Any]) -> str:
    return content_id(kind + canonical_json(request))


class RecordedEffects:
    """Effects of a live or resumed run.

    Equal requests are served in the order they were recorded, so it does not matter in
    which order parallel branches reach them.

    Args:
        events: where new effects are written.
        earlier: events of the run's earlier sittings.
    """

    def __init__(self, events: Events, earlier: list[Event] = ()) -> None:
        self._events = events
        self._recorded = _by_key(earlier)

    def holds(self, kind: str, request: Mapping[str, Any]) -> bool:
        """Whether an earlier sitting recorded a result of ``request`` that is not used up."""
        return bool(self._recorded.get(effect_key(kind, request)))

    async def perform(self, kind: str, request: Mapping[str, Any], action: Action) -> dict:
        key = effect_key(kind, request)
        if self._recorded[key]:
            return self._recorded[key].popleft()
        result = await action()
        self._events.emit("effect", effect=kind, key=key, request=request, result=result)
        return result


class ReplayedEffects:
    """Effects of a replay: model replies and what the library offered come from the
    trace, the sandbox works for real.

    Attributes:
        differences: one entry for each sandbox result that is not as recorded.
    """

    def __init__(self, events: Events, recorded: list[Event]) -> None:
        self._events = events
        self._recorded = _by_key(recorded)
        self.differences: list[dict[str, Any]] = []

    def holds(self, kind: str, request: Mapping[str, Any]) -> bool:
        """Whether the trace holds a result of ``request`` that is not used up."""
        return bool(self._recorded.get(effect_key(kind, request)))

    async def perform(self, kind: str, request: Mapping[str, Any], action: Action) -> dict:
        key = effect_key(kind, request)
        recorded = self._recorded[key].popleft() if self._recorded[key] else None
        if kind != "sandbox":
            if recorded is None:
                who = request.get("role", "library")
                raise ReplayMiss(f"The trace holds no answer to this request of the {who}.")
            result = recorded
        else:
            result = await action()
            if recorded is not None and comparable(result) != comparable(recorded):
                # On a machine that is busy for a moment a call near its bound runs out of time.
                result = await action()
            if recorded is None:
                self._differ(request, None, result)
            elif comparable(result) != comparable(recorded):
                self._differ(request, recorded, result)
            else:
                # Which bound a runaway call broke goes into prompts, whose replies are recorded.
                result = recorded
        self._events.emit("effect", effect=kind, key=key, request=request, result=result)
        return result

    def _differ(self, request: Mapping[str, Any], recorded: Any, result: Any) -> None:
        self.differences.append({"request": request, "recorded": recorded, "replayed": result})


MEASURED = ("seconds", "peak_mib", "stdout", "stderr", "visits")


def comparable(result: Any) -> Any:
    """``result`` without what may differ between equal executions: what was measured, what
    was printed, and which bound a runaway call broke first."""
    if isinstance(result, dict):
        if result.get("reason") in BOUNDS:
            return {"reason": "broke a bound"}
        return {key: comparable(value) for key, value in result.items() if key not in MEASURED}
    if isinstance(result, list):
        return [comparable(value) for value in result]
    return result


def _by_key(events: list[Event]) -> defaultdict[str, deque[dict[str, Any]]]:
    recorded: defaultdict[str, deque[dict[str, Any]]] = defaultdict(deque)
    for event in events:
        if event.kind == "effect":
            recorded[event.data["key"]].append(event.data["result"])
    return recorded

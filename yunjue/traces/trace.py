"""A trace: one JSON object a line, appended and flushed to disk as events happen."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from yunjue.errors import DiskFull, TraceError
from yunjue.events import Event
from yunjue.files import no_room
from yunjue.hashing import content_id
from yunjue.traces.effects import comparable

TRACE_FILE = "trace.jsonl"
FORMAT = 1


def read_trace(path: Path) -> list[Event]:
    """All events of the trace, in order.

    A last line without its newline was being written when the process died; it is left
    out, as the event it tells of was not finished.

    Raises:
        TraceError: there is no such trace, or a line in the middle is damaged.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise TraceError(f"The trace {path} cannot be read: {error.strerror}.") from None
    return list(_events(path, text))


def _events(path: Path, text: bytes) -> Iterator[Event]:
    for number, line in enumerate(text.split(b"\n")[:-1], start=1):
        try:
            record = json.loads(line)
            yield Event(record["kind"], record["data"], record["time"], record["seq"])
        except (ValueError, KeyError, TypeError) as error:
            raise TraceError(f"Line {number} of {path} is damaged: {error}.") from None


class TraceWriter:
    """Appends events to a trace; a subscriber of :class:`yunjue.events.Events`.

    When a run is resumed, the node that was interrupted runs again from its start and
    emits again what it had emitted; ``earlier`` events with the same kind and data, times
    aside, are not written twice.
    """

    def __init__(self, path: Path, earlier: list[Event]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._drop_half_line()
        self._file = path.open("ab")
        self._seen = Counter(_identity(event) for event in earlier)

    def _drop_half_line(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb+") as file:
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)

    def __call__(self, event: Event) -> None:
        identity = _identity(event)
        if self._seen[identity] > 0:
            self._seen[identity] -= 1
            return
        record = {"seq": event.seq, "time": event.time, "kind": event.kind, "data": event.data}
        line = json.dumps(record, ensure_ascii=False, default=str).encode("utf-8", "replace")
        try:
            self._file.write(line + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            if no_room(error):
                raise DiskFull(f"The disk is full; {self.path.name} cannot grow.") from None
            raise TraceError(f"The trace cannot be written: {error.strerror}.") from None

    def close(self) -> None:
        self._file.close()


def _identity(event: Event) -> str:
    data = comparable(event.data)
    return event.kind + content_id(json.dumps(data, sort_keys=True, default=str))

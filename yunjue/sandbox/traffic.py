"""What one call did on the network: counted, bounded, and told in its outcome."""

from __future__ import annotations

from dataclasses import dataclass, field

from yunjue.http_proxy import Place, Refused
from yunjue.types import Visit

MOST_CONNECTIONS = 256
"""Connections a call may make."""
MOST_BYTES = 64 << 20
"""Bytes a call may send and receive, heads and bodies together."""
MOST_VISITS = 64
"""Entries of the account; what comes after them is not told apart."""


@dataclass(slots=True)
class _Sum:
    connections: int = 0
    sent: int = 0
    received: int = 0


@dataclass(slots=True)
class Traffic:
    """The account of one call."""

    connections: int = 0
    bytes: int = 0
    _sums: dict[tuple[Place, str], _Sum] = field(default_factory=dict)

    def connected(self) -> None:
        """The tool opened a connection. Raises Refused if it is one too many."""
        self.connections += 1
        if self.connections > MOST_CONNECTIONS:
            raise Refused(503, f"more than {MOST_CONNECTIONS} connections in one call")

    def reached(self, place: Place) -> None:
        self._sum(place).connections += 1

    def refuse(self, place: Place, status: int, why: str) -> Refused:
        """Note it, and make the exception to raise."""
        self._sum(place, why).connections += 1
        return Refused(status, f"{place} {why}")

    def sent(self, place: Place, size: int) -> None:
        self._sum(place).sent += size
        self._count(size)

    def received(self, place: Place, size: int) -> None:
        self._sum(place).received += size
        self._count(size)

    def visits(self) -> list[Visit]:
        """Where the call went and where it was kept from, in order of the first time."""
        return [
            Visit(
                host=place.host,
                port=place.port,
                allowed=not why,
                why=why,
                connections=found.connections,
                sent=found.sent,
                received=found.received,
            )
            for (place, why), found in self._sums.items()
        ]

    def _count(self, size: int) -> None:
        self.bytes += size
        if self.bytes > MOST_BYTES:
            raise Refused(503, f"more than {MOST_BYTES >> 20} MiB in one call")

    def _sum(self, place: Place, why: str = "") -> _Sum:
        if (place, why) not in self._sums and len(self._sums) >= MOST_VISITS:
            return _Sum()
        return self._sums.setdefault((place, why), _Sum())

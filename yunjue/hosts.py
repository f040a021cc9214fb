"""Hosts on the network: how allow-lists name them, and which addresses are public."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

PORTS = (80, 443)
"""What an entry without a port stands for."""

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
# The last label begins with a letter: 127.1 and 0x7f000001 are no names.
_NAME = re.compile(rf"({_LABEL}\.)*(?=[a-z]){_LABEL}\Z")
_PLACE = re.compile(r"(?:\[(?P<six>[^]]*)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?\Z")

_SIX = ip_network("2000::/3")
"""All of IPv6 that can be public. What wraps IPv4 (mapped, NAT64) lies outside of it."""
_NOT_PUBLIC = [
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # a cloud's own services, on an address that looks public
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
]
"""IANA's special-purpose registries, spelled out: ``is_global`` differs between Pythons."""


def is_public(address: str) -> bool:
    """Whether anybody on the internet can have this IP address."""
    found = ip_address(address)
    if isinstance(found, IPv6Address) and found not in _SIX:
        return False
    return not any(found in net for net in _NOT_PUBLIC if net.version == found.version)


def canonical(host: str) -> str:
    """The name in lower case without a last dot, or the address as it is usually written.

    Raises:
        ValueError: neither a host name (ASCII) nor an IP address.
    """
    text = host.lower().removesuffix(".")
    if len(text) <= 253 and _NAME.match(text):
        return text
    try:
        found = ip_address(text)
    except ValueError:
        found = None
    if found is None or "%" in text:
        raise ValueError(f"{host[:80]!r} is neither a host name nor an IP address")
    return str(found)


def split(place: str) -> tuple[str, int | None]:
    """Host and port of ``HOST``, ``HOST:PORT``, ``[IPV6]`` or ``[IPV6]:PORT``, unchecked.

    Raises:
        ValueError: it is none of these.
    """
    if place.count(":") > 1 and not place.startswith("["):
        return place, None
    found = _PLACE.match(place)
    port = int(found["port"]) if found and found["port"] else None
    if not found or (port is not None and not 0 < port < 65536):
        raise ValueError(f"{place[:80]!r} is not HOST or HOST:PORT")
    return found["six"] if found["six"] is not None else found["host"], port


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of an allow-list, written ``HOST[:PORT][=ADDRESS]``.

    Attributes:
        host: a name, an IP address, ``*.NAME`` (every name below it), or ``*`` (every host
            that is public).
        port: the only one, or None for :data:`PORTS`.
        address: the IP address to use, public or not, whatever a name server says. Without
            it a name must lead to a public address.
    """

    host: str
    port: int | None = None
    address: str | None = None

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read an entry. Raises ValueError, with what is wrong in it."""
        place, equals, address = text.strip().partition("=")
        host, port = split(place)
        if host != "*":
            under = "*." if host.startswith("*.") else ""
            host = under + canonical(host.removeprefix(under))
        if equals and host.startswith("*"):
            raise ValueError(f"{text[:80]!r} names one address for many hosts")
        return cls(host, port, str(ip_address(address)) if equals else _own_address(host))

    def __str__(self) -> str:
        text = f"[{self.host}]" if ":" in self.host else self.host
        text += f":{self.port}" if self.port else ""
        return text if self.address == _own_address(self.host) else f"{text}={self.address}"

    def covers(self, host: str) -> bool:
        """Whether the canonical ``host`` is meant, on whatever port."""
        if self.host == "*":
            own = _own_address(host)
            return own is None or is_public(own)
        if self.host.startswith("*."):
            return host.endswith(self.host[1:]) and not _is_address(host)
        return host == self.host

    def allows(self, host: str, port: int) -> bool:
        return self.covers(host) and (port in PORTS if self.port is None else port == self.port)


def declared(value: object) -> list[str]:
    """The hosts a tool says it talks to, canonical: names, addresses or ``*``, no ports.

    Raises:
        ValueError: it is not a list of these.
    """
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        raise ValueError("it is not a list of host names")
    return [one if one == "*" else canonical(one) for one in value]


def grant(wanted: Sequence[str], allowed: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is both wanted by a tool and allowed by the user.

    Args:
        wanted: as :func:`declared` returns it.
        allowed: entries of the user's allow-list.

    Returns:
        Entries for the tool, which allow what it wanted and no more; and the wanted hosts
        that nothing allows. A tool that wants ``*`` gets whatever is allowed.

    Raises:
        ValueError: an entry of ``allowed`` is not one.
    """
    rules = [Rule.parse(text) for text in allowed]
    granted: list[str] = []
    missing: list[str] = []
    for host in wanted:
        if host == "*":
            narrowed = rules
        else:
            narrowed = [
                Rule(host, r.port, r.address or _own_address(host)) for r in rules if r.covers(host)
            ]
        granted += map(str, narrowed)
        missing += [] if narrowed else [host]
    return list(dict.fromkeys(granted)), missing


def _own_address(host: str) -> str | None:
    """The address that is plain from the host itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    return host if _is_address(host) else None


def _is_address(host: str) -> bool:
    try:
        return isinstance(ip_address(host), (IPv4Address, IPv6Address))
    except ValueError:
        return False

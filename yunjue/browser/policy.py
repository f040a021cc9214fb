"""What a run's browser may reach: an allow-list of origins, and no private addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from yunjue.errors import ConfigError
from yunjue.hosts import Rule, canonical, is_public, split

_DEFAULT_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<place>[^/?#@]+)/?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry: ``scheme://host[:port]``, or ``*`` with an empty scheme."""

    scheme: str
    rule: Rule

    def allows(self, scheme: str, host: str, port: int) -> bool:
        return (not self.scheme or scheme == self.scheme) and self.rule.allows(host, port)

    def __str__(self) -> str:
        if not self.scheme:
            return "*"
        port = "" if self.rule.port == _DEFAULT_PORTS[self.scheme] else f":{self.rule.port}"
        host = f"[{self.rule.host}]" if ":" in self.rule.host else self.rule.host
        return f"{self.scheme}://{host}{port}"


class Policy:
    """Decides on addresses before they are asked for, and on what names lead to.

    Args:
        origins: entries as :attr:`yunjue.browser.types.BrowserSettings.origins` has them.

    Raises:
        ConfigError: one is not an origin.
    """

    def __init__(self, origins: Sequence[str], allow_private: bool = False) -> None:
        self._allowed = [parse_origin(text) for text in origins]
        self._allow_private = allow_private

    def why_not_url(self, url: str) -> str:
        """Why a page may not be opened; empty if it may, as far as the address tells."""
        try:
            parts = urlsplit(url)
            scheme, host = parts.scheme.lower(), canonical(parts.hostname or "")
            port = parts.port or _DEFAULT_PORTS.get(scheme, 0)
        except ValueError:
            scheme = url.partition(":")[0].lower() if ":" in url else ""
            if scheme in _DEFAULT_PORTS or not scheme:
                return f"{url[:200]!r} is not an absolute http or https address"
            host, port = "", 0
        if scheme not in _DEFAULT_PORTS:
            return f"{scheme}: addresses are refused; only http and https are opened"
        if parts.username is not None or parts.password is not None:
            return "addresses with a user name or password are refused"
        return self.why_not(scheme, host, port)

    def why_not(self, scheme: str | None, host: str, port: int) -> str:
        """Why a canonical host is not asked at all; empty if it may be, provided that it has
        an :meth:`address_allowed`. ``scheme`` is None where only the host is known."""
        schemes = (scheme,) if scheme else tuple(_DEFAULT_PORTS)
        if not any(one.allows(s, host, port) for one in self._allowed for s in schemes):
            may = ", ".join(map(str, self._allowed)) or "nothing"
            shown = f"[{host}]" if ":" in host else host
            place = f"{scheme}://{shown}" if scheme else shown
            return f"{place}:{port} is not among the allowed origins: {may}"
        own = Rule.parse(f"[{host}]" if ":" in host else host).address
        if own and not self.address_allowed(host, port, own):
            return f"{host} is a private address, which this run may not reach"
        return ""

    def address_allowed(self, host: str, port: int, address: str) -> bool:
        """Whether ``host``, which leads to ``address``, may be connected to there. A private
        address needs both the permission and an entry that names the host, not ``*``."""
        if is_public(address):
            return True
        named = any(
            one.scheme and not one.rule.host.startswith("*") and one.rule.allows(host, port)
            for one in self._allowed
        )
        return self._allow_private and named


def parse_origin(text: str) -> Allowed:
    """Read an entry of an allow-list.

    Raises:
        ConfigError: it is not one, with what would be.
    """
    if text.strip() == "*":
        return Allowed("", Rule("*"))
    found = _ORIGIN.match(text.strip())
    try:
        if not found:
            raise ValueError("it is not scheme://host[:port]")
        scheme = found["scheme"].lower()
        host, port = split(found["place"])
        under = "*." if host.startswith("*.") else ""
        host = under + canonical(host.removeprefix(under))
    except ValueError as error:
        raise ConfigError(
            f"{text[:100]!r} is no origin: {error}.",
            hint="Origins look like https://example.com, http://127.0.0.1:8000, "
            "https://*.example.com, or * for every public host.",
        ) from None
    return Allowed(scheme, Rule(host, port or _DEFAULT_PORTS[scheme]))


def origin_of(url: str) -> str:
    """The origin of an http or https address, for an allow-list.

    Raises:
        ConfigError: it is not such an address.
    """
    parts = urlsplit(url)
    return str(parse_origin(f"{parts.scheme}://{parts.netloc}"))

"""Origins: where a page is from, and which the run may reach."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}


def origin(url: str) -> str:
    """``scheme://host[:port]`` of an http(s) address, lower case, without the usual port; "" for
    anything else."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in PORTS or not host:
        return ""
    place = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{place}" + ("" if port in (None, PORTS[parts.scheme]) else f":{port}")


def allowed(url: str, origins: Sequence[str]) -> bool:
    """Whether the address lies in one of the origins, written as
    :attr:`yunjue.browser.types.BrowserSettings.origins` is."""
    own = origin(url)
    if not own:
        return False
    for entry in origins:
        if entry == "*" or origin(entry) == own:
            return True
        scheme, star, rest = entry.partition("://*.")
        if star and own.startswith(f"{scheme}://") and own.endswith(f".{rest}"):
            return True
    return False

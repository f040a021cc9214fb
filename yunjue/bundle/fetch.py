"""A bundle from the web: bounded in bytes, redirects and seconds; https, or this machine."""

from __future__ import annotations

import ipaddress
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

from yunjue.bundle.archive import MAX_ARCHIVE
from yunjue.bundle.signature import MAX_BYTES, SUFFIX
from yunjue.errors import BundleRefused, DownloadError, UsageError
from yunjue.files import writing

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 3
SECONDS = 120.0
WAIT_SECONDS = 20.0
"""For the next byte."""


def fetch(url: str, folder: Path) -> tuple[bytes, bytes | None]:
    """The bundle at ``url``, and the signature beside it if there is one.

    Args:
        folder: the bundle is written there as it comes.

    Raises:
        UsageError: the URL is of a kind that is not fetched.
        DownloadError: it cannot be had.
        BundleRefused: it is larger than a bundle may be, or leads elsewhere than allowed.
    """
    deadline = time.monotonic() + SECONDS
    with _client() as client:
        data = _there(_get(client, url, MAX_ARCHIVE, deadline, folder / "bundle.ytb"), url)
        signature = _get(client, beside(url), MAX_BYTES, deadline, folder / "signature")
    return data, signature


def download(url: str, path: Path, most: int) -> bytes:
    """What is at ``url``, at most ``most`` bytes, written to ``path`` as it comes.

    Raises: as :func:`fetch`.
    """
    with _client() as client:
        return _there(_get(client, url, most, time.monotonic() + SECONDS, path), url)


def _client() -> httpx.Client:
    import httpx

    # Nothing swells on the way.
    return httpx.Client(timeout=WAIT_SECONDS, headers={"Accept-Encoding": "identity"})


def _there(data: bytes | None, url: str) -> bytes:
    if data is None:
        raise DownloadError(f"There is nothing at {shown(url)}.", hint="")
    return data


def shown(url: str) -> str:
    """The URL without what may be secret: user, password, query."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, host + port, parts.path, "", ""))


def beside(url: str) -> str:
    """Where the signature of the bundle at ``url`` is."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path + SUFFIX))


def _get(client: httpx.Client, url: str, most: int, deadline: float, path: Path) -> bytes | None:
    """What is at ``url``, or None if nothing is."""
    import httpx

    started_here = _check(url, http_allowed=True)
    for _ in range(MAX_REDIRECTS + 1):
        try:
            with client.stream("GET", url) as response:
                if response.has_redirect_location:
                    url = urljoin(url, response.headers["location"])
                    # A page of the web must not send us to a server of this machine.
                    _check(url, http_allowed=started_here)
                    continue
                if response.status_code in (404, 410):
                    return None
                if response.status_code != 200:
                    raise DownloadError(f"{shown(url)} answered {response.status_code}.")
                _save(response, most, deadline, path)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            what = str(error) or type(error).__name__
            raise DownloadError(f"{shown(url)} cannot be had: {what}.") from None
        return path.read_bytes()
    raise BundleRefused("too-many-redirects", f"{shown(url)} leads on and on.")


def _save(response: httpx.Response, most: int, deadline: float, path: Path) -> None:
    size = 0
    with writing(path), path.open("wb") as file:
        for chunk in response.iter_raw():
            size += len(chunk)
            if size > most:
                raise BundleRefused("too-large", f"More than {most >> 10} KiB were sent.")
            if time.monotonic() > deadline:
                raise DownloadError(f"It did not come within {SECONDS:g} s.")
            file.write(chunk)


def _check(url: str, http_allowed: bool) -> bool:
    """Whether the URL leads to this machine, which is the only place http may lead."""
    parts = urlsplit(url)
    local = _is_local(parts.hostname or "")
    if parts.scheme == "https" and (http_allowed or not local):
        return local
    if parts.scheme == "http" and local and http_allowed:
        return True
    raise UsageError(
        f"{shown(url)} is not fetched: only https, or http from this machine.",
        hint="Download it yourself and import the file.",
    )


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

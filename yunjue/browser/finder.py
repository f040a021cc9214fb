"""Which Chromium a run uses, and with which flags."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from yunjue.errors import BrowserUnavailable

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "YUNJUE_CHROMIUM"

FLAGS = (
    # WebRTC would pass by the proxy; what is left of it has no way out.
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    # Names are looked up by the proxy alone.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    # The browser asks for nothing by itself.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-pings",
)


@dataclass(frozen=True, slots=True)
class Found:
    """A Chromium: where it is, and where it came from, in words."""

    path: str
    source: str


def find_chromium(executable: str | None = None) -> Found:
    """The one that is named, else the system's, else the one Playwright has installed.

    Raises:
        BrowserUnavailable: the named one is not there, or there is none.
    """
    for named, source in ((executable, "named"), (os.environ.get(VARIABLE), VARIABLE)):
        if named:
            path = shutil.which(named)
            if not path:
                raise BrowserUnavailable(f"{named} is not a program.")
            return Found(path, source)
    for name in NAMES:
        if path := shutil.which(name):
            return Found(path, "the system's")
    for path in _installed_by_playwright():
        return Found(str(path), "Playwright's own")
    raise BrowserUnavailable("No Chromium was found.")


def flags() -> list[str]:
    """Command line flags beyond Playwright's own. Chromium's sandbox stays on, except for
    root, under whom it does not start."""
    return [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def _installed_by_playwright() -> list[Path]:
    """Newest first. Where they lie: playwright.dev, "Managing browser binaries"."""
    named = os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "")
    folder = Path(named) if named not in ("", "0") else Path.home() / ".cache" / "ms-playwright"
    found = [*folder.glob("chromium-*/chrome-linux*/chrome")]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)

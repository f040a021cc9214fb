"""One browser of one run: start, observe, act, close."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yunjue.browser import actions, finder, reading
from yunjue.browser.change import difference
from yunjue.browser.doing import Hands, explain
from yunjue.browser.downloads import Downloads
from yunjue.browser.gateway import Gateway
from yunjue.browser.looking import Eyes
from yunjue.browser.policy import Policy
from yunjue.browser.render import fitting
from yunjue.browser.tabs import Tabs
from yunjue.browser.types import (
    Action,
    ActionInvalid,
    BrowserSettings,
    Change,
    Observation,
    Transition,
)
from yunjue.errors import BrowserError, BrowserUnavailable, ConfigError
from yunjue.files import write_whole
from yunjue.redaction import SHORTEST, Redactor

if TYPE_CHECKING:
    from playwright import async_api as pw

CLOSING_SECONDS = 10.0
_SECRET = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")


async def open_browser(settings: BrowserSettings) -> ChromiumBrowser:
    """Start a browser with an empty tab.

    Raises:
        BrowserUnavailable: there is none, or it does not start.
        ConfigError: an origin or a secret is not one.
    """
    browser = ChromiumBrowser(settings)
    try:
        await browser._open()
    except BaseException:
        await browser.close()
        raise
    return browser


class ChromiumBrowser:
    """A :class:`yunjue.browser.types.Browser`; made by :func:`open_browser`."""

    def __init__(self, settings: BrowserSettings) -> None:
        for name, value in settings.secrets.items():
            if not _SECRET.match(name) or len(value) < SHORTEST:
                raise ConfigError(
                    f"Secret {name[:64]!r} cannot be used in a browser.",
                    hint=f"Its name must be a word and its value have {SHORTEST} characters, "
                    "or it could not be kept out of what models see.",
                )
        self._settings = settings
        self._policy = Policy(settings.origins, settings.allow_private)
        self._redactor = Redactor(settings.secrets)
        self._gateway = Gateway(self._policy)
        self._folder = Path(tempfile.mkdtemp(prefix="yj-browser-"))
        self._downloads = Downloads(self._folder, settings.downloads, settings.most_download_bytes)
        self._playwright: pw.Playwright | None = None
        self._chromium: pw.Browser | None = None
        self._context: pw.BrowserContext | None = None
        self._tabs: Tabs | None = None
        self._hands: Hands | None = None
        self._eyes: Eyes | None = None
        self._last: Observation | None = None

    async def _open(self) -> None:
        from playwright.async_api import Error, async_playwright

        found = finder.find_chromium(self._settings.executable)
        await self._gateway.open()
        self._playwright = await async_playwright().start()
        await reading.register(self._playwright)
        width, height = self._settings.viewport
        try:
            self._chromium = await self._playwright.chromium.launch(
                executable_path=found.path,
                headless=self._settings.headless,
                args=list(finder.FLAGS),
                proxy={"server": self._gateway.address},
                downloads_path=self._folder,
                chromium_sandbox=finder.sandboxed(),
                timeout=30_000,
            )
            context = await self._chromium.new_context(
                storage_state=_stored(self._settings.storage),
                viewport={"width": width, "height": height},
                service_workers="block",
                accept_downloads=True,
            )
        except Error as error:
            first = error.message.strip().splitlines()[0]
            raise BrowserUnavailable(f"{found.path} does not start: {first[:300]}") from error
        self._context = context
        context.set_default_timeout(self._settings.timeout * 1000)
        self._tabs = Tabs(context, self._downloads.began)
        self._hands = Hands(self._settings, self._policy, self._tabs)
        self._eyes = Eyes(self._settings, self._tabs, self._redactor)
        await self._tabs.new()

    @property
    def page(self) -> pw.Page:
        """Playwright's page in front, for tests and measurements; runs go through :meth:`act`."""
        front = self._alive().front
        if front is None:
            raise BrowserError("There is no tab.")
        return front.page

    async def start(self, url: str) -> Transition:
        """Open a page in the tab in front."""
        return await self.act(Action(kind="goto", url=url))

    async def observe(self, cursor: int | None = None) -> Observation:
        """Read the tab in front, as it is now."""
        self._alive()
        assert self._eyes
        self._last = await self._eyes.read(cursor or 0)
        return self._last

    async def act(self, action: Action) -> Transition:
        """Do it, wait until the page is at rest, and say what followed."""
        tabs = self._alive()
        assert self._eyes
        before = self._last or await self.observe()
        if why := actions.problem(action, before):
            return Transition(action, False, self._redactor.text(why), Change(), before)
        tabs.begin(action)
        self._gateway.refusals()
        error, text = await self._do(action, before)
        self._alive()
        after = self._last = await self._eyes.settled(before)
        self._alive()
        happened = tabs.take()
        downloads = await self._downloads.finished(self._settings.timeout)
        refused = [*self._gateway.refusals(), *happened.notes]
        if happened.choosers and action.kind != "upload":
            refused.append("the page asked for a file; upload gives it one")
        if not error and action.kind in ("goto", "new_tab") and _refuses(after, refused):
            error = refused[0]
        clean = self._redactor.text
        change = difference(
            before,
            after,
            dialogs=[replace(one, message=clean(one.message)) for one in happened.dialogs],
            downloads=[replace(one, name=clean(one.name)) for one in downloads],
            refused=[clean(one) for one in refused],
        )
        text = fitting(clean(text), self._settings.budget)
        return Transition(action, not error, clean(error), change, after, text)

    async def screenshot(self, path: Path) -> None:
        """Write what the tab in front shows as PNG; secrets that it shows are in it."""
        from playwright.async_api import Error

        tab = self._alive().front
        try:
            async with asyncio.timeout(self._settings.timeout + 1):
                if tab is None or tab.problem:
                    raise BrowserError(tab.problem if tab else "There is no tab.")
                data = await tab.page.screenshot(timeout=self._settings.timeout * 1000)
        except (Error, TimeoutError) as error:
            raise BrowserError("The page does not let itself be drawn.") from error
        write_whole(path, data)

    async def close(self) -> None:
        """End the browser and all that belongs to it."""
        await self._store()
        await self._downloads.end()
        if self._tabs:
            await self._tabs.end()
        for part in (
            self._chromium and self._chromium.close,
            self._playwright and self._playwright.stop,
            self._gateway.close,
        ):
            if part:
                with contextlib.suppress(Exception):  # the rest must be ended, too
                    async with asyncio.timeout(CLOSING_SECONDS):
                        await part()
        self._chromium = self._playwright = None
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _store(self) -> None:
        """Keep the session, if it is to be kept and the browser is still there."""
        if self._settings.storage is None or self._context is None:
            return
        context, self._context = self._context, None
        with contextlib.suppress(Exception):  # closing goes on; the session is lost
            async with asyncio.timeout(CLOSING_SECONDS):
                state = await context.storage_state()
            write_whole(self._settings.storage, json.dumps(state).encode())

    async def __aenter__(self) -> ChromiumBrowser:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def _do(self, action: Action, before: Observation) -> tuple[str, str]:
        """Error and text."""
        from playwright.async_api import Error

        assert self._hands and self._eyes
        seconds = self._settings.timeout
        if action.kind in ("goto", "new_tab", "back", "forward"):
            seconds = self._settings.load_timeout
        element = before.element(action.target) if action.target is not None else None
        # Twice the time, for actions of two steps; Playwright's own limits come first.
        limit = 2 * seconds + (action.seconds or 0) + 1
        try:
            async with asyncio.timeout(limit):
                return "", await self._hands.do(action, element, self._eyes.frames)
        except ActionInvalid as invalid:
            return str(invalid), ""
        except (Error, TimeoutError) as error:
            self._alive()
            return explain(error, seconds), ""

    def _alive(self) -> Tabs:
        if not self._chromium or not self._chromium.is_connected() or not self._tabs:
            raise BrowserError("The browser has ended.")
        return self._tabs


def _refuses(seen: Observation, refused: list[str]) -> bool:
    """Whether what is seen is the gateway's own answer: the reason, and nothing else."""
    return len(seen.elements) == 1 and any(why.startswith(seen.elements[0].name) for why in refused)


def _stored(path: Path | None) -> Any:
    """What Playwright is given of an earlier session; None without a readable file."""
    try:
        return json.loads(path.read_bytes()) if path else None
    except (OSError, ValueError):
        return None

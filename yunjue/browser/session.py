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
from yunjue.browser.doing import BLANK, Hands, explain
from yunjue.browser.downloads import Downloads
from yunjue.browser.gateway import Gateway
from yunjue.browser.policy import Policy
from yunjue.browser.tabs import Opened, Tabs
from yunjue.browser.types import (
    Action,
    ActionInvalid,
    BrowserSettings,
    Change,
    Observation,
    Tab,
    Transition,
)
from yunjue.errors import BrowserError, BrowserUnavailable, ConfigError
from yunjue.files import write_whole
from yunjue.redaction import SHORTEST, Redactor

if TYPE_CHECKING:
    from playwright import async_api as pw

QUIET_SECONDS = 0.06
"""A page is at rest when nothing in it changes for that long."""
MOST_SETTLING = 2.0
"""Seconds after which a page that never rests is read as it is."""
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
        self._reader = reading.Reader(settings.timeout, self._redactor)
        self._folder = Path(tempfile.mkdtemp(prefix="yj-browser-"))
        self._downloads = Downloads(self._folder, settings.downloads, settings.most_download_bytes)
        self._playwright: pw.Playwright | None = None
        self._chromium: pw.Browser | None = None
        self._context: pw.BrowserContext | None = None
        self._tabs: Tabs | None = None
        self._hands: Hands | None = None
        self._frames: list[pw.Frame] = []
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
                args=finder.flags(),
                proxy={"server": self._gateway.address},
                downloads_path=self._folder,
                chromium_sandbox=None,
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
        await self._tabs.new()

    async def start(self, url: str) -> Transition:
        """Open a page in the tab in front."""
        return await self.act(Action(kind="goto", url=url))

    async def observe(self, cursor: int | None = None) -> Observation:
        """Read the tab in front, as it is now."""
        self._alive()
        self._last = await self._read(cursor or 0)
        return self._last

    async def act(self, action: Action) -> Transition:
        """Do it, wait until the page is at rest, and say what followed."""
        tabs = self._alive()
        before = self._last or await self.observe()
        if why := actions.problem(action, before):
            return Transition(action, False, self._redactor.text(why), Change(), before)
        tabs.begin(action)
        self._gateway.refusals()
        error, text = await self._do(action, before)
        after = await self._settled(before)
        happened = tabs.take()
        downloads = await self._downloads.finished(self._settings.timeout)
        refused = [*self._gateway.refusals(), *happened.notes]
        if happened.choosers and action.kind != "upload":
            refused.append("the page asked for a file; upload gives it one")
        if not error and action.kind in ("goto", "new_tab") and self._gateway_said(refused):
            error = refused[0]
        dialogs = [replace(d, message=self._redactor.text(d.message)) for d in happened.dialogs]
        change = difference(before, after, dialogs=dialogs, downloads=downloads, refused=refused)
        self._last = after
        clean = self._redactor.text
        return Transition(action, not error, clean(error), change, after, clean(text))

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

    def _alive(self) -> Tabs:
        if not self._chromium or not self._chromium.is_connected() or not self._tabs:
            raise BrowserError("The browser has ended.")
        return self._tabs

    async def _do(self, action: Action, before: Observation) -> tuple[str, str]:
        """Error and text."""
        from playwright.async_api import Error

        assert self._hands
        seconds = self._settings.timeout
        if action.kind in ("goto", "new_tab", "back", "forward"):
            seconds = self._settings.load_timeout
        element = before.element(action.target) if action.target is not None else None
        # Twice the time, for actions of two steps; Playwright's own limits come first.
        limit = 2 * seconds + (action.seconds or 0) + 1
        try:
            async with asyncio.timeout(limit):
                return "", await self._hands.do(action, element, self._frames)
        except ActionInvalid as invalid:
            return str(invalid), ""
        except (Error, TimeoutError) as error:
            self._alive()
            return explain(error, seconds), ""

    def _gateway_said(self, refused: list[str]) -> bool:
        """Whether the page in front is the gateway's own refusal."""
        shown = {one.name for one in self._last_elements()}
        return any(one[:150] in name for one in refused for name in shown)

    def _last_elements(self):
        return self._last.elements[:3] if self._last else ()

    async def _settled(self, before: Observation) -> Observation:
        """The page, once nothing in it changes and nothing that matters is under way."""
        from playwright.async_api import Error

        loop = asyncio.get_running_loop()
        end = loop.time() + MOST_SETTLING
        last = ""
        while loop.time() < end:
            await asyncio.sleep(QUIET_SECONDS)
            tab = self._alive().front
            if tab is None or tab.problem:
                break
            try:
                pulse = await reading.ask(tab.page, "pulse", self._settings.timeout)
            except (Error, TimeoutError):
                break  # reading says what is wrong
            if pulse == last and not tab.loading and not pulse.endswith("loading"):
                break
            last = pulse
        while True:
            tab = self._alive().front
            same = tab is not None and tab.id == before.tab
            self._last = await self._read(before.cursor if same else 0, before.document)
            if self._alive().front in (tab, None):  # or a popup has come in front meanwhile
                return self._last

    async def _read(self, cursor: int, document: str = "") -> Observation:
        """Read the tab in front. A cursor for another ``document`` than named is not used."""
        from playwright.async_api import Error

        tabs = self._alive()
        tab = tabs.front or await tabs.new()
        if not tab.problem:
            most = self._settings.most_elements
            first = cursor // most * most
            try:
                read = await self._reader.read(tab.page, first + most)
            except (Error, TimeoutError) as error:
                self._alive()
                tab.silent = True
                if not tab.problem:
                    return self._unreadable(tab, self._redactor.text(explain_silence(error)))
            else:
                tab.silent = False
                self._frames = list(read.frames)
                if document and read.document != document:
                    cursor, first = 0, 0
                return reading.observation(
                    read,
                    self._redactor.text(tab.page.url),
                    self._listed(),
                    tab.id,
                    cursor,
                    first,
                    self._settings.budget,
                )
        return self._unreadable(tab, tab.problem)

    def _unreadable(self, tab: Opened, why: str) -> Observation:
        self._frames = []
        url = BLANK if tab.page.is_closed() else tab.page.url
        return Observation(
            url=self._redactor.text(url),
            tabs=self._listed(),
            tab=tab.id,
            problem=why,
            text=f"({why} Go to another address, or use another tab.)",
            hash=f"unreadable: {why}",
        )

    def _listed(self) -> tuple[Tab, ...]:
        assert self._tabs
        return tuple(Tab(tab.id, self._redactor.text(tab.page.url)) for tab in self._tabs.open)


def _stored(path: Path | None) -> Any:
    """What Playwright is given of an earlier session; None without a readable file."""
    try:
        return json.loads(path.read_bytes()) if path else None
    except (OSError, ValueError):
        return None


def explain_silence(error: Exception) -> str:
    """Why a page could not be read."""
    if "crashed" in str(error):
        return "The page crashed."
    if isinstance(error, TimeoutError) or "Timeout" in str(error):
        return "The page does not answer."
    return f"The page cannot be read: {str(error).splitlines()[0][:200]}."

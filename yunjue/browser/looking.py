"""Looks at the tab in front, once its page has come to rest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from yunjue.browser import reading
from yunjue.browser.doing import BLANK
from yunjue.browser.tabs import Opened, Tabs
from yunjue.browser.types import BrowserSettings, Observation, Tab
from yunjue.redaction import Redactor

if TYPE_CHECKING:
    from playwright import async_api as pw

QUIET_SECONDS = 0.06
"""A page is at rest when nothing in it changes for that long."""
MOST_SETTLING = 2.0
"""Seconds after which a page that never rests is read as it is."""


class Eyes:
    """Reads what is in front.

    Attributes:
        frames: of the page that was read last; its elements name them by index.
    """

    def __init__(self, settings: BrowserSettings, tabs: Tabs, redactor: Redactor) -> None:
        self.frames: list[pw.Frame] = []
        self._settings, self._tabs, self._redactor = settings, tabs, redactor
        self._reader = reading.Reader(settings.timeout, redactor)

    async def settled(self, before: Observation) -> Observation:
        """The page, once nothing in it changes and nothing that matters is under way."""
        from playwright.async_api import Error

        loop = asyncio.get_running_loop()
        end = loop.time() + MOST_SETTLING
        last = ""
        while loop.time() < end:
            await asyncio.sleep(QUIET_SECONDS)
            tab = self._tabs.front
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
            tab = self._tabs.front
            same = tab is not None and tab.id == before.tab
            seen = await self.read(before.cursor if same else 0, before.document)
            if self._tabs.front in (tab, None):  # or a popup has come in front meanwhile
                return seen

    async def read(self, cursor: int, document: str = "") -> Observation:
        """Read the tab in front. A cursor for another ``document`` than named is not used."""
        from playwright.async_api import Error

        tab = self._tabs.front or await self._tabs.new()
        if not tab.problem:
            most = self._settings.most_elements
            first = cursor // most * most
            try:
                read = await self._reader.read(tab.page, first + most)
            except (Error, TimeoutError) as error:
                tab.silent = True
                if not tab.problem:
                    return self._unreadable(tab, self._redactor.text(_silence(error)))
            else:
                tab.silent, tab.title = False, read.title
                self.frames = list(read.frames)
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
        self.frames = []
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
        clean = self._redactor.text
        return tuple(Tab(tab.id, clean(tab.page.url), tab.title) for tab in self._tabs.open)


def _silence(error: Exception) -> str:
    """Why a page could not be read."""
    if "crashed" in str(error):
        return "The page crashed."
    if isinstance(error, TimeoutError) or "Timeout" in str(error):
        return "The page does not answer."
    return f"The page cannot be read: {str(error).splitlines()[0][:200]}."

"""The tabs of a browser, and what pages do by themselves: dialogs, popups, crashes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from yunjue.browser.types import Action, Dialog

if TYPE_CHECKING:
    from playwright import async_api as pw

MOST_TABS = 12
"""Open at a time; what a page opens past it is closed."""
MOST_DIALOGS = 10
"""That a page may open in the course of one action, before it is taken down."""
SLOW_KINDS = frozenset({"document", "xhr", "fetch", "script", "stylesheet", "image"})
"""Requests that are waited for after an action: an icon that has not come yet has no size, and
what has no size is not seen."""
CLOSING_SECONDS = 5.0


@dataclass(slots=True)
class Opened:
    """One tab.

    Attributes:
        problem: why its page is no longer of use; empty while it is.
        title: of its page when it was last read.
        silent: whether its page did not answer when it was last read; it may again.
    """

    id: int
    page: pw.Page
    problem: str = ""
    silent: bool = False
    title: str = ""
    loading: set[pw.Request] = field(default_factory=set)


@dataclass(slots=True)
class Happened:
    """What pages did since it was last taken."""

    dialogs: list[Dialog] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    choosers: int = 0


class Tabs:
    """Follows every page of a context.

    Args:
        on_download: told each file that a page sends.
    """

    def __init__(
        self, context: pw.BrowserContext, on_download: Callable[[pw.Download], None]
    ) -> None:
        self._context = context
        self._on_download = on_download
        self._next = 1
        self._tasks: set[asyncio.Task[None]] = set()
        self._answer: Action | None = None
        self._dialogs = 0
        self.open: list[Opened] = []
        self.front: Opened | None = None
        self.happened = Happened()
        context.on("page", lambda page: self._opened(page))

    def begin(self, action: Action | None) -> None:
        """An action begins; it may say what to do with dialogs."""
        self._answer, self._dialogs = action, 0

    def take(self) -> Happened:
        found, self.happened = self.happened, Happened()
        return found

    def by_id(self, id: int) -> Opened | None:
        return next((tab for tab in self.open if tab.id == id), None)

    async def new(self) -> Opened:
        """Open an empty tab and put it in front."""
        page = await self._context.new_page()
        tab = next(tab for tab in self.open if tab.page is page)
        self.front = tab
        return tab

    async def close(self, tab: Opened) -> None:
        with contextlib.suppress(Exception):  # a page that hangs is left to the browser's end
            async with asyncio.timeout(CLOSING_SECONDS):
                await tab.page.close()
        self._closed(tab)

    async def renew(self, tab: Opened) -> None:
        """Give a tab whose page is of no use any more an empty one; its number stays."""
        old = tab.page
        page = await self._context.new_page()
        made = next(one for one in self.open if one.page is page)
        self.open.remove(made)
        tab.page, tab.problem, tab.silent, tab.loading = page, "", False, made.loading
        self._listen(tab)
        self.front = tab
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSING_SECONDS):
                await old.close()

    async def end(self) -> None:
        """Stop what still runs on behalf of pages."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _opened(self, page: pw.Page) -> None:
        if len(self.open) >= MOST_TABS:
            self.happened.notes.append(f"a tab beyond {MOST_TABS} was closed")
            self._later(page.close())
            return
        tab = Opened(self._next, page)
        self._next += 1
        self.open.append(tab)
        self._listen(tab)
        self.front = tab

    def _listen(self, tab: Opened) -> None:
        page = tab.page

        def about(happens: Callable[[], None]) -> Callable[..., None]:
            """Only while the tab still shows this page."""

            def handler(*_: object) -> None:
                if tab.page is page:
                    happens()

            return handler

        def crashed() -> None:
            tab.problem = "The page crashed."

        # Playwright writes attributes on handlers, which methods of built-ins do not take.
        page.on("dialog", lambda dialog: self._later(self._on_dialog(tab, page, dialog)))
        page.on("crash", about(crashed))
        page.on("close", about(lambda: self._closed(tab)))
        page.on("download", lambda one: self._on_download(one))
        page.on("filechooser", lambda one: self._on_chooser(one))
        page.on("request", lambda one: one.resource_type in SLOW_KINDS and tab.loading.add(one))
        page.on("requestfinished", lambda one: tab.loading.discard(one))
        page.on("requestfailed", lambda one: tab.loading.discard(one))

    def _on_chooser(self, _: pw.FileChooser) -> None:
        self.happened.choosers += 1

    async def _on_dialog(self, tab: Opened, page: pw.Page, dialog: pw.Dialog) -> None:
        asked, self._dialogs = self._answer, self._dialogs + 1
        leaving = dialog.type == "beforeunload"  # it asks whether we really want to leave
        accept = leaving or bool(asked and asked.dialog == "accept")
        with contextlib.suppress(Exception):  # the page may be gone by now
            if self._dialogs > MOST_DIALOGS and not tab.problem:
                tab.problem = "The page opened dialogs without end."
                await page.close()
                return
            if len(self.happened.dialogs) < MOST_DIALOGS:
                outcome = "accepted" if accept else "dismissed"
                self.happened.dialogs.append(Dialog(dialog.type, dialog.message[:500], outcome))
            if accept:
                await dialog.accept((asked.reply if asked else None) or dialog.default_value)
            else:
                await dialog.dismiss()

    def _closed(self, tab: Opened) -> None:
        if tab.problem or tab not in self.open:
            return  # a tab with a problem stays, to say so
        self.open.remove(tab)
        if self.front is tab:
            self.front = self.open[-1] if self.open else None

    def _later(self, work) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

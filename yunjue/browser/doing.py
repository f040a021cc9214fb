"""Carries out one action on the tab in front, with Playwright."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

from yunjue.browser.policy import Policy
from yunjue.browser.reading import ENGINE, ask
from yunjue.browser.tabs import Opened, Tabs
from yunjue.browser.types import Action, ActionInvalid, BrowserSettings, Element

if TYPE_CHECKING:
    from playwright import async_api as pw

BLANK = "about:blank"
_WITHOUT_A_PAGE = ("goto", "new_tab", "close_tab", "switch_tab", "wait", "stop")
_FORMATS = {
    "date": "2024-12-31",
    "time": "23:59",
    "datetime-local": "2024-12-31T23:59",
    "month": "2024-12",
    "week": "2024-W52",
    "color": "#00ff00",
}
"""How the values of such fields are written."""
_STEPS = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}


class Hands:
    """What :meth:`do` needs; ``frame_of`` gives the frame an element was read in."""

    def __init__(self, settings: BrowserSettings, policy: Policy, tabs: Tabs) -> None:
        self._settings, self._policy, self._tabs = settings, policy, tabs
        self._limit = settings.timeout * 1000

    async def do(self, action: Action, element: Element | None, frames: list[pw.Frame]) -> str:
        """Do it. What ``extract`` read, or nothing.

        Args:
            element: the target, as it was last observed.
            frames: of the page, the target's at ``element.frame``.

        Raises:
            ActionInvalid: it could not be done, in words for the model.
            TimeoutError, playwright.async_api.Error: the page did not let it.
        """
        tab = self._tabs.front or await self._tabs.new()
        if (tab.problem or tab.silent) and action.kind not in _WITHOUT_A_PAGE:
            why = tab.problem or "The page does not answer."
            raise ActionInvalid(f"{why} Go somewhere else, or close the tab.")
        if element is not None:
            return await self._on_element(action, element, frames[element.frame])
        if action.kind in ("goto", "new_tab", "close_tab", "switch_tab", "back", "forward"):
            await self._move(action, tab)
            return ""
        if action.kind == "press":
            await tab.page.keyboard.press(action.key or "")
        elif action.kind == "scroll":
            await self._scroll(action, tab.page.main_frame, None)
        elif action.kind == "wait":
            await asyncio.sleep(action.seconds or 0)
        elif action.kind == "extract":
            return await self._extract(frames, "")
        return action.answer or ""

    async def _on_element(self, action: Action, element: Element, frame: pw.Frame) -> str:
        found = frame.locator(f"{ENGINE}=id:{element.id}")
        if not await found.count():
            raise ActionInvalid(f"Element [{element.id}] is gone from the page.")
        if action.kind == "click":
            # As a hand does: what looks otherwise under the mouse has changed before the click.
            await found.hover(timeout=self._limit)
            await found.click(timeout=self._limit, no_wait_after=True)
        elif action.kind == "type":
            await self._type(action, element, found)
        elif action.kind == "select":
            await self._select(action, element, frame, found)
        elif action.kind == "press":
            await found.press(action.key or "", timeout=self._limit, no_wait_after=True)
        elif action.kind == "hover":
            await found.hover(timeout=self._limit)
        elif action.kind == "scroll":
            await self._scroll(action, frame, element)
        elif action.kind == "upload":
            await self._upload(action, element, found)
        elif action.kind == "extract":
            return await self._extract([frame], str(element.id))
        return ""

    async def _type(self, action: Action, element: Element, found: pw.Locator) -> None:
        text = action.text
        if action.secret is not None:
            if action.secret not in self._settings.secrets:
                names = ", ".join(sorted(self._settings.secrets)) or "none"
                raise ActionInvalid(f"There is no secret {action.secret!r}; there are: {names}.")
            text = self._settings.secrets[action.secret]
        await found.fill(text or "", timeout=self._limit)
        formats = [_FORMATS[state] for state in element.states if state in _FORMATS]
        if text and formats and not await found.input_value(timeout=self._limit):
            raise ActionInvalid(f"{element.line()} takes values such as {formats[0]} only.")

    async def _select(
        self, action: Action, element: Element, frame: pw.Frame, found: pw.Locator
    ) -> None:
        wanted = (action.value or "").strip().casefold()
        texts = [one.casefold() for one in element.options]
        if wanted not in texts:  # past the options that are listed
            await found.select_option(label=action.value, timeout=self._limit)
            return
        index = texts.index(wanted)
        if "multiple" not in element.states:
            await found.select_option(index=index, timeout=self._limit)
            return
        answer = await ask(frame, f"chosen:{element.id}", self._settings.timeout)
        chosen = set(json.loads(answer)) ^ {index}
        await found.select_option(index=sorted(chosen), timeout=self._limit)

    async def _scroll(self, action: Action, frame: pw.Frame, element: Element | None) -> None:
        x, y = _STEPS[action.direction or "down"]
        where = json.dumps({"id": element.id if element else 0, "x": x, "y": y})
        if await ask(frame, f"scroll:{where}", self._settings.timeout) != "moved":
            raise ActionInvalid(f"Nothing scrolls further {action.direction}.")

    async def _upload(self, action: Action, element: Element, found: pw.Locator) -> None:
        path = self._settings.files.get(action.file or "")
        if path is None:
            names = ", ".join(sorted(self._settings.files)) or "none"
            raise ActionInvalid(f"There is no file {action.file!r} to upload; given are: {names}.")
        if "click" not in element.actions:  # the field itself
            await found.set_input_files(path, timeout=self._limit)
            return
        page = found.page
        try:
            async with page.expect_file_chooser(timeout=self._limit) as opened:
                await found.click(timeout=self._limit, no_wait_after=True)
            await (await opened.value).set_files(path, timeout=self._limit)
        except Exception as error:
            if "filechooser" not in str(error):
                raise
            raise ActionInvalid(f"{element.line()} does not ask for a file.") from None

    async def _extract(self, frames: list[pw.Frame], which: str) -> str:
        parts = [await ask(one, f"text:{which}", self._settings.timeout) for one in frames]
        text = re.sub(r"[ \t\r\f\v]+", " ", "\n".join(parts))
        text = re.sub(r" ?\n ?", "\n", text)
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    async def _move(self, action: Action, tab: Opened) -> None:
        if action.url and (why := self._policy.why_not_url(action.url)):
            raise ActionInvalid(f"{why}.")
        if action.kind == "goto":
            if tab.problem or tab.silent:  # its process may be of no use to the next page either
                await self._tabs.renew(tab)
            await self.go(tab, action.url or BLANK)
        elif action.kind == "new_tab":
            made = await self._tabs.new()
            if action.url:
                await self.go(made, action.url)
        elif action.kind == "close_tab":
            gone = tab if action.tab is None else self._tabs.by_id(action.tab)
            if gone:
                gone.problem = ""
                await self._tabs.close(gone)
            if not self._tabs.open:
                await self._tabs.new()
        elif action.kind == "switch_tab":
            self._tabs.front = self._tabs.by_id(action.tab or 0) or tab
            if not self._tabs.front.problem:
                await self._tabs.front.page.bring_to_front()
        else:
            await self._history(action, tab.page)

    async def go(self, tab: Opened, url: str) -> None:
        """Open a page that the policy allows in a tab. Raises as :meth:`do`."""
        from playwright.async_api import Error

        limit = self._settings.load_timeout * 1000
        try:
            await tab.page.goto(url, timeout=limit, wait_until="domcontentloaded")
        except Error as error:
            if "Download is starting" not in error.message:
                raise

    async def _history(self, action: Action, page: pw.Page) -> None:
        """One page back or forward; the empty page that every tab begins with does not count."""
        session = await page.context.new_cdp_session(page)
        try:
            known = await session.send("Page.getNavigationHistory")
        finally:
            await session.detach()
        at = known["currentIndex"] + (1 if action.kind == "forward" else -1)
        there = known["entries"][at : at + 1] if at >= 0 else []
        if not there or there[0]["url"] == BLANK:
            raise ActionInvalid(f"There is no page to go {action.kind} to.")
        move = page.go_forward if action.kind == "forward" else page.go_back
        await move(timeout=self._settings.load_timeout * 1000, wait_until="commit")


_REASONS = (
    ("intercepts pointer events", "Something else covers it; close or scroll that first."),
    ("Target crashed", "The page crashed."),
    ("Page crashed", "The page crashed."),
    ("has been closed", "The page was closed."),
    ("ERR_TOO_MANY_REDIRECTS", "The address leads from one redirect to the next without end."),
    ("ERR_NAME_NOT_RESOLVED", "There is no such host."),
    ("ERR_TUNNEL_CONNECTION_FAILED", "The host cannot be reached, or was refused."),
    ("ERR_CONNECTION_REFUSED", "The host cannot be reached."),
    ("ERR_EMPTY_RESPONSE", "The host gave no answer."),
    ("ERR_CERT_", "The host's certificate is not valid."),
    ("ERR_ABORTED", "The page did not load: it was stopped."),
    ("ERR_UNSAFE_REDIRECT", "The address leads to one that pages may not open."),
    ("Malformed value", "The field takes no such value; its state says of which kind it must be."),
    ("Cannot type text into input[type=number]", "The field takes numbers only."),
    ("Unknown key", "There is no such key; keys are such as Enter, Tab, ArrowDown, Control+A."),
    ("did not find some options", "The list has no such option."),
    ("element is not enabled", "It is disabled."),
    ("element is not visible", "It is not visible now."),
    ("element is not stable", "It keeps moving."),
    ("outside of the viewport", "It cannot be brought into view."),
)


def explain(error: Exception, seconds: float) -> str:
    """Why the browser could not do it, without Playwright's log (it may hold what was typed)."""
    said = str(error)
    for sign, why in _REASONS:
        if sign in said:
            return why
    if isinstance(error, TimeoutError) or "Timeout" in said:
        return f"It was not done within {seconds:g} seconds."
    code = re.search(r"net::(ERR_\w+)", said)
    return f"The page did not load ({code[1]})." if code else "The browser could not do it."

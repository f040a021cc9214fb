"""Reads a page, with its frames, as elements; the scripts in ``reader/`` do it inside of each.

They are a Playwright selector engine, which runs in a world of its own: the page's scripts can
neither see nor change it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from yunjue.browser import render
from yunjue.browser.types import Element, Observation, Tab
from yunjue.hashing import content_id
from yunjue.redaction import Redactor

if TYPE_CHECKING:
    from playwright.async_api import Frame, Page, Playwright

ENGINE = "yunjue"
"""Name of the selector engine."""
PARTS = ("numbers", "names", "tree", "engine")
MOST_FRAMES = 20
"""Of one page; what further ones hold is not read."""
MOST_NESTED = 4
"""Frames within frames."""
FRAME_SECONDS, MUTE_SECONDS = 1.0, 0.1
"""That a frame may take; and one that did not answer the last time."""
MAYBE_CUT = 100
"""Characters of a name from which on it may be the beginning of a longer one."""
AFTER_A_FAILURE = 1_000_000
"""Numbers passed over when a page did not answer: it may have given some away."""


async def register(playwright: Playwright) -> None:
    """Make the reader known; before the first page is opened."""
    folder = Path(__file__).with_name("reader")
    parts = [(folder / f"{name}.js").read_text("utf-8") for name in PARTS]
    script = "(() => {\n" + "\n".join(parts) + "})()"
    await playwright.selectors.register(ENGINE, script=script, content_script=True)


async def ask(frame: Page | Frame, question: str, seconds: float) -> str:
    """The reader's answer.

    Raises:
        TimeoutError, playwright.async_api.Error: the page does not answer.
    """
    async with asyncio.timeout(seconds + 0.5):  # also where Playwright itself would wait
        found = frame.locator(f"{ENGINE}={question}")
        return await found.text_content(timeout=seconds * 1000) or ""


@dataclass(frozen=True, slots=True)
class Read:
    """What one reading gave: ``frames[element.frame]`` holds the element."""

    elements: tuple[Element, ...]
    frames: tuple[Frame, ...]
    title: str
    document: str
    cut: bool


class Reader:
    """Reads the pages of one browser; no two elements ever get the same number.

    Args:
        seconds: that a page may take.
    """

    def __init__(self, seconds: float, redactor: Redactor) -> None:
        self._seconds = seconds
        self._redactor = redactor
        self._next = 1
        self._mute: WeakSet[Frame] = WeakSet()

    async def read(self, page: Page, most: int) -> Read:
        """The first ``most`` elements of a page.

        Raises:
            TimeoutError, playwright.async_api.Error: it does not answer.
        """
        frames = [page.main_frame]
        data = await self._ask(page.main_frame, most, self._seconds)
        rows = [self._element(row, 0) for row in data["rows"]]
        elements = await self._with_frames(rows, page.main_frame, frames, most, 1)
        cut = data["cut"] or len(elements) > most
        title = data["title"]
        return Read(tuple(elements[:most]), tuple(frames), title, data["born"], cut)

    async def _ask(self, frame: Frame, most: int, seconds: float) -> dict[str, Any]:
        question = json.dumps({"next": self._next, "most": most})
        try:
            data = json.loads(self._redactor.text(await ask(frame, f"read:{question}", seconds)))
        except BaseException:
            self._next += AFTER_A_FAILURE
            raise
        self._next = data["next"]
        return data

    async def _with_frames(
        self, rows: list[Element], frame: Frame, frames: list[Frame], most: int, nested: int
    ) -> list[Element]:
        """The rows, each frame followed by what it holds."""
        from playwright.async_api import Error

        made: list[Element] = []
        for row in rows:
            made.append(row)
            if row.role != "iframe" or nested > MOST_NESTED or len(frames) > MOST_FRAMES:
                continue
            inner = None
            try:
                inner = await self._frame_of(row, frame)
                if inner is None:
                    continue
                data = await self._ask(inner, most, self._patience(inner))
                self._mute.discard(inner)
            except (Error, TimeoutError):
                if inner:
                    self._mute.add(inner)
                made[-1] = replace(row, states=(*row.states, "unreadable"))
                continue
            frames.append(inner)
            number = len(frames) - 1
            below = [self._element(one, number, row.depth + 1) for one in data["rows"]]
            made += await self._with_frames(below, inner, frames, most, nested + 1)
        return made

    def _patience(self, frame: Frame) -> float:
        """Seconds for a frame: one that did not answer, as those do whose page was refused, is
        not waited for again."""
        return min(self._seconds, FRAME_SECONDS if frame not in self._mute else MUTE_SECONDS)

    async def _frame_of(self, row: Element, frame: Frame) -> Frame | None:
        async with asyncio.timeout(self._seconds + 1):
            handle = await frame.locator(f"{ENGINE}=id:{row.id}").element_handle(
                timeout=self._seconds * 1000
            )
            try:
                return await handle.content_frame()
            finally:
                await handle.dispose()

    def _element(self, row: list[Any], frame: int, depth: int = 0) -> Element:
        id, role, name, deep, value, states, actions, options, href = row
        if self._redactor.forms:
            name, value = (
                self._redactor.end(text) if len(text) >= MAYBE_CUT else text
                for text in (name, value)
            )
        return Element(
            id,
            role,
            name,
            value,
            tuple(states),
            deep + depth,
            tuple(actions),
            tuple(options),
            href,
            frame,
        )


def observation(
    read: Read, url: str, tabs: Sequence[Tab], tab: int, cursor: int, first: int, budget: int
) -> Observation:
    """What is shown of a reading.

    Args:
        cursor: index in the page of the first line to show; past the end it is the last.
        first: index in the page of the first element to list.
        budget: tokens of the text.
    """
    listed = read.elements[first:]
    cursor = max(first, min(cursor, first + len(listed) - 1))
    text, end = render.page(listed, cursor - first, budget)
    more = first + end if end < len(listed) or read.cut else None
    looks = [
        [e.role, e.name, e.value, e.states, e.depth, e.options, e.actions] for e in read.elements
    ]
    return Observation(
        url=url,
        title=read.title,
        tabs=tuple(tabs),
        tab=tab,
        elements=listed,
        text=text,
        first=first,
        cursor=cursor,
        more=more,
        document=read.document,
        hash=content_id([url, read.title, looks]),
        cut=read.cut,
    )

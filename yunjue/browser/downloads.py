"""Files that pages send: kept in one folder, up to a number of bytes."""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from yunjue.browser.types import Download

if TYPE_CHECKING:
    from playwright import async_api as pw

LOOK_SECONDS = 0.05
"""Between two looks at how much has come."""


class Downloads:
    """Watches what comes.

    Args:
        arriving: where the browser writes what is still coming.
        folder: where whole files go; None keeps none.
        most: bytes of all files together.
    """

    def __init__(self, arriving: Path, folder: Path | None, most: int) -> None:
        self._arriving, self._folder, self._most = arriving, folder, most
        self._kept = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._done: list[Download] = []

    def began(self, download: pw.Download) -> None:
        """A page sends a file."""
        task = asyncio.ensure_future(self._follow(download))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finished(self, seconds: float) -> list[Download]:
        """What ended, well or not, since the last call; waits for what is under way."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=seconds)
        found, self._done = self._done, []
        return found

    async def end(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, download: pw.Download) -> None:
        name = safe_name(download.suggested_filename)
        try:
            self._done.append(await self._take(download, name))
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await download.cancel()
            raise
        except Exception as error:  # of Playwright or of the disk
            self._done.append(Download(name, problem=f"failed: {str(error)[:200]}"))

    async def _take(self, download: pw.Download, name: str) -> Download:
        if self._folder is None:
            await download.cancel()
            return Download(name, problem="this run keeps no files")
        ended = asyncio.ensure_future(download.failure())
        while not ended.done():
            if self._kept + self._coming() > self._most:
                await download.cancel()
                await ended
                return self._too_large(name)
            await asyncio.wait([ended], timeout=LOOK_SECONDS)
        if failure := ended.result():
            return Download(name, problem=f"failed: {failure}")
        size = Path(await download.path()).stat().st_size  # noqa: ASYNC240 - it is local
        if self._kept + size > self._most:
            await download.delete()
            return self._too_large(name)
        self._kept += size
        target = _free(self._folder, name)
        await download.save_as(target)
        await download.delete()
        return Download(target.name, str(target), size)

    def _too_large(self, name: str) -> Download:
        problem = f"cancelled: more than {self._most} bytes of downloads in this run"
        return Download(name, problem=problem)

    def _coming(self) -> int:
        size = 0
        for path in self._arriving.rglob("*"):
            with contextlib.suppress(OSError):  # renamed or gone meanwhile
                size += path.stat().st_size
        return size


def safe_name(name: str) -> str:
    """A file name that stays in its folder, from one that a page chose."""
    plain = re.sub(r"[^\w.() -]", "_", Path(name).name).strip(". ")
    return plain[-100:] or "download"


def _free(folder: Path, name: str) -> Path:
    """A path that no file has yet."""
    folder.mkdir(parents=True, exist_ok=True)
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return path

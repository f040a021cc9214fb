"""A real browser, and pages for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import pytest_asyncio

sys.path.append(str(Path(__file__).parent))

from serving import Site

from yunjue.browser.session import open_browser
from yunjue.browser.types import Action, BrowserSettings
from yunjue.errors import BrowserUnavailable


def missing(reason: str) -> None:
    """Skip on a user's machine; in CI a browser that is not there is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


PATIENT = {"timeout": 10.0, "load_timeout": 20.0}
"""For pages that behave: slow machines are slow."""


async def ready(**settings):
    try:
        return await open_browser(BrowserSettings(allow_private=True, **settings))
    except BrowserUnavailable as error:
        missing(error.message)


@pytest.fixture(scope="session")
def served_site():
    """Pages by path: ``site.pages["/"] = html``; served at ``site.base``."""
    made = Site({})
    with made.served():
        yield made


@pytest.fixture
def site(served_site):
    served_site.pages.clear()
    served_site.asked.clear()
    return served_site


@pytest.fixture(scope="session")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(served_site, downloads):
    """One browser for many tests: to start one takes a second."""
    browser = await ready(origins=(served_site.base,), downloads=downloads, **PATIENT)
    yield browser
    await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def driver(shared, site):
    made = Driver(shared, site)
    await made.look()
    yield made
    while len((await made.look()).tabs) > 1:
        await made.do("close_tab")
    await made.goto(site.base + "/empty")


@pytest_asyncio.fixture(loop_scope="session")
async def opened(site, downloads):
    """Makes drivers with browsers of their own that may reach the site."""
    browsers = []

    async def make(**settings):
        given = {"origins": (site.base,), "downloads": downloads, **PATIENT, **settings}
        browsers.append(await ready(**given))
        return Driver(browsers[-1], site)

    yield make
    for browser in browsers:
        await browser.close()


class Driver:
    """A browser on a page of the site, in few words."""

    def __init__(self, browser, site):
        self.browser, self.site, self.seen = browser, site, None

    async def show(self, *html, path="/"):
        """Open a page with this HTML."""
        if html:
            self.site.pages[path] = "<!doctype html>" + "".join(html)
        return await self.goto(self.site.base + path)

    async def goto(self, url):
        self.last = await self.browser.start(url)
        self.seen = self.last.observation
        return self.last

    async def do(self, kind, target=None, **fields):
        """Do it on the element that is, or is named, ``target``."""
        if isinstance(target, str):
            target = self.find(target)
        id = target.id if target is not None else None
        self.last = await self.browser.act(Action(kind=kind, target=id, **fields))
        self.seen = self.last.observation
        return self.last

    async def look(self, cursor=None):
        self.seen = await self.browser.observe(cursor)
        return self.seen

    def find(self, name, role=""):
        found = self.seen.find(name, role)
        assert found, f"no {name!r} in:\n{self.seen.text}"
        return found[0]

    @property
    def text(self):
        return self.seen.text

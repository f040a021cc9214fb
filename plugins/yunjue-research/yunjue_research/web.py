"""Search engines on the web, by key. Off unless ``YUNJUE_RESEARCH_WEB`` names one.

A result is what the engine says of a page; no page is fetched. The key comes from
``yunjue keys set NAME`` or the environment (``NAME_API_KEY``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from yunjue import keys
from yunjue.errors import UsageError

VARIABLE = "YUNJUE_RESEARCH_WEB"
SECONDS = 20.0
MOST_BYTES = 2 << 20
TEXT_CHARS = 1500


class SearchFailed(Exception):
    """One sentence for the model; the key is not in it."""


@dataclass(frozen=True, slots=True)
class Page:
    """What an engine says of a page."""

    address: str
    text: str


@dataclass(frozen=True, slots=True)
class Engine:
    """How an engine is asked.

    Attributes:
        url: where.
        request: (query, number of results, key) -> arguments of httpx's ``request``.
        results: path of members to the list of results.
        address, texts: members of a result.
    """

    url: str
    request: Callable[[str, int, str], dict[str, Any]]
    results: tuple[str, ...]
    address: str
    texts: tuple[str, ...]


ENGINES: Mapping[str, Engine] = {
    "brave": Engine(
        "https://api.search.brave.com/res/v1/web/search",
        lambda query, count, key: {
            "method": "GET",
            "params": {"q": query, "count": count},
            "headers": {"X-Subscription-Token": key},
        },
        ("web", "results"),
        "url",
        ("title", "description"),
    ),
    "serper": Engine(
        "https://google.serper.dev/search",
        lambda query, count, key: {
            "method": "POST",
            "json": {"q": query, "num": count},
            "headers": {"X-API-KEY": key},
        },
        ("organic",),
        "link",
        ("title", "snippet"),
    ),
    "tavily": Engine(
        "https://api.tavily.com/search",
        lambda query, count, key: {
            "method": "POST",
            "json": {"query": query, "max_results": count},
            "headers": {"Authorization": f"Bearer {key}"},
        },
        ("results",),
        "url",
        ("title", "content"),
    ),
}


class WebSearch:
    """One engine with a key.

    Args:
        url: asked instead of the engine's own.
    """

    def __init__(self, engine: Engine, key: str, url: str = "") -> None:
        self._engine, self._key, self._url = engine, key, url or engine.url

    async def search(self, query: str, most: int) -> list[Page]:
        """At most ``most`` results.

        Raises:
            SearchFailed: the engine does not answer, refuses, or says something else.
        """
        import httpx

        asked = self._engine.request(query, most, self._key)
        try:
            async with (
                httpx.AsyncClient(timeout=SECONDS, follow_redirects=False) as client,
                client.stream(url=self._url, **asked) as reply,
            ):
                if reply.status_code != 200:
                    raise SearchFailed(f"The search engine answered {reply.status_code}.")
                data = b""
                async for part in reply.aiter_bytes():
                    data += part
                    if len(data) > MOST_BYTES:
                        raise SearchFailed("The search engine's answer is too long.")
        except httpx.HTTPError as error:
            raise SearchFailed(
                f"The search engine cannot be reached ({type(error).__name__})."
            ) from None
        return self._pages(data)[:most]

    def _pages(self, data: bytes) -> list[Page]:
        import json

        try:
            found = json.loads(data)
            for member in self._engine.results:
                found = found.get(member, {})
            pages = []
            for one in found or []:
                texts = [str(one.get(member) or "") for member in self._engine.texts]
                text = ". ".join(text for text in texts if text)[:TEXT_CHARS]
                pages.append(Page(str(one[self._engine.address])[:500], text))
            return pages
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise SearchFailed("The search engine's answer cannot be read.") from None


def chosen() -> WebSearch | None:
    """The engine that :data:`VARIABLE` names; None if it names none.

    Raises:
        UsageError: there is no such engine, or no key for it.
    """
    name = os.environ.get(VARIABLE, "").strip().lower()
    if not name:
        return None
    if name not in ENGINES:
        raise UsageError(
            f"{VARIABLE} names {name!r}.", hint=f"It can be {', '.join(sorted(ENGINES))}."
        )
    key = keys.stored().get(name) or os.environ.get(f"{name.upper()}_API_KEY", "").strip()
    if not key:
        raise UsageError(
            f"There is no key for {name}.", hint=f"`yunjue keys set {name}` stores one."
        )
    return WebSearch(ENGINES[name], key)

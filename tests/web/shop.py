"""A small shop: search, products, basket, checkout. The same pages as a browser that is not
there (:class:`ShopBrowser`) and as HTML (:func:`served`).

Of the two lamps that the search finds, the first is not what it seems: its page sells a bundle
for 45. The task allows 20, so who takes the first link fails, and whoever sees the page before
does not.
"""

from __future__ import annotations

import copy
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from yunjue.browser.change import difference
from yunjue.browser.render import page as rendered
from yunjue.browser.types import Change, Element, Observation, Tab, Transition
from yunjue.hashing import content_id

ORIGIN = "http://shop.test"
TASK = f"At {ORIGIN} order a blue lamp that costs at most 20."
ACTIONS = {"link": ("click",), "button": ("click",), "textbox": ("click", "type")}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000a49444154789c6360000002000154a24f5d0000000049454e44ae426082"
)


@dataclass
class Shop:
    """Where the visitor is, and what was done."""

    page: str = "home"
    query: str = ""
    basket: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)

    def view(self) -> tuple[str, list[tuple[str, str, str]]]:
        """The title, and (key, role, name) of each element."""
        menu = [("home", "link", "Home"), ("basket", "link", "Basket")]
        return getattr(self, f"_{self.page}")(menu)

    def click(self, key: str) -> None:
        if key in ("home", "basket", "bundle", "lamp", "checkout"):
            self.page = key
        if key == "go":
            self.page = "results"
        if key == "add":
            self.basket.append("bundle, 45" if self.page == "bundle" else "blue lamp, 18")
            self.page = "basket"
        if key == "order":
            self.orders += self.basket
            self.basket = []
            self.page = "thanks"

    def _home(self, menu):
        search = [("q", "textbox", "Search"), ("go", "button", "Go")]
        return "Shop", [*menu, ("t", "text", "Welcome"), *search]

    def _results(self, menu):
        if "lamp" not in self.query:
            return "Results", [*menu, ("t", "text", "Nothing was found")]
        found = [("bundle", "link", "Blue lamp, super deal"), ("lamp", "link", "Blue lamp")]
        return "Results", [*menu, ("t", "text", "2 products"), *found]

    def _bundle(self, menu):
        told = [("t", "heading", "Bundle"), ("p", "text", "Price 45: two lamps and a rug")]
        return "Bundle", [*menu, *told, ("add", "button", "Add to basket")]

    def _lamp(self, menu):
        told = [("t", "heading", "Blue lamp"), ("p", "text", "Price 18")]
        return "Blue lamp", [*menu, *told, ("add", "button", "Add to basket")]

    def _basket(self, menu):
        lines = [(f"b{i}", "text", f"In the basket: {one}") for i, one in enumerate(self.basket)]
        return "Basket", [*menu, *lines, ("checkout", "link", "To the checkout")]

    def _checkout(self, menu):
        lines = [(f"b{i}", "text", f"You order: {one}") for i, one in enumerate(self.basket)]
        return "Checkout", [*menu, *lines, ("order", "button", "Place order")]

    def _thanks(self, menu):
        return "Thank you", [*menu, ("t", "text", f"Ordered: {'; '.join(self.orders)}")]


class ShopBrowser:
    """The shop as a :class:`yunjue.browser.types.Browser`. Ids live as long as a page."""

    def __init__(self, settings=None) -> None:
        self.settings, self.shop, self.closed = settings, Shop(), False
        self._ids: dict[tuple[int, str], int] = {}
        self._document = 1

    async def start(self, url):
        return Transition(_START, True, "", Change(), self.seen())

    async def observe(self, cursor=None):
        return self.seen()

    async def act(self, action):
        before = self.seen()
        problem = self._do(action)
        after = self.seen()
        return Transition(action, not problem, problem, difference(before, after), after)

    async def screenshot(self, path):
        path.write_bytes(PNG)

    async def close(self):
        self.closed = True

    def key(self, id: int) -> str:
        return next((key for (_, key), known in self._ids.items() if known == id), "")

    def target(self, key: str) -> int:
        """Id of the element on the page now."""
        return self._ids[self._document, key]

    def foreseen(self, action) -> Change:
        """What the action would do."""
        twin = copy.deepcopy(self)
        before = twin.seen()
        twin._do(action)
        return difference(before, twin.seen())

    def _do(self, action) -> str:
        page = self.shop.page
        if action.kind == "click":
            self.shop.click(self.key(action.target))
        elif action.kind == "type":
            self.shop.query = action.text
        else:
            return f"{action.kind} is not known here"
        self._document += self.shop.page != page
        return ""

    def seen(self) -> Observation:
        title, view = self.shop.view()
        elements = tuple(
            Element(
                self._ids.setdefault((self._document, key), len(self._ids) + 1),
                role,
                name,
                value=self.shop.query if role == "textbox" else "",
                actions=ACTIONS.get(role, ()),
            )
            for key, role, name in view
        )
        url = f"{ORIGIN}/{self.shop.page}"
        text, _ = rendered(elements, 0, 2000)
        looks = [(one.role, one.name, one.value) for one in elements]
        return Observation(
            url,
            title,
            (Tab(1, url, title),),
            1,
            elements,
            text,
            document=str(self._document),
            hash=content_id([url, title, looks])[:16],
        )


_START = None


@contextmanager
def served():
    """The shop at an address of this machine; gives (address, shop)."""
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            name, _, key = parts.path.strip("/").partition("/")
            if name == "do":
                shop.query = parse_qs(parts.query).get("q", [shop.query])[0]
                shop.click(key)
                self.send_response(303)
                self.send_header("Location", f"/{shop.page}")
                self.end_headers()
                return
            body = _html(shop).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/home", shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _html(shop: Shop) -> str:
    title, view = shop.view()
    parts = []
    for key, role, name in view:
        label = escape(name)
        if role == "link":
            parts.append(f'<p><a href="/do/{key}">{label}</a></p>')
        elif role == "textbox":
            parts.append(f'<form action="/do/go"><input name="q" aria-label="{label}">')
        elif role == "button":
            form = "" if key == "go" else f'<form action="/do/{key}">'
            parts.append(f"{form}<button>{label}</button></form>")
        elif role == "heading":
            parts.append(f"<h1>{label}</h1>")
        else:
            parts.append(f"<p>{label}</p>")
    style = "body{font:18px sans-serif;margin:3em;max-width:32em}"
    return (
        f"<!doctype html><html lang=en><title>{escape(title)}</title>"
        f"<style>{style}</style>{''.join(parts)}</html>"
    )

"""Pages for tests, served on the loopback by a thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def _serving(handler: type[BaseHTTPRequestHandler], address: str) -> Iterator[str]:
    server = ThreadingHTTPServer((address, 0), handler)
    server.daemon_threads = True
    server.block_on_close = False  # some pages never end
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://{address}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def serving_folder(folder: Path):
    """A context with the base address of what is in ``folder``."""

    class Files(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            pass

    return _serving(Files, "127.0.0.1")


class Site:
    """Pages by path: HTML, or a function that answers the request itself.

    Attributes:
        asked: paths in the order in which they were asked for.
    """

    def __init__(self, pages: dict[str, str | Answer]) -> None:
        self.pages, self.asked = pages, []

    @contextlib.contextmanager
    def served(self, address: str = "127.0.0.1") -> Iterator[str]:
        site = self

        class Pages(BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                answer = site.pages.get(self.path.partition("?")[0])
                with contextlib.suppress(ConnectionError):
                    if callable(answer):
                        answer(self)
                    else:
                        page(self, answer, 404 if answer is None else 200)

            def log_message(self, *args):
                pass

        with _serving(Pages, address) as base:
            self.base = base
            yield base


def page(
    handler: BaseHTTPRequestHandler, html: str | None, status: int = 200, kind: str = "text/html"
) -> None:
    data = (html if html is not None else "no such page").encode()
    handler.send_response(status)
    handler.send_header("Content-Type", f"{kind}; charset=utf-8")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from bundle_samples import bundle_of, imported, open_library

from yunjue.bundle.fetch import beside, fetch, shown
from yunjue.errors import BundleRefused, DownloadError, UsageError


class Server:
    """Answers with ``pages``: path -> (status, headers, body)."""

    def __init__(self):
        self.pages = {}
        self.asked = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append(self.path)
                status, headers, body = server.pages.get(self.path.split("?")[0], (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                chunks = [body] if isinstance(body, bytes) else body
                try:
                    for chunk in chunks:
                        self.wfile.write(chunk)
                except OSError:
                    pass  # the client has had enough

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


async def test_import_from_a_url(server, tmp_path):
    server.pages["/b.ytb"] = (200, {}, bundle_of(tmp_path / "theirs"))
    ours = open_library(tmp_path / "ours")
    report = await imported(ours, f"{server.url}/b.ytb?token=secret#x")
    assert report.changed
    assert ours.get("double").origin["imported_from"] == f"{server.url}/b.ytb"
    assert server.asked == ["/b.ytb?token=secret", "/b.ytb.minisig?token=secret"]
    ours.close()


def test_the_signature_beside_it(server, tmp_path):
    server.pages |= {"/b": (200, {}, b"data"), "/b.minisig": (200, {}, b"signed")}
    assert fetch(f"{server.url}/b", tmp_path) == (b"data", b"signed")


def test_redirects_are_followed_a_few_times(server, tmp_path):
    server.pages |= {"/a": (302, {"Location": "/b"}, b""), "/b": (200, {}, b"data")}
    assert fetch(f"{server.url}/a", tmp_path)[0] == b"data"
    server.pages["/b"] = (302, {"Location": "/a"}, b"")
    with pytest.raises(BundleRefused) as refused:
        fetch(f"{server.url}/a", tmp_path)
    assert refused.value.reason == "too-many-redirects"


def test_a_stream_without_end_is_cut(server, tmp_path):
    def endless():
        while True:
            yield bytes(1 << 20)

    server.pages["/b"] = (200, {}, endless())
    with pytest.raises(BundleRefused) as refused:
        fetch(f"{server.url}/b", tmp_path)
    assert refused.value.reason == "too-large"


@pytest.mark.parametrize(
    "where",
    [
        "http://example.com/b.ytb",
        "ftp://example.com/b.ytb",
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
        "http://127.0.0.1.example.com/b",
        "https:///b",
    ],
)
def test_only_https_or_this_machine(where, tmp_path):
    with pytest.raises((UsageError, DownloadError)):
        fetch(where, tmp_path)


def test_this_machine_may_not_send_us_to_plain_http_elsewhere(server, tmp_path):
    server.pages["/a"] = (302, {"Location": "http://example.com/b"}, b"")
    with pytest.raises(UsageError, match="only https"):
        fetch(f"{server.url}/a", tmp_path)


def test_the_web_may_not_send_us_to_this_machine(server):
    from yunjue.bundle.fetch import _check

    assert _check("https://example.com/b", http_allowed=True) is False
    for local in (server.url, "https://localhost/b", "https://[::1]/b"):
        with pytest.raises(UsageError):
            _check(local, http_allowed=False)


def test_what_is_not_there(server, tmp_path):
    with pytest.raises(DownloadError, match="nothing at"):
        fetch(f"{server.url}/none", tmp_path)
    server.pages["/b"] = (500, {}, b"")
    with pytest.raises(DownloadError, match="500"):
        fetch(f"{server.url}/b", tmp_path)
    with pytest.raises(DownloadError, match="cannot be had"):
        fetch("http://127.0.0.1:9/b", tmp_path)


def test_secrets_of_a_url_are_not_shown():
    url = "https://user:password@example.com:8443/a/b.ytb?key=1#x"
    assert shown(url) == "https://example.com:8443/a/b.ytb"
    assert beside("https://e.com/b.ytb?key=1") == "https://e.com/b.ytb.minisig?key=1"

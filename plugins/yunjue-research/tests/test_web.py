"""The search engines against a server of our own."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from yunjue_research import web

from yunjue.errors import UsageError

ANSWERS = {
    "brave": {"web": {"results": [{"url": "https://a", "title": "A", "description": "of a"}]}},
    "serper": {"organic": [{"link": "https://a", "title": "A", "snippet": "of a"}]},
    "tavily": {"results": [{"url": "https://a", "title": "A", "content": "of a"}]},
}


@pytest.fixture
def engine():
    """(address, what was asked, what to answer)."""
    asked, answer = [], {"status": 200, "body": b"{}"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append((self.command, self.path, dict(self.headers), body))
            self.send_response(answer["status"])
            self.end_headers()
            self.wfile.write(answer["body"])

        do_POST = do_GET

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/search", asked, answer
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", sorted(web.ENGINES))
async def test_each_engine_is_asked_in_its_way(engine, name):
    address, asked, answer = engine
    answer["body"] = json.dumps(ANSWERS[name]).encode()
    pages = await web.WebSearch(web.ENGINES[name], "k3y", address).search("polar bears", 3)
    assert pages == [web.Page("https://a", "A. of a")]
    ((method, path, headers, body),) = asked
    assert "k3y" in " ".join(headers.values()) and "k3y" not in path + body.decode()
    assert "polar" in path + body.decode()
    assert method == ("GET" if name == "brave" else "POST")


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, b"", "answered 401"),
        (200, b"<html>", "cannot be read"),
        (200, b'{"results": [1]}', "cannot be read"),
        (200, b" " * (3 << 20), "too long"),
        (302, b"", "answered 302"),
    ],
)
async def test_what_an_engine_does_wrong_is_told(engine, status, body, says):
    address, _, answer = engine
    answer.update(status=status, body=body)
    with pytest.raises(web.SearchFailed, match=says) as failed:
        await web.WebSearch(web.ENGINES["tavily"], "k3y", address).search("bears", 3)
    assert "k3y" not in str(failed.value)


def test_it_is_off_unless_named_and_needs_a_key(monkeypatch):
    assert web.chosen() is None
    monkeypatch.setenv(web.VARIABLE, "altavista")
    with pytest.raises(UsageError, match="altavista"):
        web.chosen()
    monkeypatch.setenv(web.VARIABLE, "brave")
    with pytest.raises(UsageError, match="no key"):
        web.chosen()
    monkeypatch.setenv("BRAVE_API_KEY", "abc")
    assert web.chosen() is not None

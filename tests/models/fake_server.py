"""A small server that speaks HTTP as told, and OpenAI's API if told so."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Request:
    """What the server was asked: ``method``, ``path``, ``headers``, and ``json`` if sent."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.method, self.path, self.headers = handler.command, handler.path, handler.headers
        length = int(handler.headers.get("content-length", 0))
        body = handler.rfile.read(length) if length else b""
        self.json: Any = json.loads(body) if body else None


Answer = Callable[[BaseHTTPRequestHandler, Request], None]


class FakeServer:
    """HTTP on loopback. ``answers`` are used up one a request; the last one stays."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: list[Answer] = []
        self.asked = threading.Event()
        self.stopping = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                request = Request(self)
                if outer.stopping.is_set():  # on a connection that was kept alive
                    self.close_connection = True
                    return
                outer.requests.append(request)
                outer.asked.set()
                answers = outer.answers
                (answers.pop(0) if len(answers) > 1 else answers[0])(self, request)

            do_GET = do_POST = handle_any

            def log_message(self, *args: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: Any) -> None:
                pass  # a client that hangs up is what some tests are about

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()


def send(status: int, body: bytes | dict[str, Any] | list[Any], **headers: str) -> Answer:
    """An answer of this status with JSON or bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(handler: BaseHTTPRequestHandler, request: Request) -> None:
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def chat(text: str, *, finish: str = "stop", prompt: int = 10, reply: int = 5, cached: int = 0):
    """A chat completion."""
    return send(
        200,
        {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4.1-mini",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": finish,
                }
            ],
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": reply,
                "total_tokens": prompt + reply,
                "prompt_tokens_details": {"cached_tokens": cached},
            },
        },
    )


def refuse(status: int, message: str, **headers: str) -> Answer:
    """An error in OpenAI's form."""
    return send(status, {"error": {"message": message, "type": "error"}}, **headers)


def hang(server: FakeServer) -> Answer:
    """Say nothing until the server stops."""
    return lambda handler, request: server.stopping.wait() and None

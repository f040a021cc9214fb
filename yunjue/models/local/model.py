"""An embedded model as a :class:`yunjue.protocols.ChatModel`.

It talks to its server with a thin httpx client of its own: litellm could, but its import
takes 4 to 7 s on two cores where httpx takes 0.25 s, and the embedded model is what people
try first.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import TYPE_CHECKING, Any

from yunjue.errors import ModelError, ModelUnavailable
from yunjue.models.local import catalog, runtime
from yunjue.models.local.pull import Display, pull
from yunjue.models.local.serving import running
from yunjue.types import ModelReply, ModelRequest, Usage

if TYPE_CHECKING:
    import httpx

ANSWER_SECONDS = 900.0
ONE_LINE = {
    "x-guidance": {
        "whitespace_flexible": False,
        "item_separator": ", ",
        "key_separator": ": ",
    }
}
"""For llguidance, the decoder behind the server: small models indent their JSON whatever the
prompt says, and pay up to a third of their tokens for it."""


class LocalModel:
    """The embedded model ``name`` of the catalog; the default one for an empty name.

    The first question starts the server, or uses a running ``yunjue models serve`` of the
    same model; it downloads the weights if they are not there yet.
    """

    supports_schema = True
    parallel = runtime.SLOTS
    context_window = runtime.CONTEXT

    def __init__(self, name: str = "") -> None:
        self.entry = catalog.find(name)
        self.name = f"local/{self.entry.name}"
        self._server: runtime.Server | None = None
        self._client: httpx.AsyncClient | None = None

    async def complete(self, request: ModelRequest) -> ModelReply:
        import httpx

        server = await self._ready()
        if self._client is None:
            # No proxy stands between this process and itself.
            timeout = httpx.Timeout(ANSWER_SECONDS, connect=5.0)
            self._client = httpx.AsyncClient(trust_env=False, timeout=timeout)
        headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
        started = time.perf_counter()
        try:
            answer = await self._client.post(
                f"{server.url}/v1/chat/completions", json=_body(request), headers=headers
            )
        except httpx.HTTPError as error:
            self._server = None  # a served one may have gone; look again
            raise ModelUnavailable(
                f"The server of {self.name} did not answer: {type(error).__name__} {error}".strip(),
                hint="Run the same command again.",
            ) from error
        if answer.status_code != 200:
            raise self._refused(answer)
        try:
            return self._reply(answer.json(), time.perf_counter() - started)
        except (ValueError, LookupError, TypeError) as error:
            raise ModelError(f"The server of {self.name} sent no chat completion.") from error

    async def close(self) -> None:
        """Close the connections; the server lives on for other callers of this process."""
        client, self._client = self._client, None
        if client:
            await client.aclose()

    async def _ready(self) -> runtime.Server:
        if self._server is None:
            given_up = threading.Event()
            try:
                self._server = await asyncio.to_thread(self._find_server, given_up)
            except asyncio.CancelledError:
                given_up.set()  # ends the thread's download at its next step
                raise
        return self._server

    def _find_server(self, given_up: threading.Event) -> runtime.Server:
        served = running()
        if served and served.model == self.entry.name:
            return runtime.Server(served.url)

        def progress(source: str, done: int, total: int) -> None:
            if given_up.is_set():
                raise ModelError("The download of the model was stopped.")
            display(source, done, total)

        display = Display(self.entry)
        return runtime.server(self.entry.name, lambda: pull(self.entry, progress=progress))

    def _refused(self, answer: httpx.Response) -> ModelError:
        try:
            reason = str(answer.json()["error"]["message"])
        except (ValueError, KeyError, TypeError):
            reason = answer.text
        text = f"{self.name} refused the request (HTTP {answer.status_code}): {reason[:300]}"
        return (ModelUnavailable if answer.status_code in (500, 503) else ModelError)(text)

    def _reply(self, answer: dict[str, Any], seconds: float) -> ModelReply:
        choice, used = answer["choices"][0], answer["usage"]
        return ModelReply(
            text=choice["message"].get("content") or "",
            model=self.name,
            usage=Usage(
                prompt_tokens=used["prompt_tokens"],
                completion_tokens=used["completion_tokens"],
                cached_tokens=(used.get("prompt_tokens_details") or {}).get("cached_tokens", 0),
            ),
            seconds=seconds,
            finish="length" if choice["finish_reason"] == "length" else "stop",
        )


def _body(request: ModelRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "messages": [message.model_dump() for message in request.messages],
        "temperature": request.temperature,
        "seed": request.seed,
        "max_tokens": request.max_tokens,
        "cache_prompt": True,
    }
    if request.stop:
        body["stop"] = request.stop
    if request.schema_ is not None:
        # As a grammar, because the server drops ONE_LINE from a response_format.
        from xllamacpp import json_schema_to_grammar

        body["grammar"] = json_schema_to_grammar(json.dumps({**request.schema_, **ONE_LINE}))
    return body

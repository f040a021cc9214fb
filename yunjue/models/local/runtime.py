"""The server of an embedded model: started on first use, one per process and model.

llama.cpp answers the OpenAI API inside this process; all calls share it, and with it the
cache of prompts that makes a repeated prefix cheap.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yunjue.errors import ModelError

SLOTS = 4
"""Requests answered at the same time."""
CONTEXT = 4096
"""Tokens of prompt plus reply, of each slot."""
PROMPT_CACHE_MIB = 1024
START_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers: its address ``http://127.0.0.1:PORT``, and the key it asks
    for (empty if none). ``handle`` keeps an in-process one alive."""

    url: str
    key: str = ""
    handle: Any = field(default=None, repr=False, compare=False)


_servers: dict[str, Server] = {}
_starting = threading.Lock()


def server(name: str, weights: Callable[[], Path]) -> Server:
    """This process's server of the model ``name``, started if there is none yet.

    Blocks for seconds; call it in a thread.

    Args:
        weights: gives the model's file; called only when the server must be started.

    Raises:
        ModelError: llama.cpp cannot load the file.
    """
    with _starting:
        if name not in _servers:
            # Others on this machine can reach the port too: they lack the key.
            _servers[name] = start(name, weights(), key=secrets.token_urlsafe(24))
        return _servers[name]


def start(name: str, weights: Path, *, port: int = 0, key: str = "") -> Server:
    """Load ``weights`` and answer on loopback at ``port`` (0: any free one), until the
    returned server is dropped.

    Raises:
        ModelError: the file cannot be loaded, or the port is taken.
    """
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.api_keys = [key] if key else []
    params.use_jinja = True
    params.n_ctx = SLOTS * CONTEXT
    params.n_parallel = SLOTS
    params.cache_prompt = True
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.endpoint_slots = False  # it would show other callers' prompts
    params.ui = False
    params.cors_origins = "http://127.0.0.1"  # no web page may ask
    params.cors_credentials = False
    params.verbosity = 0
    try:
        with _quiet():
            handle = xllamacpp.Server(params)
        _wait_until_ready(handle.listening_address)
    except Exception as error:
        raise ModelError(
            f"The embedded model {name} cannot be started: {error}",
            hint="Memory may be short (a smaller model may fit), or the port taken.",
        ) from error
    return Server(handle.listening_address, key, handle)


def _wait_until_ready(url: str) -> None:
    import httpx

    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(trust_env=False, timeout=5.0) as client:
        while client.get(f"{url}/health").status_code == 503:
            if time.monotonic() > deadline:
                raise TimeoutError(f"it was not ready after {START_SECONDS:g} s.")
            time.sleep(0.05)


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what native code prints while it loads: stdout may be somebody's JSON.

    No Python thread loses a line, because the loading holds the interpreter's lock.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in kept:
            os.dup2(nowhere, number)
        yield
    finally:
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)

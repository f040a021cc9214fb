"""The state file by which a running ``yunjue models serve`` is found and used."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from yunjue.files import write_whole
from yunjue.models.local.pull import folder


@dataclass(frozen=True, slots=True)
class Served:
    """What the file says: the port on loopback, the process, the embedded model's name."""

    port: int
    pid: int
    model: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def state_file() -> Path:
    return folder() / "serve.json"


def announce(served: Served) -> None:
    """Tell other processes; an older announcement is replaced."""
    write_whole(state_file(), json.dumps(asdict(served)).encode())


def withdraw() -> None:
    """Take this process's announcement back, and no other's."""
    served = _announced()
    if served and served.pid == os.getpid():
        state_file().unlink(missing_ok=True)


def running() -> Served | None:
    """The server that is announced, if it really answers, and with that model."""
    served = _announced()
    return served if served and _answers(served) else None


def _announced() -> Served | None:
    try:
        return Served(**json.loads(state_file().read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _answers(served: Served) -> bool:
    import httpx

    try:
        os.kill(served.pid, 0)
    except (OSError, OverflowError, TypeError):
        return False
    try:
        with httpx.Client(trust_env=False, timeout=2.0) as client:
            models = client.get(f"{served.url}/v1/models").json()["data"]
            return served.model in [model["id"] for model in models]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        return False

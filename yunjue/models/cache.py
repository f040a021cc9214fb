"""Replies on disk, so that a question asked before costs nothing."""

from __future__ import annotations

import json
from pathlib import Path

from yunjue.files import write_whole
from yunjue.hashing import content_id
from yunjue.types import ModelReply, ModelRequest


class ReplyCache:
    """Keeps one file per model and request under ``folder``; many processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, model: str, request: ModelRequest) -> ModelReply | None:
        """The reply kept for this question, at no cost and in no time; None if there is
        none or its file is damaged."""
        try:
            kept = json.loads(self._path(model, request).read_text("utf-8"))
            reply = ModelReply.model_validate(kept)
        except (OSError, ValueError):
            return None
        return reply.model_copy(update={"cost_usd": 0.0, "seconds": 0.0})

    def put(self, model: str, request: ModelRequest, reply: ModelReply) -> None:
        """Keep ``reply``.

        Raises:
            DiskFull: there is no room.
        """
        write_whole(self._path(model, request), reply.model_dump_json().encode())

    def _path(self, model: str, request: ModelRequest) -> Path:
        key = content_id({"model": model, "request": request.model_dump()})
        return self._folder / key[:2] / f"{key}.json"

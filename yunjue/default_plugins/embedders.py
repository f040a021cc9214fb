"""The built-in embedders."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from yunjue.hookspecs import hookimpl

if TYPE_CHECKING:
    from yunjue.config import Settings
    from yunjue.protocols import Embedder


@hookimpl
def register_embedders(register: Callable[[str, Callable[[Settings], Embedder]], None]) -> None:
    register("minilm", _minilm)
    register("sentence-transformers", _sentence_transformers)
    register("litellm", _litellm)
    register("hash", _hash)


def _minilm(settings: Settings) -> Embedder:
    from yunjue.store.embedders.minilm import MiniLM

    return MiniLM()


def _sentence_transformers(settings: Settings) -> Embedder:
    from yunjue.store.embedders.sentence import SentenceTransformersEmbedder

    return SentenceTransformersEmbedder()


def _litellm(settings: Settings) -> Embedder:
    from yunjue.errors import UsageError
    from yunjue.models.litellm_embedder import LitellmEmbedder

    model = settings.embedder.partition("/")[2]
    if not model:
        raise UsageError(
            "The embedder litellm needs a model.",
            hint='For example embedder = "litellm/openai/text-embedding-3-small".',
        )
    return LitellmEmbedder(model)


def _hash(settings: Settings) -> Embedder:
    from yunjue.store.embedders.hashing import HashEmbedder

    return HashEmbedder()

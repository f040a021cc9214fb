"""Any of the embedding models litellm knows, as a :class:`yunjue.protocols.Embedder`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from yunjue.errors import LibraryError, UsageError, YunjueError
from yunjue.keys import key_for
from yunjue.models.litellm_errors import translated
from yunjue.models.litellm_model import load_litellm
from yunjue.models.servers import OLLAMA, base_of, is_loopback

if TYPE_CHECKING:
    import numpy as np

ANSWER_SECONDS = 60.0
_MOST_TEXTS = 128
_LEARN = "dimension"


class LitellmEmbedder:
    """Embeddings from a provider or a server of the user's. Texts leave this machine unless
    the server runs on it.

    Args:
        model: litellm's name, e.g. ``openai/text-embedding-3-small``.
        api_base: address of the server, if not the provider's own or the one that the
            environment names.

    Raises:
        LibraryError: no provider has a model of this name.
    """

    def __init__(self, model: str, api_base: str | None = None) -> None:
        litellm = load_litellm()
        try:
            self._provider = litellm.get_llm_provider(model)[1]
        except litellm.exceptions.BadRequestError:
            raise LibraryError(
                f"No provider has an embedding model {model!r}.",
                hint='Names look like embedder = "litellm/openai/text-embedding-3-small".',
            ) from None
        self.name = f"litellm-{model}"
        self._model = model
        self._api_base = api_base or base_of(self._provider)
        self._dimension = 0

    @property
    def dimension(self) -> int:
        """Length of each vector; learnt at the first use, which asks the provider once.

        Raises:
            LibraryError: it did not answer.
        """
        if not self._dimension:
            self.embed([_LEARN])
        return self._dimension

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """``texts`` -> float32 (len(texts), dimension), rows of unit length.

        Raises:
            LibraryError: the provider failed, or gave a vector without a direction.
        """
        import numpy as np

        rows: list[list[float]] = []
        for start in range(0, len(texts), _MOST_TEXTS):
            rows += self._ask([_sendable(text) for text in texts[start : start + _MOST_TEXTS]])
        if not rows:
            return np.empty((0, self.dimension), dtype=np.float32)
        lengths = {len(row) for row in rows} | ({self._dimension} if self._dimension else set())
        if len(lengths) != 1:
            raise LibraryError(f"{self._model} gave vectors of different lengths.")
        (self._dimension,) = lengths
        vectors = np.array(rows, dtype=np.float32)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(norms).all() and (norms > 1e-6).all()):
            raise LibraryError(f"{self._model} gave a vector without a direction.")
        return vectors / norms

    def _ask(self, texts: list[str]) -> list[list[float]]:
        key: str | None = None
        try:
            key = self._key()
            answer = load_litellm().embedding(
                model=self._model,
                input=texts,
                api_key=key,
                api_base=self._api_base,
                timeout=ANSWER_SECONDS,
                max_retries=0,
                encoding_format="float",
            )
            return _rows(answer, len(texts))
        except YunjueError as error:
            raise LibraryError(error.message, hint=error.hint) from error
        except Exception as error:
            meant = translated(error, self._model, self._provider, key)
            raise LibraryError(meant.message, hint=meant.hint) from None

    def _key(self) -> str | None:
        if key := key_for(self._provider):
            return key
        if self._provider in OLLAMA or (self._api_base and is_loopback(self._api_base)):
            return "none"  # the client library insists on one
        missing = load_litellm().validate_environment(self._model)["missing_keys"]
        if missing:
            raise UsageError(
                f"{self._model} needs {' and '.join(missing)}.",
                hint=f'`yunjue keys set {self._provider}` stores a key; embedder = "minilm" '
                "needs none.",
            )
        return None


def _sendable(text: str) -> str:
    """UTF-8, and not empty: providers refuse that."""
    return text.encode("utf-8", "replace").decode("utf-8").strip() or "-"


def _rows(answer: Any, wanted: int) -> list[list[float]]:
    """The vectors in the order of their texts."""
    try:
        data = [entry if isinstance(entry, dict) else entry.model_dump() for entry in answer.data]
        rows = [entry["embedding"] for entry in sorted(data, key=lambda entry: entry["index"])]
        rows = [[float(part) for part in row] for row in rows]
    except (AttributeError, LookupError, TypeError, ValueError):
        raise LibraryError("The answer holds no embeddings.") from None
    if len(rows) != wanted:
        raise LibraryError(f"The answer holds {len(rows)} embeddings for {wanted} texts.")
    return rows

"""Any sentence-transformers model as the embedder; needs the extra ``st``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from yunjue.errors import DownloadError, LibraryError

if TYPE_CHECKING:
    import numpy as np

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


class SentenceTransformersEmbedder:
    """Embeddings by torch on the CPU.

    Args:
        model: a name on the hub, or a folder with the model.

    Raises:
        LibraryError: sentence-transformers is not installed.
        DownloadError: the model can neither be found nor loaded.
    """

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise LibraryError(
                f"The embedder sentence-transformers is not installed ({error}).",
                hint="pip install 'yunjue[st]' installs it; embedder = \"minilm\" needs no more.",
            ) from error
        try:
            self._model = SentenceTransformer(model, device="cpu")
        except Exception as error:  # hub, disk and torch each raise their own
            raise DownloadError(
                f"The sentence-transformers model {model} cannot be loaded: {error}."
            ) from error
        self.name = f"st-{model}"
        self.dimension = len(self.embed([""])[0])

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """``texts`` -> float32 (len(texts), dimension), rows of unit length.

        Raises:
            LibraryError: the model gave a vector without a direction.
        """
        import numpy as np

        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        vectors = self._model.encode(
            clean, batch_size=32, normalize_embeddings=True, show_progress_bar=False
        )
        vectors = np.asarray(vectors, dtype=np.float32).reshape(len(clean), -1)
        if not np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3):
            raise LibraryError(f"The embedder {self.name} gave a vector without a direction.")
        return vectors

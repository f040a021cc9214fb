"""Vectors without a model: hashed words and character trigrams. For tests and offline use."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class HashEmbedder:
    """Texts that share words or parts of words are close; meaning is not seen.

    Equal on every machine and in every process.
    """

    def __init__(self, dimension: int = 256) -> None:
        self.name = "hash"
        self.dimension = dimension

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """``texts`` -> float32 (len(texts), dimension), rows of unit length, all parts >= 0."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for feature, count in Counter(_features(text)).items():
                # Repetition counts, but less and less. Nothing is subtracted: no zero vectors.
                bucket = zlib.crc32(feature.encode("utf-8", "surrogatepass")) % self.dimension
                row[bucket] += count**0.5
            row /= np.linalg.norm(row)
        return vectors


def _features(text: str) -> Iterator[str]:
    yield ""  # so that an empty text has one, too
    for word in re.findall(r"[^\W_]+", text.casefold()):
        yield word
        padded = f"<{word}>"
        for start in range(len(padded) - 2):
            yield padded[start : start + 3]

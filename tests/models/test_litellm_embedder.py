"""Embeddings through litellm, against a server of our own that speaks OpenAI's API."""

from __future__ import annotations

import numpy as np
import pytest
from fake_server import refuse, send

from yunjue.config import load_settings
from yunjue.errors import LibraryError
from yunjue.models.litellm_embedder import LitellmEmbedder
from yunjue.plugins import plugins

MODEL = "openai/text-embedding-3-small"


def vectors(*rows, shuffled=False):
    data = [
        {"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)
    ]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    body = {"object": "list", "data": data[::-1] if shuffled else data, "model": "m"}
    return send(200, {**body, "usage": usage})


@pytest.fixture
def embedder(server):
    return LitellmEmbedder(MODEL, api_base=server.url)


def test_vectors_come_in_order_and_with_unit_length(server, embedder):
    server.answers = [vectors([3.0, 4.0], [0.0, 2.0], shuffled=True)]
    found = embedder.embed(["a", "\ud800 b"])
    assert found.dtype == np.float32
    assert np.allclose(found, [[0.6, 0.8], [0.0, 1.0]])
    (request,) = server.requests
    assert request.path.endswith("/embeddings")
    assert request.json["input"] == ["a", "? b"]
    assert embedder.dimension == 2
    assert len(server.requests) == 1


def test_the_dimension_is_learnt_once(server, embedder):
    server.answers = [vectors([1.0, 0.0, 0.0])]
    assert (embedder.dimension, embedder.dimension) == (3, 3)
    assert embedder.embed([]).shape == (0, 3)
    assert len(server.requests) == 1


def test_many_texts_go_in_parts(server, embedder):
    server.answers = [vectors(*[[1.0, 0.0]] * 128), vectors([0.0, 1.0])]
    assert embedder.embed(["x"] * 129).shape == (129, 2)
    assert [len(request.json["input"]) for request in server.requests] == [128, 1]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (vectors([0.0, 0.0]), "without a direction"),
        (vectors([1.0], [1.0]), "2 embeddings for 1"),
        (refuse(401, "bad key"), "refused the key"),
        (refuse(500, "out of order"), "failed to answer"),
        (send(200, {"object": "list", "data": [{"index": 0}], "model": "m"}), "embedding"),
    ],
)
def test_failures_are_library_errors(server, embedder, answer, says):
    server.answers = [answer]
    with pytest.raises(LibraryError, match=says):
        embedder.embed(["a"])


def test_vectors_of_another_length(server, embedder):
    server.answers = [vectors([1.0, 0.0]), vectors([1.0])]
    embedder.embed(["a"])
    with pytest.raises(LibraryError, match="different lengths"):
        embedder.embed(["a"])


def test_a_missing_key_and_an_unknown_provider():
    with pytest.raises(LibraryError, match="OPENAI_API_KEY") as caught:
        LitellmEmbedder(MODEL).embed(["a"])
    assert "keys set openai" in caught.value.hint
    with pytest.raises(LibraryError, match="No provider"):
        LitellmEmbedder("nobody-has-this")


def test_it_is_chosen_by_the_setting(server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    settings = load_settings(embedder=f"litellm/{MODEL}")
    chosen = plugins().choose("embedders", "litellm", settings)
    assert isinstance(chosen, LitellmEmbedder)
    assert chosen.name == f"litellm-{MODEL}"


def test_the_library_uses_it_and_searches_by_words_when_it_fails(server, monkeypatch, tmp_path):
    from yunjue.hashing import content_id
    from yunjue.library.open import open_library
    from yunjue.types import Tool, Verdict

    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    warnings: list[str] = []
    settings = load_settings(embedder=f"litellm/{MODEL}", library=tmp_path / "library")
    library = open_library(settings, warnings.append)
    tool = Tool(
        id=content_id("x"),
        name="count_words",
        description="Count words",
        signature="count_words(text: str) -> n: int",
        source="x",
        input_schema={},
        output_schema={},
    )
    library.add(tool, Verdict(tool_id=tool.id, admitted=True, stages=[]))
    server.answers = [vectors([1.0, 0.0])]
    (found,) = library.search("how many words", 3)
    assert found.similarity == pytest.approx(1.0)
    server.answers = [refuse(500, "out of order")]
    (found,) = library.search("count words", 3)
    assert found.similarity is None
    assert "words only" in warnings[-1]
    library.close()

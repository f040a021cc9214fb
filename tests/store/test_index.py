"""The vector index: agrees with the truth, whatever happened to it in between."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from yunjue.errors import LibraryError
from yunjue.store.embedders.hashing import HashEmbedder
from yunjue.store.index import VectorIndex

TEXTS = {
    "1": "count words in a text",
    "2": "days between two dates",
    "3": "greatest common divisor of integers",
    "4": "reverse the characters of a string",
}


class Setup:
    """An index over ``truth``, which the test may change; ``warnings`` are what it said."""

    def __init__(self, folder):
        self.folder = folder
        self.truth = dict(TEXTS)
        self.warnings: list[str] = []

    def open(self, dimension: int = 256) -> VectorIndex:
        embedder = HashEmbedder(dimension)
        return VectorIndex(self.folder, embedder, lambda: self.truth, self.warnings.append)

    def graph_files(self):
        return [path for path in self.folder.rglob("*") if path.suffix in (".bin", ".pickle")]


@pytest.fixture
def setup(tmp_path):
    return Setup(tmp_path / "index")


def test_search_finds_the_closest_first(setup):
    found = setup.open().search("days between dates", 3)
    assert found[0][0] == "2"
    similarities = [similarity for _, similarity in found]
    assert similarities == sorted(similarities, reverse=True)
    assert len(found) == 3
    assert -1.0 <= similarities[-1] <= similarities[0] <= 1.0001
    assert setup.warnings == []


def test_the_same_text_has_similarity_one(setup):
    (tool_id, similarity), *_ = setup.open().search(TEXTS["3"], 1)
    assert tool_id == "3"
    assert similarity == pytest.approx(1.0, abs=1e-5)


def test_more_asked_than_there_is(setup):
    assert len(setup.open().search("text", 100)) == 4
    setup.truth = {}
    assert setup.open().search("text", 3) == []


def test_add(setup):
    index = setup.open()
    assert index.ids() == set(TEXTS)
    setup.truth["5"] = "roman numerals"
    index.add("5")
    assert index.search("roman numerals", 1)[0][0] == "5"
    assert setup.warnings == []


def test_an_expected_tool_is_no_news_at_opening(setup):
    setup.open().ids()
    setup.truth["5"] = "roman numerals"
    setup.open().add("5")
    assert setup.warnings == []


def test_a_lagging_index_is_mended_and_reported(setup):
    setup.open().ids()
    del setup.truth["1"]
    setup.truth |= {"5": "roman numerals", "6": "leap years"}
    index = setup.open()
    assert index.ids() == {"2", "3", "4", "5", "6"}
    assert len(setup.warnings) == 1
    assert "added to it: 2, removed: 1" in setup.warnings[0]
    assert index.search("roman numerals", 1)[0][0] == "5"
    assert "1" not in dict(index.search(TEXTS["1"], 10))


def test_two_open_indexes_see_each_other(setup):
    first, second = setup.open(), setup.open()
    first.ids(), second.ids()
    setup.truth["5"] = "roman numerals"
    first.add("5")
    assert second.search("roman numerals", 1)[0][0] == "5"
    del setup.truth["5"]
    assert second.ids() == first.ids() == set(TEXTS)


def test_more_than_the_graph_keeps_in_its_log(setup):
    setup.truth = {str(number): f"tool about topic{number}" for number in range(350)}
    index = setup.open()
    assert len(index.ids()) == 350
    for number in (0, 149, 349):
        assert index.search(f"tool about topic{number}", 1)[0][0] == str(number)
    assert any(path.suffix == ".pickle" for path in setup.graph_files())
    assert setup.warnings == []


def test_embedders_do_not_mix(setup):
    setup.open(256).ids()
    assert setup.open(64).search("days", 1)[0][0] == "2"
    assert setup.open(256).search("days", 1)[0][0] == "2"
    assert setup.warnings == []


def test_rebuild_of_nothing_and_of_garbage(setup):
    setup.folder.mkdir()
    (setup.folder / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    assert setup.open().rebuild() == 4
    setup.truth = {}
    assert setup.open().rebuild() == 0


def _garbage(path):
    path.write_bytes(b"\x93" * path.stat().st_size)


def _half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", [_garbage, _half], ids=["garbage", "half"])
def test_damaged_rows_are_made_again(setup, damage):
    setup.open().ids()
    damage(setup.folder / "chroma.sqlite3")
    assert setup.open().search("days between dates", 1)[0][0] == "2"
    assert "damaged" in setup.warnings[0]
    assert setup.open().ids() == set(TEXTS)
    assert len(setup.warnings) == 1


@pytest.mark.parametrize("damage", [_garbage, _half, lambda path: path.unlink()])
@pytest.mark.parametrize("name", ["header.bin", "data_level0.bin", "index_metadata.pickle"])
def test_a_damaged_graph_is_made_again(setup, damage, name):
    setup.truth = {str(number): f"tool about topic{number}" for number in range(150)}
    setup.open().ids()
    (path,) = [path for path in setup.graph_files() if path.name == name]
    damage(path)
    assert setup.open().search("tool about topic7", 1)[0][0] == "7"
    assert "damaged" in setup.warnings[0]
    assert len(setup.open().search("tool", 150)) == 150


def test_a_removed_graph_folder(setup):
    setup.open().ids()
    for path in setup.graph_files():
        shutil.rmtree(path.parent, ignore_errors=True)
    assert setup.open().search("days between dates", 1)[0][0] == "2"


def test_a_file_in_its_place(setup):
    setup.folder.write_text("not a folder")
    with pytest.raises(LibraryError, match="index"):
        setup.open().ids()


class Wrong(HashEmbedder):
    def embed(self, texts):
        return np.ones((len(texts), 3), dtype=np.float32)


class Failing(HashEmbedder):
    def embed(self, texts):
        raise ValueError("out of ideas")


@pytest.mark.parametrize(("kind", "says"), [(Wrong, "shape"), (Failing, "out of ideas")])
def test_a_wrong_embedder_is_not_taken_for_damage(setup, kind, says):
    index = VectorIndex(setup.folder, kind(), lambda: TEXTS, setup.warnings.append)
    with pytest.raises(LibraryError, match=says):
        index.ids()
    assert setup.warnings == []
    assert setup.open().ids() == set(TEXTS)


def test_any_name_of_an_embedder_names_a_collection(setup):
    embedder = HashEmbedder()
    embedder.name = "st-/some/Folder ü/model:v1" + "x" * 1000
    index = VectorIndex(setup.folder, embedder, lambda: TEXTS, setup.warnings.append)
    assert index.ids() == set(TEXTS)

"""The vector index: agrees with the truth, whatever happened to it in between."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from yunjue.errors import LibraryError
from yunjue.store import chroma
from yunjue.store.embedders.hashing import HashEmbedder
from yunjue.store.index import VectorIndex
from yunjue.store.marks import read_marks, write_marks
from yunjue.store.truth import Changes

TEXTS = {
    "1": "count words in a text",
    "2": "days between two dates",
    "3": "greatest common divisor of integers",
    "4": "reverse the characters of a string",
}


class FakeTruth:
    """A truth in memory: ``put`` and ``take`` are noted like the changes of a library.

    What is done to ``now`` directly leaves no note, as what a disk or a backup does.
    """

    def __init__(self, texts=TEXTS, name="library"):
        self.name = name
        self.now: dict[str, str] = {}
        self.log: list[str] = []
        self.asked = 0
        for tool_id, text in texts.items():
            self.put(tool_id, text)

    def put(self, tool_id, text):
        self.now[tool_id] = text
        self.log.append(tool_id)

    def take(self, tool_id):
        del self.now[tool_id]
        self.log.append(tool_id)

    def identity(self):
        return self.name

    def changes(self, since, most):
        page = self.log[since : since + most]
        self.asked += len(page)
        texts = {tool_id: self.now[tool_id] for tool_id in page if tool_id in self.now}
        gone = sorted({tool_id for tool_id in page if tool_id not in self.now})
        return Changes(since + len(page), texts, gone, len(page) == most)

    def latest(self):
        return len(self.log)

    def ids(self):
        return len(self.log), set(self.now)

    def count(self):
        return len(self.log), len(self.now)

    def texts(self, ids):
        return {tool_id: self.now[tool_id] for tool_id in ids}


class Setup:
    """An index over ``truth``, which the test may change; ``warnings`` are what it said."""

    def __init__(self, folder):
        self.folder = folder
        self.truth = FakeTruth()
        self.warnings: list[str] = []

    def open(self, dimension: int = 256) -> VectorIndex:
        """As another process would: nothing is open from before."""
        chroma.close(self.folder)
        return self.another(dimension)

    def another(self, dimension: int = 256) -> VectorIndex:
        embedder = HashEmbedder(dimension)
        return VectorIndex(self.folder, embedder, self.truth, self.warnings.append)

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
    for tool_id in TEXTS:
        setup.truth.take(tool_id)
    assert setup.open().search("text", 3) == []


def test_who_asks_for_all_gets_all_even_of_equal_vectors(tmp_path):
    truth = FakeTruth({"other": TEXTS["1"], **{f"t{n:02}": TEXTS["2"] for n in range(60)}})
    index = VectorIndex(tmp_path / "index", HashEmbedder(), truth, lambda message: None)
    found = index.search(TEXTS["2"], 64)
    assert [one for one, _ in found][-1] == "other"
    assert len(found) == 61
    index.close()


def test_add(setup):
    index = setup.open()
    assert index.ids() == set(TEXTS)
    setup.truth.put("5", "roman numerals")
    assert index.search("roman numerals", 1)[0][0] == "5"
    assert setup.warnings == []


def test_a_lagging_index_takes_in_what_changed_and_no_more(setup):
    setup.open().ids()
    setup.truth.take("1")
    setup.truth.put("5", "roman numerals")
    setup.truth.put("6", "leap years")
    index = setup.open()
    before = setup.truth.asked
    assert index.ids() == {"2", "3", "4", "5", "6"}
    assert setup.truth.asked - before == 3
    assert index.search("roman numerals", 1)[0][0] == "5"
    assert setup.truth.asked - before == 3
    assert "1" not in dict(index.search(TEXTS["1"], 10))
    assert setup.warnings == []


def test_what_comes_and_goes_in_between(setup):
    setup.open().ids()
    setup.truth.put("5", "roman numerals")
    setup.truth.take("5")
    setup.truth.take("1")
    setup.truth.put("1", TEXTS["1"])
    assert setup.open().ids() == set(TEXTS)


def test_an_index_that_lost_rows_is_mended_and_reported(setup):
    setup.open().ids()
    setup.truth.now["5"] = setup.truth.now.pop("1")  # a disk or a backup did that
    setup.truth.now["6"] = "leap years"
    assert setup.open().ids() == {"2", "3", "4", "5", "6"}
    assert "added to it: 2, removed: 1" in setup.warnings[0]
    assert setup.open().ids() == {"2", "3", "4", "5", "6"}
    assert len(setup.warnings) == 1


def test_a_library_put_back_from_a_backup(setup):
    setup.truth.put("5", "roman numerals")
    setup.open().ids()
    setup.truth.log.pop()
    del setup.truth.now["5"]
    assert setup.open().ids() == set(TEXTS)


def test_a_library_in_the_place_of_another(setup):
    setup.open().ids()
    setup.truth = FakeTruth({"2": TEXTS["2"], "9": "leap years"}, name="another")
    assert setup.open().ids() == {"2", "9"}
    assert setup.open().search("leap years", 1)[0][0] == "9"


def test_lost_marks_are_no_loss(setup):
    setup.open().ids()
    (setup.folder / "seen.json").write_text("{")
    setup.truth.put("5", "roman numerals")
    assert setup.open().ids() == {*TEXTS, "5"}


def test_two_open_indexes_see_each_other(setup):
    first, second = setup.another(), setup.another()
    first.ids(), second.ids()
    setup.truth.put("5", "roman numerals")
    first.ids()
    assert second.search("roman numerals", 1)[0][0] == "5"
    setup.truth.take("5")
    assert second.ids() == first.ids() == set(TEXTS)
    assert first.rebuild() == 4
    assert second.ids() == set(TEXTS)


def test_an_open_client_serves_until_another_process_writes(setup, monkeypatch):
    opened = []
    real = chroma._open
    monkeypatch.setattr(chroma, "_open", lambda folder: opened.append(1) or real(folder))
    index = setup.open()
    for _ in range(3):
        index.search("days", 1)
    setup.truth.put("5", "roman numerals")
    index.search("days", 1)
    assert len(opened) == 1
    marks = read_marks(setup.folder)
    write_marks(setup.folder, marks)  # what another process does
    index.search("days", 1)
    assert len(opened) == 2


def test_many_tools_are_taken_in_by_pages_and_the_graph_is_written(setup):
    setup.truth = FakeTruth({str(n): f"tool about topic{n}" for n in range(1500)})
    index = setup.open()
    assert index.search("tool about topic1234", 1)[0][0] == "1234"
    assert "1000 tools" in setup.warnings[0] or "1500 tools" in setup.warnings[0]
    assert len(setup.warnings) == 1
    assert read_marks(setup.folder).bulk == ""
    (graph,) = [path for path in setup.graph_files() if path.name == "data_level0.bin"]
    assert graph.stat().st_size > 1400 * 256 * 4  # nearly nothing is left to replay
    assert len(setup.open().ids()) == 1500
    assert setup.open().search("tool about topic7", 1)[0][0] == "7"
    setup.truth.put("last", "roman numerals")
    assert setup.open().search("roman numerals", 1)[0][0] == "last"
    assert len(setup.warnings) == 1


def test_a_build_that_was_killed_goes_on(setup):
    setup.truth = FakeTruth({str(n): f"tool about topic{n}" for n in range(1200)})
    index = setup.open()
    embed, calls = index._embedder.embed, []

    def failing(texts):
        calls.append(len(texts))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return embed(texts)

    index._embedder.embed = failing
    with pytest.raises(KeyboardInterrupt):
        index.ids()
    before = setup.truth.asked
    assert len(setup.open().ids()) == 1200
    assert len(setup.warnings) == 1, setup.warnings
    assert setup.truth.asked - before < 1200  # pages that were finished stay
    assert read_marks(setup.folder).bulk == ""


def test_more_than_the_graph_keeps_in_its_log(setup):
    setup.truth = FakeTruth({str(number): f"tool about topic{number}" for number in range(350)})
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
    setup.truth = FakeTruth({})
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
    setup.truth = FakeTruth({str(number): f"tool about topic{number}" for number in range(150)})
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
    index = VectorIndex(setup.folder, kind(), FakeTruth(), setup.warnings.append)
    with pytest.raises(LibraryError, match=says):
        index.ids()
    assert setup.warnings == []
    assert setup.open().ids() == set(TEXTS)


def test_an_embedder_that_fails_in_the_middle_costs_nothing_that_was_done(setup):
    setup.truth = FakeTruth({str(n): f"tool about topic{n}" for n in range(400)})
    index = setup.open()
    embed = index._embedder.embed
    index._embedder.embed = lambda texts: embed(texts) if len(texts) == 256 else 1 / 0
    with pytest.raises(LibraryError, match="ZeroDivisionError"):
        index.ids()
    assert len(setup.open().ids()) == 400
    assert setup.warnings == []


def test_the_collections_of_other_embedders_can_go(setup):
    setup.open(64).ids()
    index = setup.open(256)
    assert index.ids() == set(TEXTS)
    assert index.unused() == (4 * 64 * 4, ["tools-hash-64"])
    assert index.drop_unused() == 4 * 64 * 4
    assert setup.open(256).unused() == (0, [])
    assert setup.open(64).search("days", 1)[0][0] == "2"


def test_any_name_of_an_embedder_names_a_collection(setup):
    embedder = HashEmbedder()
    embedder.name = "st-/some/Folder ü/model:v1" + "x" * 1000
    index = VectorIndex(setup.folder, embedder, FakeTruth(), setup.warnings.append)
    assert index.ids() == set(TEXTS)

"""What says the same becomes one: within a batch, and with the bank."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from principle_samples import draft, gateway, judge, open_bank

from yunjue.errors import LibraryError
from yunjue.principles.integrate import NEAREST, SIMILAR, collapsed, integrate
from yunjue.store.embedders.hashing import HashEmbedder

A, B, C = "Sort the dates first.", "Order all dates at the start.", "Dates want sorting."


def test_the_papers_numbers():
    assert (NEAREST, SIMILAR) == (3, 0.85)


@pytest.fixture
def bank(tmp_path):
    opened = open_bank(tmp_path)
    yield opened
    opened.close()


class Vectors:
    """Gives each sentence the vector that a test names; equal for what it does not name."""

    def __init__(self, **cosines: float) -> None:
        """``cosines``: of each named sentence with the sentence "query"."""
        self.name, self.dimension = "vectors", 2
        self.angles = {name: float(np.arccos(cosine)) for name, cosine in cosines.items()}
        self.angles["query"] = 0.0

    def embed(self, texts):
        angles = [self.angles[text] for text in texts]
        return np.array([[np.cos(a), np.sin(a)] for a in angles], dtype=np.float32)


def sentences(opened):
    return sorted(one.sentence for one in opened.bank().some(opened.bank().ids()))


async def test_a_chain_collapses_to_its_first(bank):
    """A = B and B = C, but the model does not call A and C the same: one component."""
    asked, _ = gateway(judge((A, B), (B, C)))
    batch = [draft(A, run="r1"), draft(B, run="r2"), draft(C, run="r3")]
    (one,) = await bank.integrate(batch, asked)
    assert one.draft.sentence == A
    assert sentences(bank) == [A]
    found = bank.get(one.kept[0].id)
    assert [learnt.run for learnt in found.evidence] == ["r1", "r2", "r3"]


async def test_the_last_can_join_two_components():
    async def same(one, other):
        return {one, other} in ({A, C}, {B, C})

    (one,) = await collapsed([draft(A, run="1"), draft(B, run="2"), draft(C, run="3")], same)
    assert one.sentence == A and len(one.evidence) == 3


async def test_only_one_task_and_kind_is_compared(bank):
    asked, model = gateway(judge((A, B)))
    for other in (draft(B, kind="cautionary"), draft(B, task="another")):
        assert len(await collapsed([draft(A), other], pytest.fail)) == 2
    await bank.integrate([draft(A), draft(B, kind="cautionary")], asked)
    assert sentences(bank) == sorted([A, B])
    assert model.requests == []


async def test_equal_texts_merge_without_the_model(bank):
    asked, model = gateway([])
    batch = [draft(A, run="1"), draft("sort  THE dates first", run="2")]
    (one,) = await bank.integrate(batch, asked)
    (again,) = await bank.integrate([draft(A, run="3", task="another")], asked)
    assert again.kept[0].id == one.kept[0].id and not again.kept[0].new
    assert len(bank.get(one.kept[0].id).evidence) == 3
    assert model.requests == []


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8))
async def test_components_are_those_of_the_graph(edges):
    names = [f"Lesson {number} of all." for number in range(7)]
    pairs = {frozenset((names[a], names[b])) for a, b in edges}
    asked = []

    async def same(one, other):
        asked.append(frozenset((one, other)))
        return frozenset((one, other)) in pairs

    left = await collapsed([draft(name, run=f"r{n}") for n, name in enumerate(names)], same)
    reached = {name: {name} for name in names}
    for _ in names:
        for pair in pairs:
            joined = set().union(*(reached[name] for name in pair))
            for name in joined:
                reached[name] = joined
    components = {min(group, key=names.index) for group in map(frozenset, reached.values())}
    assert {one.sentence for one in left} == components
    assert sum(len(one.evidence) for one in left) == 7
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(("cosine", "is_asked"), [(0.86, True), (0.84, False), (-0.9, False)])
async def test_the_model_is_asked_from_0_85_on(tmp_path, cosine, is_asked):
    opened = open_bank(tmp_path, lambda: Vectors(known=cosine))
    opened.keep(draft("known"))
    asked, model = gateway(judge(("known", "query")))
    await opened.integrate([draft("query")], asked)
    assert bool(model.requests) is is_asked
    assert sentences(opened) == (["known"] if is_asked else ["known", "query"])
    opened.close()


async def test_it_is_linked_to_each_of_the_nearest_three_that_say_the_same(tmp_path):
    close = {"one": 0.99, "two": 0.97, "three": 0.95, "four": 0.93}
    opened = open_bank(tmp_path, lambda: Vectors(**close, other=0.999))
    ids = {name: opened.keep(draft(name))[0].id for name in close}
    opened.keep(draft("other", kind="cautionary"))
    asked, model = gateway(judge(("one", "query"), ("three", "query"), ("four", "query")))
    (one,) = await opened.integrate([draft("query", run="new")], asked)
    assert [kept.id for kept in one.kept] == [ids["one"], ids["three"]]
    assert len(model.requests) == 3  # neither the fourth nor the other kind
    for name in close:
        runs = [learnt.run for learnt in opened.get(ids[name]).evidence]
        assert ("new" in runs) is (name in ("one", "three"))
    opened.close()


async def test_many_of_the_other_kind_do_not_hide_the_nearest(tmp_path):
    opened = open_bank(tmp_path, lambda: Vectors(known=0.9, **{f"w{n}": 0.95 for n in range(40)}))
    opened.keep(draft("known"))
    for number in range(40):
        opened.keep(draft(f"w{number}", kind="cautionary"))
    assert [one for _, one in opened.nearest("query", "guiding", 3, 0.85)] == ["known"]
    opened.close()


async def test_a_pruned_one_is_no_neighbour_but_its_text_still_merges(bank):
    (kept,) = bank.keep(draft(A))
    bank.bank().set_status(kept.id, "pruned", "")
    assert bank.nearest(A, "guiding", 3, 0.0) == []
    asked, _ = gateway([])
    (one,) = await bank.integrate([draft(A, run="again")], asked)
    assert [each.id for each in one.kept] == [kept.id]
    assert bank.get(kept.id).status == "pruned"


class Failing(HashEmbedder):
    def embed(self, texts):
        raise RuntimeError("no memory")


class Short(HashEmbedder):
    def embed(self, texts):
        return super().embed(texts)[:, :100]


class Zero(HashEmbedder):
    def embed(self, texts):
        return np.zeros((len(texts), self.dimension), dtype=np.float32)


class Nan(HashEmbedder):
    def embed(self, texts):
        return np.full((len(texts), self.dimension), np.nan, dtype=np.float32)


@pytest.mark.parametrize(
    ("embedder", "words"),
    [(Failing, "no memory"), (Short, "shape"), (Zero, "direction"), (Nan, "direction")],
)
async def test_a_failed_embedding_is_an_error(tmp_path, embedder, words):
    opened = open_bank(tmp_path, embedder)
    asked, _ = gateway([])
    with pytest.raises(LibraryError, match=words):
        await opened.integrate([draft(A)], asked)
    assert opened.bank().ids(status=None) == []
    opened.keep(draft(A))
    with pytest.raises(LibraryError, match=words):
        opened.search(A)
    opened.close()


async def test_a_model_that_fails_leaves_what_was_integrated(tmp_path):
    opened = open_bank(tmp_path, lambda: Vectors(known=0.99, query=1.0, far=-1.0))
    opened.keep(draft("known"))
    asked, _ = gateway(["neither yes nor no"] * 3)
    with pytest.raises(Exception, match="no usable JSON"):
        await integrate([draft("far"), draft("query", task="2")], opened, asked)
    assert sentences(opened) == ["far", "known"]
    opened.close()

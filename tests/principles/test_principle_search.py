"""Finding principles: nearest first, conflicts together, within a budget, and no writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from principle_samples import draft, open_bank
from test_principle_integrate import Vectors

from yunjue.principles.credit import Outcome
from yunjue.principles.shown import Found, together, within
from yunjue.principles.types import Principle, Scope


def opened_with(tmp_path, cosines, **kinds):
    opened = open_bank(tmp_path, lambda: Vectors(**cosines))
    ids = {
        name: opened.keep(draft(name, kind=kinds.get(name, "guiding")))[0].id for name in cosines
    }
    return opened, ids


def names(found):
    return [one.principle.sentence for one in found]


def test_a_bank_that_is_not_there_is_empty_and_stays_so(tmp_path):
    opened = open_bank(tmp_path, pytest.fail)
    assert opened.search("anything") == []
    assert opened.run_finished("r") == [] and opened.check() == []
    opened.close()
    assert list(tmp_path.iterdir()) == []


def test_the_nearest_three_with_score_sentence_and_triples(tmp_path):
    cosines = {"a": 0.1, "b": 0.8, "c": 0.6, "d": 0.7}
    opened, ids = opened_with(tmp_path, cosines)
    opened.record_use("r", ids["b"], Outcome("success"))
    found = opened.search("query")
    assert names(found) == ["b", "d", "c"]
    assert found[0].similarity == pytest.approx(0.8, abs=1e-4)
    assert "0.67" in found[0].text and "b" in found[0].text
    assert names(opened.search("query", 1)) == ["b"] and opened.search("query", 0) == []
    assert names(opened.search("query", 9, min_similarity=0.65)) == ["b", "d"]
    opened.close()


def test_the_text_has_the_triples(tmp_path):
    opened = open_bank(tmp_path)
    opened.keep(draft("Sort the dates first.", triples=(("dates", "need", "sorting"),)))
    (found,) = opened.search("dates")
    assert found.text == "[guiding, score 0.50] Sort the dates first. (dates - need - sorting)"
    opened.close()


def test_domains(tmp_path):
    opened = open_bank(tmp_path)
    for sentence, domain in (("Dates one.", "dates"), ("Dates two.", "text"), ("Dates three.", "")):
        opened.keep(draft(sentence, scope=Scope(domain=domain)))
    assert set(names(opened.search("dates", 9, domain="dates"))) == {"Dates one.", "Dates three."}
    assert len(opened.search("dates", 9)) == 3
    opened.close()


def test_a_rare_domain_is_found_behind_many_others(tmp_path):
    opened = open_bank(tmp_path)
    for number in range(60):
        opened.keep(draft(f"Sort dates {number}.", scope=Scope(domain="dates")))
    opened.keep(draft("Strip spaces off words.", scope=Scope(domain="text")))
    assert names(opened.search("sort dates", 1, domain="text")) == ["Strip spaces off words."]
    opened.close()


def test_retrieval_changes_nothing(tmp_path):
    opened, ids = opened_with(tmp_path, {"a": 0.9, "b": 0.5})
    for number in range(9):
        opened.record_use(f"r{number}", ids["a"], Outcome("failure"))
    opened.search("query")
    before = list(opened._database._db.conn.iterdump())
    for _ in range(5):
        assert names(opened.search("query")) == ["a", "b"]  # a bad score is shown, not deleted
    assert list(opened._database._db.conn.iterdump()) == before
    opened.close()


def test_a_conflict_stands_together_and_the_better_evidenced_first(tmp_path):
    # "no" is beyond k, and nearly the same as "yes": cosine 0.985.
    cosines = {"yes": 0.9, "no": 0.81, "other": 0.85, "far": 0.1}
    opened, ids = opened_with(tmp_path, cosines, no="cautionary", far="cautionary")
    found = opened.search("query", 2)
    assert names(found)[:2] == ["yes", "no"]
    assert found[0].conflicts_with == ids["no"] and found[1].conflicts_with == ids["yes"]
    assert found[1].similarity is None and "otherwise" in found[1].text
    for number in range(3):
        opened.record_use(f"r{number}", ids["no"], Outcome("success"))
    assert names(opened.search("query", 1)) == ["no", "yes"]
    opened.bank().pin(ids["yes"], True)
    assert names(opened.search("query", 1)) == ["yes", "no"]
    opened.close()


def test_what_is_less_alike_is_no_conflict(tmp_path):
    opened, _ = opened_with(tmp_path, {"yes": 0.9, "no": 0.5}, no="cautionary")
    assert [one.conflicts_with for one in opened.search("query", 2)] == ["", ""]
    opened.close()


def test_a_budget_counts_characters_and_keeps_pairs_whole(tmp_path):
    opened, _ = opened_with(tmp_path, {"yes": 0.9, "no": 0.85, "far": 0.1}, no="cautionary")
    every = opened.search("query", 3)
    size = sum(len(one.text) + 1 for one in every)
    assert opened.search("query", 3, size) == every
    assert names(opened.search("query", 3, size - 1)) == ["yes", "no"]
    pair = sum(len(one.text) + 1 for one in every[:2])
    assert names(opened.search("query", 3, pair - 1)) == ["far"]
    assert opened.search("query", 3, 0) == []
    opened.close()


def test_pruned_and_edited_ones(tmp_path):
    opened, ids = opened_with(tmp_path, {"a": 0.9, "b": 0.5})
    opened.bank().set_status(ids["a"], "pruned", "")
    assert names(opened.search("query")) == ["b"]
    opened.bank().set_status(ids["a"], "active", "")
    assert names(opened.search("query")) == ["a", "b"]
    opened.bank().edit(ids["b"], sentence="query")
    assert names(opened.search("query")) == ["query", "a"]
    opened.close()


def test_the_index_may_be_lost(tmp_path):
    import shutil

    opened, _ = opened_with(tmp_path, {"a": 0.9, "b": 0.5})
    assert names(opened.search("query")) == ["a", "b"]
    opened.close()
    shutil.rmtree(tmp_path / "principles" / "index")
    assert names(opened.search("query")) == ["a", "b"]
    opened.close()


def test_rows_that_the_index_lost_come_back(tmp_path):
    from yunjue.store import chroma

    opened, ids = opened_with(tmp_path, {"a": 0.9, "b": 0.5})
    opened.search("query")
    folder = tmp_path / "principles" / "index"
    (collection,) = chroma.collections(folder)
    collection.delete(ids=[ids["a"]])
    opened.close()
    opened = open_bank(tmp_path, lambda: Vectors(a=0.9, b=0.5))
    assert names(opened.search("query")) == ["a", "b"]
    opened.close()


def test_many_runs_are_better_evidence_than_a_high_score(tmp_path):
    opened, ids = opened_with(tmp_path, {"old": 0.9, "new": 0.88}, old="cautionary")
    for number in range(8):
        won = Outcome("success" if number < 4 else "failure")
        opened.record_use(f"r{number}", ids["old"], won)
    opened.record_use("r0", ids["new"], Outcome("success"))
    found = opened.search("query", 1)
    assert names(found) == ["old", "new"]
    assert found[0].principle.score < found[1].principle.score
    opened.close()


def principle(name: str, kind: str) -> Principle:
    return Principle(
        id=name, kind=kind, sentence=name, triples=(), scope=Scope(), evidence=(), succ=0, use=0,
        pinned=False, author="model", status="active", created="",
    )  # fmt: skip


@given(
    st.lists(st.sampled_from("abcdef"), unique=True),
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("uvw")),
    st.integers(0, 400),
)
def test_nothing_stands_twice_and_the_budget_holds(near, pairs, budget):
    known = {name: principle(name, "guiding") for name in "abcdef"}
    known |= {name: principle(name, "cautionary") for name in "uvw"}
    groups = together([(name, 0.9) for name in near], pairs, known)
    shown = [one.principle.id for group in groups for one in group]
    assert len(shown) == len(set(shown)) and set(near) <= set(shown)
    fitting: list[Found] = within(groups, budget)
    assert sum(len(one.text) + 1 for one in fitting) <= budget
    ids = {one.principle.id for one in fitting}
    assert all(one.conflicts_with in ("", *ids) for one in fitting)

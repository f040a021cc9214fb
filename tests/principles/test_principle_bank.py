"""Rows: counts, pruning, status, and many processes."""

from __future__ import annotations

import multiprocessing
import sqlite3

import pytest
from principle_samples import draft, open_bank
from test_principle_score import PAPER

from yunjue.errors import DatabaseDamaged, LibraryError, UnknownPrincipleError, UsageError
from yunjue.principles.bank import PRUNE_EVERY
from yunjue.principles.credit import Failure, Outcome
from yunjue.principles.types import Scope, Use

WON, LOST = Outcome("success"), Outcome("failure")


@pytest.fixture
def bank(tmp_path):
    opened = open_bank(tmp_path)
    yield opened.bank()
    opened.close()


def put(bank, sentence="Sort the dates first.", **more) -> str:
    (kept,) = bank.keep(draft(sentence, **more))
    return kept.id


def use(bank, one, succ, uses):
    for number in range(uses):
        bank.record_use(f"run-{number}", one, WON if number < succ else LOST)


@pytest.mark.parametrize(("counts", "value", "kept"), PAPER)
def test_the_papers_table_in_rows(bank, counts, value, kept):
    one = put(bank)
    use(bank, one, *counts)
    found = bank.get(one)
    assert (found.succ, found.use) == counts
    assert found.score == pytest.approx(value, abs=5e-5)
    assert bank.failing() == ([] if kept else [one])
    assert bank.prune() == ([] if kept else [one])
    assert bank.get(one).status == ("active" if kept else "pruned")


def test_exactly_0_3_is_kept(bank):
    one = put(bank)
    use(bank, one, 2, 8)
    assert bank.get(one).score == 0.3
    assert bank.prune() == []


def test_a_run_counts_once(bank):
    one = put(bank)
    for _ in range(3):
        bank.record_use("r", one, WON)
    assert (bank.get(one).succ, bank.get(one).use) == (1, 1)
    bank.record_use("r", one, LOST)  # it was resumed, and ended otherwise
    assert (bank.get(one).succ, bank.get(one).use) == (0, 1)


def test_an_unrelated_failure_is_no_use_of_a_warning(bank):
    scope = Scope(tools=("day_gap",), errors=("input_error",))
    one = put(bank, kind="cautionary", scope=scope)
    assert bank.record_use("r1", one, Outcome("failure", (Failure("mean", "timeout"),))) == "none"
    assert bank.get(one).use == 0 and bank.get(one).score == 0.5
    failed = Outcome("failure", (Failure("day_gap", "input_error"),))
    assert bank.record_use("r2", one, failed) == "failure"
    assert bank.get(one).score == pytest.approx(1 / 3)


def test_pinned_ones_are_never_pruned_and_pruning_can_be_undone(bank):
    bad, pinned = put(bank, "One."), put(bank, "Two.")
    bank.pin(pinned, True)
    for one in (bad, pinned):
        use(bank, one, 0, 5)
    assert bank.prune() == [bad]
    assert bank.ids() == [pinned] and bank.ids(status="pruned") == [bad]
    bank.set_status(bad, "active", "by hand")
    assert set(bank.ids()) == {bad, pinned}
    assert bank.get(bad).use == 5
    assert [change["what"] for change in bank.changes(bad)] == ["added", "pruned", "restored"]


def test_pruning_comes_at_intervals(bank):
    one = put(bank)
    use(bank, one, 0, 5)
    for number in range(PRUNE_EVERY - 1):
        assert bank.run_finished(f"run-{number}") == []
        assert bank.run_finished(f"run-{number}") == []  # resumed: it finished once
    assert bank.get(one).status == "active"
    assert bank.run_finished("the last") == [one]


def test_equal_texts_are_one_and_have_the_runs_of_both(bank):
    one = put(bank, "Sort the dates first.", run="r1", uses=(Use(run="u1", credit="failure"),))
    uses = (Use(run="u1", credit="failure"), Use(run="u2", credit="failure"))
    (again,) = bank.keep(draft("sort  the DATES first", run="r2", uses=uses))
    assert (again.id, again.new) == (one, False)
    found = bank.get(one)
    assert [learnt.run for learnt in found.evidence] == ["r1", "r2"]
    assert found.use == 2 and found.score == 0.25  # a merge refreshes counts and score
    assert put(bank, "Sort the dates first.", kind="cautionary") != one


def test_a_draft_is_linked_to_every_match(bank):
    one, two, gone = put(bank, "One."), put(bank, "Two."), put(bank, "Three.")
    bank.set_status(gone, "pruned", "")
    kept = bank.keep(draft("Four.", run="r9"), [one, two, gone])
    assert [(each.id, each.new) for each in kept] == [(one, False), (two, False)]
    for each in (one, two):
        assert [learnt.run for learnt in bank.get(each).evidence] == ["r1", "r9"]
    assert [learnt.run for learnt in bank.get(gone).evidence] == ["r1"]
    assert len(bank.ids(status=None)) == 3


def test_what_a_person_wrote_keeps_its_scope(bank):
    scope = Scope(domain="dates")
    model = put(bank, "One.", scope=scope)
    person = put(bank, "Two.", scope=scope, author="person")
    other = draft("Three.", scope=Scope(domain="text", tools=("mean",)))
    bank.keep(other, [model, person])
    assert bank.get(model).scope == Scope(tools=("mean",))
    assert bank.get(person).scope == scope


def test_editing(bank):
    one, two = put(bank, "One."), put(bank, "Two.")
    use(bank, one, 1, 3)
    bank.edit(one, sentence="Another.", triples=(("a", "b", "c"),), scope=Scope(domain="x"))
    found = bank.get(one)
    assert (found.sentence, found.author, found.use) == ("Another.", "person", 3)
    assert found.triples == (("a", "b", "c"),) and found.scope.domain == "x"
    with pytest.raises(UsageError, match=two):
        bank.edit(one, sentence="two")
    bank.edit(one, sentence="another")  # its own words in another case


def test_ids_by_their_start(bank):
    one = put(bank)
    assert bank.get(one[:6]).id == one
    for wrong in ("", "zz", one + "0"):
        with pytest.raises(UnknownPrincipleError):
            bank.get(wrong)
    with pytest.raises(UnknownPrincipleError):
        bank.record_use("r", "nothing", WON)


def test_a_failed_change_changes_nothing(bank):
    good, bad = draft("One."), draft("Two.")
    object.__setattr__(bad, "kind", "neither")
    with pytest.raises(LibraryError):
        bank.keep_all([(good, "", False, "active"), (bad, "", False, "active")], "")
    assert bank.ids(status=None) == []


def test_a_damaged_file_says_so(tmp_path):
    folder = tmp_path / "principles"
    folder.mkdir()
    (folder / "principles.db").write_bytes(b"no database" * 1000)
    with pytest.raises(DatabaseDamaged, match=r"principles\.db"):
        open_bank(tmp_path).bank()


def test_a_bank_of_a_newer_version_is_refused(tmp_path):
    opened = open_bank(tmp_path)
    opened.bank()
    opened.close()
    with sqlite3.connect(tmp_path / "principles" / "principles.db") as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES "
            "('yunjue.principles', 'm999_future', '')"
        )
    with pytest.raises(LibraryError, match="m999_future"):
        open_bank(tmp_path).bank()


def write_many(folder, name):
    opened = open_bank(folder)
    bank = opened.bank()
    for number in range(25):
        bank.keep(draft(f"Lesson {number} of all.", run=f"{name}-{number}"))
        (one,) = bank.keep(draft("The common lesson.", run=f"{name}-{number}"))
        bank.record_use(f"{name}-{number}", one.id, WON)
    opened.close()


def test_two_processes_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=write_many, args=(tmp_path, name)) for name in "ab"]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
        assert child.exitcode == 0
    opened = open_bank(tmp_path)
    found = {one.sentence: one for one in opened.bank().some(opened.bank().ids())}
    assert len(found) == 26
    assert found["The common lesson."].use == 50
    assert {len(one.evidence) for name, one in found.items() if "of all" in name} == {2}
    assert opened.check() == []
    opened.close()

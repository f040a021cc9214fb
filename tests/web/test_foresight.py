"""What is foreseen, what becomes of the page, and how it agrees with what happens."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import validate

from yunjue.browser.types import Change, Element, Observation, Update
from yunjue.web.calibration import COIN, POOR, Calibration, Prediction, weighed, weight_of
from yunjue.web.facts import Agreement, agreement
from yunjue.web.foresight import apply_change, foreseen, foresight_schema

PAGE = Observation(
    "https://a.test/list",
    "List",
    elements=(Element(1, "text", "Two"), Element(2, "textbox", "Name"), Element(5, "link", "On")),
)
SAID = {"sort": "part", "url": "", "title": "", "new": [], "deleted": [], "updated": []}


def test_a_part_of_the_page_changes():
    said = {
        **SAID,
        "new": [{"role": "button", "name": "Go"}],
        "deleted": [1, 77],
        "updated": [{"id": 2, "name": "", "value": "Ada"}, {"id": 1, "name": "x", "value": ""}],
    }
    change = foreseen(PAGE, said)
    after = apply_change(PAGE, change)
    assert [(one.id, one.role, one.name, one.value) for one in after.elements] == [
        (2, "textbox", "Name", "Ada"),
        (5, "link", "On", ""),
        (6, "button", "Go", ""),
    ]
    assert after.element(6).actions == ("click",)


def test_a_new_page_takes_the_place_of_all():
    said = {**SAID, "sort": "new_page", "url": "https://a.test/b", "title": "B"}
    after = apply_change(PAGE, foreseen(PAGE, {**said, "new": [{"role": "text", "name": "b"}]}))
    assert (after.url, after.title) == ("https://a.test/b", "B")
    assert [one.name for one in after.elements] == ["b"]


def test_the_schema_names_only_elements_that_are_there():
    schema = foresight_schema(PAGE)
    validate({**SAID, "deleted": [5]}, schema)
    with pytest.raises(Exception, match="4 is not one of"):
        validate({**SAID, "deleted": [4]}, schema)


def test_agreement_counts_facts_whatever_the_ids():
    actual = Change(
        new=(Element(8, "text", "Done"), Element(9, "link", "Home")),
        updated=(Update(PAGE.elements[1], Element(2, "textbox", "Name", "Ada", ("focused",))),),
        url=("https://a.test/list", "https://a.test/end?x=1"),
    )
    said = Change(
        new=(Element(6, "text", "done "),),
        updated=(Update(PAGE.elements[1], Element(2, "textbox", "Name", "Ada")),),
        url=("https://a.test/list", "https://a.test/end"),
    )
    found = agreement(said, actual)
    assert found == Agreement(hits=3, foreseen=3, actual=4)
    assert (found.precision, found.recall) == (1.0, 0.75)


def test_to_foresee_that_nothing_happens_can_be_right_and_wrong():
    nothing = Change()
    something = Change(new=(Element(1, "text", "x"),))
    assert agreement(nothing, nothing).f1 == 1
    assert agreement(nothing, something).f1 == agreement(something, nothing).f1 == 0


def test_poor_imagination_cannot_change_the_choice():
    assert weighed(POOR, 1.0, default=False) <= weighed(POOR, 0.0, default=True)
    assert weighed(0.4, 1.0, default=False) > weighed(0.4, 0.0, default=True)
    assert weighed(0.73, 0.75, default=False) > weighed(0.73, 0.5, default=True)
    assert weighed(0.52, 0.75, default=False) < weighed(0.52, 0.5, default=True)


@given(st.floats(0, 1), st.floats(0, 1))
def test_with_full_trust_the_score_decides_and_with_none_the_default(one, other):
    assert weighed(1.0, one, default=False) == one
    assert weighed(0.0, one, default=False) < weighed(0.0, other, default=True)


def test_the_weight_falls_with_wrong_predictions_and_a_bad_critic():
    assert weight_of(0.0, 0, 1, None) == pytest.approx(0.73)
    assert weight_of(0.0, 6, 1, None) < POOR
    assert weight_of(95.0, 100, 1, None) > 0.9
    assert weight_of(95.0, 100, 1, COIN) == weight_of(95.0, 100, 1, 0.05)
    assert weight_of(95.0, 100, 1, 1.0) == 0


def test_the_file_keeps_one_pair_a_step_and_judges_models_apart(tmp_path):
    right, wrong = Agreement(2, 2, 2), Agreement(0, 1, 3)
    with closing(Calibration(tmp_path / "c.sqlite")) as kept:
        for _ in range(2):
            kept.add(Prediction("r", 1, 1, "click", "good", right))
        kept.add(Prediction("r", 2, 1, "type", "good", wrong))
        kept.add(Prediction("r", 1, 1, "click", "good", right))
        for step in range(6):
            kept.add(Prediction("s", step, 1, "click", "bad", wrong))
            kept.score("s", step, "critic", 0.75)
        assert kept.brier("critic") == (None, 0)  # nothing is known of the outcome yet
        kept.ended("s", solved=False)
        assert kept.brier("critic") == (0.75**2, 6)
        rows = {(row["model"], row["kind"]): row for row in kept.table()}
        assert rows["good", "click"]["predictions"] == 1
        assert rows["good", "type"]["f1"] == 0
        good, bad = (kept.weight(model, "nobody", 1)["weight"] for model in ("good", "bad"))
        assert bad < POOR < good
        assert kept.weight("bad", "critic", 1)["weight"] < bad

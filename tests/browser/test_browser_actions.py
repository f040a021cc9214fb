"""Actions that models write: what is taken, what is refused, and with which words."""

from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.browser.actions import FIELDS, action_schema, problem, read_action
from yunjue.browser.types import Action, ActionInvalid, Element, Observation, Tab

BUTTON = Element(3, "button", "Buy", actions=("click",))
FIELD = Element(4, "textbox", "Name", actions=("click", "type"))
LIST = Element(5, "combobox", "Size", actions=("select",), options=("S", "M"))
OFF = Element(6, "button", "Pay", states=("disabled",))
TEXT = Element(7, "text", "Welcome")
PAGE = Observation(
    "http://shop.example/",
    tabs=(Tab(1, "http://shop.example/"), Tab(2, "http://other.example/")),
    tab=1,
    elements=(BUTTON, FIELD, LIST, OFF, TEXT),
)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("click 3", "An action is an object"),
        ({}, "kind is None; it must be one of: click"),
        ({"kind": "clik"}, "kind is 'clik'"),
        ({"kind": "click"}, "click needs target"),
        ({"kind": "click", "target": "3"}, "target is '3', not a number"),
        ({"kind": "click", "target": True}, "target is True, not a number"),
        ({"kind": "back", "target": 3}, "back has no 'target' (it takes no fields)"),
        ({"kind": "type", "target": 3}, "either text or secret"),
        ({"kind": "type", "target": 3, "text": "a", "secret": "b"}, "either text or secret"),
        ({"kind": "scroll", "direction": "in"}, "must be one of: up, down, left, right"),
        ({"kind": "wait", "seconds": 60}, "not a number from 0 to 10"),
        ({"kind": "wait", "seconds": float("nan")}, "not a number from 0 to 10"),
        ({"kind": "stop", "answer": "x" * 20_000}, "longer than 10000 characters"),
        ({"kind": "scroll", "target": "x"}, "scroll needs direction; target is 'x'"),
    ],
)
def test_what_is_wrong_is_said_in_full(data, said):
    with pytest.raises(ActionInvalid) as raised:
        Action.from_dict(data)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Action(kind="click", target=9), "no element [9]"),
        (Action(kind="click", target=6), "[6] button 'Pay' disabled is disabled"),
        (Action(kind="type", target=3, text="x"), "possible on: [4] textbox 'Name'"),
        (Action(kind="select", target=5, value="XL"), "it has: 'S', 'M'"),
        (Action(kind="switch_tab", tab=7), "no tab 7; open are: 1, 2"),
    ],
)
def test_what_does_not_fit_the_page_is_said(action, said):
    assert said in problem(action, PAGE)


def test_what_fits_has_no_problem():
    for action in (
        Action(kind="click", target=7),  # text may react to clicks, too
        Action(kind="type", target=4, text=""),
        Action(kind="select", target=5, value="m "),
        Action(kind="extract"),
    ):
        assert problem(action, PAGE) == ""


def test_the_schema_offers_what_fits_and_no_more():
    schema = action_schema(PAGE, secrets=["mail"], files=[])
    kinds = {one["properties"]["kind"]["const"] for one in schema["anyOf"]}
    assert kinds == set(FIELDS) - {"upload"}
    for wanted, valid in [
        ({"kind": "click", "target": 3}, True),
        ({"kind": "click", "target": 7}, False),
        ({"kind": "click", "target": 6}, False),
        ({"kind": "type", "target": 4, "text": "x"}, True),
        ({"kind": "type", "target": 4, "secret": "mail"}, True),
        ({"kind": "type", "target": 4, "secret": "other"}, False),
        ({"kind": "type", "target": 4}, False),
        ({"kind": "type", "target": 4, "text": "x", "secret": "mail"}, False),
        ({"kind": "switch_tab", "tab": 1}, False),
        ({"kind": "switch_tab", "tab": 2}, True),
        ({"kind": "wait", "seconds": 11}, False),
    ]:
        assert jsonschema.Draft202012Validator(schema).is_valid(wanted) is valid, wanted


def test_an_empty_page_still_has_a_schema():
    schema = action_schema(Observation("about:blank"), ["click", "goto", "stop"])
    assert [one["properties"]["kind"]["const"] for one in schema["anyOf"]] == ["goto", "stop"]


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
names = st.sampled_from(sorted({name for both in FIELDS.values() for one in both for name in one}))


@given(json | st.fixed_dictionaries({"kind": st.sampled_from(list(FIELDS))}, optional={}))
def test_whatever_a_model_writes_is_read_or_refused(data):
    try:
        action = read_action(data)
    except ActionInvalid as invalid:
        assert str(invalid)
    else:
        assert Action.from_dict(action.to_dict()) == action


@given(st.sampled_from(list(FIELDS)), st.dictionaries(names, json))
def test_whatever_fields_it_fills(kind, fields):
    try:
        action = read_action({"kind": kind, **fields})
    except ActionInvalid:
        return
    assert Action.from_dict(action.to_dict()) == action
    assert isinstance(problem(action, PAGE), str)

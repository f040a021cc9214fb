"""What is found to be different between two observations."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from yunjue.browser.change import difference
from yunjue.browser.types import (
    Action,
    Change,
    Dialog,
    Download,
    Element,
    Observation,
    Tab,
    Transition,
)


def page(*elements, **fields):
    return Observation("http://a.example/", elements=elements, **fields)


def test_new_deleted_and_updated():
    kept, gone = Element(1, "text", "Total: 1"), Element(2, "button", "Add")
    change = difference(
        page(kept, gone), page(Element(1, "text", "Total: 2"), Element(3, "link", "Pay"))
    )
    assert [one.id for one in change.new] == [3]
    assert [one.id for one in change.deleted] == [2]
    assert [(pair.before.name, pair.after.name) for pair in change.updated] == [
        ("Total: 1", "Total: 2")
    ]
    assert (change.text_removed, change.text_added) == (("Total: 1",), ("Total: 2",))


def test_what_is_drawn_anew_is_no_change():
    before = page(Element(1, "button", "Add"), Element(2, "button", "Add"))
    assert not difference(before, page(Element(8, "button", "Add"), Element(9, "button", "Add")))


def test_what_is_drawn_anew_with_another_state_is_an_update():
    change = difference(
        page(Element(1, "checkbox", "News")), page(Element(9, "checkbox", "News", "", ("checked",)))
    )
    assert not change.new and not change.deleted
    assert change.updated[0].after.states == ("checked",)


def test_place_and_tabs():
    before = page(tabs=(Tab(1, "http://a.example/"),), tab=1, title="A")
    after = Observation(
        "http://b.example/",
        title="B",
        tabs=(Tab(1, "http://a.example/"), Tab(2, "http://b.example/")),
        tab=2,
    )
    change = difference(before, after)
    assert change.url == ("http://a.example/", "http://b.example/")
    assert change.title == ("A", "B") and change.tab == (1, 2)
    assert [tab.id for tab in change.tabs_opened] == [2]
    assert [tab.id for tab in difference(after, before).tabs_closed] == [2]


elements = st.lists(
    st.builds(
        Element,
        id=st.integers(1, 30),
        role=st.sampled_from(["text", "button", "link"]),
        name=st.text(max_size=3),
        states=st.sampled_from([(), ("checked",)]),
    ),
    max_size=15,
    unique_by=lambda one: one.id,
)


@given(elements, elements)
def test_every_element_is_accounted_for(before, after):
    change = difference(page(*before), page(*after))
    left = {one.id for one in before} - {one.id for one in change.deleted}
    came = {one.id for one in after} - {one.id for one in change.new}
    assert len(left) == len(came)
    assert not {one.id for one in change.new} & {one.id for one in before}
    assert not difference(page(*after), page(*after))
    assert json.loads(json.dumps(change.to_dict())) == change.to_dict()
    assert Change.from_dict(json.loads(json.dumps(change.to_dict()))) == change


def test_a_transition_goes_to_json_and_back():
    after = page(
        Element(5, "combobox", "Size", "M", ("required",), 2, ("select",), ("S", "M"), "", 1),
        tabs=(Tab(1, "http://a.example/", "A"),),
        tab=1,
        text="[5] combobox",
        more=1,
    )
    change = difference(
        page(),
        after,
        dialogs=[Dialog("alert", "hi", "dismissed")],
        downloads=[Download("a.csv", "/x/a.csv", 3)],
        refused=["no"],
    )
    made = Transition(Action(kind="click", target=5), True, "", change, after)
    assert Transition.from_dict(json.loads(json.dumps(made.to_dict()))) == made

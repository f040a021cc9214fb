"""Lines of text: one an element, whole, and within the budget."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yunjue.browser.render import change_lines, page
from yunjue.browser.types import Change, Element, Observation


def test_a_line_says_all_and_stays_one_line():
    element = Element(
        7, "combobox", "It's\n'new'", "M", ("required",), 1, ("select",), ("S", "M"), "/x"
    )
    assert element.line() == ("[7] combobox 'It\\'s \\'new\\'' value='M' required options='S', 'M'")


@given(
    st.lists(
        st.builds(
            Element,
            id=st.integers(1, 999),
            role=st.just("text"),
            name=st.text(max_size=80),
            depth=st.integers(0, 40),
        ),
        min_size=1,
        max_size=40,
    ),
    st.integers(10, 200),
)
def test_all_pages_together_show_every_element_once(elements, budget):
    cursor = count = 0
    while cursor < len(elements):
        text, end = page(elements, cursor, budget)
        assert len(text) <= budget * 4
        assert end > cursor  # it never stands still
        count += len(text.split("\n"))
        cursor = end
    assert count == len(elements)


def test_find_puts_equal_names_and_what_can_be_used_first():
    seen = Observation(
        "u",
        elements=(
            Element(1, "text", "Add to basket"),
            Element(2, "button", "Add to basket now", actions=("click",)),
            Element(3, "button", "Add", actions=("click",)),
        ),
    )
    assert [one.id for one in seen.find("add")] == [3, 2, 1]
    assert [one.id for one in seen.find("add", "text")] == [1]


def test_a_long_change_is_cut_and_says_so():
    change = Change(new=tuple(Element(n, "text", str(n)) for n in range(100)))
    lines = change_lines(change, 10)
    assert len(lines) == 10 and lines[-1] == "and 91 more"

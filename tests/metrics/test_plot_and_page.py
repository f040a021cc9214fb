"""Curves in plain characters and the page."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from metric_samples import ALONE, EVIL, HAND, STARTED, STEPS

from yunjue.metrics.page import page
from yunjue.metrics.plot import HEIGHT, plot
from yunjue.metrics.record import History, StepRecord, TaskRecord
from yunjue.metrics.report import report

PAST = History((*HAND, *ALONE), tuple(STEPS))


@given(
    st.lists(st.none() | st.floats(0, 1e6), max_size=300),
    st.integers(1, 200),
)
def test_a_plot_fits_its_width(values, width):
    drawn = plot("title", "tasks", values, width).splitlines()
    if all(value is None for value in values):
        assert drawn == ["title: not defined yet"]
        return
    assert len(drawn) == HEIGHT + 2
    assert all(len(line) <= max(width, 22) for line in drawn[1:])
    assert all(line.isascii() for line in drawn)


def test_a_plot_shows_where_the_curve_is():
    drawn = plot("L", "tasks", [None, 9.0, 4.5, 0.0], 80).splitlines()[1:-1]
    columns = [
        next((row for row, line in enumerate(drawn) if line[12 + x : 13 + x] == "*"), None)
        for x in range(4)
    ]
    assert columns == [None, 0, 4, 9]
    assert drawn[0].split("|")[0].strip() == "9" and drawn[-1].split("|")[0].strip() == "0"


class Reader(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "data")]

    def handle_data(self, data):
        self.text += data


def test_every_text_is_escaped_and_nothing_is_fetched():
    past = History(
        (
            *HAND,
            TaskRecord(EVIL, 0, 0, EVIL, domain=EVIL, status=EVIL),
            TaskRecord("evolve", 3, 9, "x", domain=EVIL, roles={EVIL: 3}),
        ),
        tuple(STEPS),
    )
    text = page(EVIL, {**STARTED, EVIL: EVIL}, report(past, 2), past)
    read = Reader(text)
    assert "script" not in read.tags and read.addresses == []
    assert read.text.count(EVIL) >= 6
    assert "<script" not in text and "http:" not in text and "https:" not in text
    assert "url(" not in text


def test_the_page_has_the_numbers():
    read = Reader(page("one", STARTED, report(PAST), PAST))
    assert read.tags.count("svg") == read.tags.count("polyline") == 2
    for text in ("EGL x1000", "300.00", "Stop: not converged", "again", "batch_size: 2"):
        assert text in read.text


def test_a_page_of_nothing():
    past = History()
    read = Reader(page("none", {}, report(past), past))
    assert read.text.count("Not defined yet.") == 2 and "svg" not in read.tags


def test_a_long_curve_is_thinned_and_keeps_its_end():
    tasks = tuple(TaskRecord("evolve", 1, i, "", made=int(i == 0), calls=1) for i in range(3500))
    text = page("long", {}, report(History(tasks)), History(tasks, (StepRecord(1, 1),)))
    points = text.split('points="')[1].split('"')[0].split()
    assert len(points) <= 1001 and points[-1].startswith("640.0,")

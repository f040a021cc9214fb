from __future__ import annotations

import pytest

from yunjue.agent.grounding import fixed_values, free_numbers, made_up

TASK = "Convert 234632 from base 7 to base 3. The network is 10.1.0.0/23, at -12.5 degrees."


@pytest.mark.parametrize(
    "inputs",
    [
        {"number": "234632"},
        {"number": 234632.0, "scale": 99},
        {"network": "10.1.0.0/23"},
        {"latitude": -12.5},
        {"values": [1, 7]},
        {"point": "[-12.5, 88.8]"},
        {"nested": {"a": 3}},
    ],
)
def test_inputs_that_stand_in_the_task_are_grounded(inputs):
    assert not made_up(inputs, [TASK])


@pytest.mark.parametrize(
    "inputs", [{"number": 1979}, {"text": "unrelated"}, {"flag": True}, {"text": ""}, {"x": None}]
)
def test_inputs_that_stand_nowhere_are_made_up(inputs):
    assert made_up(inputs, ["Which number is the Roman numeral MCMLXXIX?"])


def test_numbers_with_separators_are_found():
    assert not made_up({"amount": 1500}, ["1,500 is invested"])


CSV = "In this CSV, what is the mean of 'size' where kind is blue?\nkind,size\nblue,4\nred,5"


@pytest.mark.parametrize(
    ("text", "task", "fixed"),
    [
        ("The mean of 'size' where kind is 'blue'.", CSV, ["size", "blue"]),
        ('The mean of "size".', CSV, ["size"]),
        ("The broadcast address of 10.1.0.0/23.", TASK, ["10.1.0.0/23"]),
        ("The check digit of 978030640615.", "What follows 978030640615?", ["978030640615"]),
        ("The mean of a column where another has a value.", CSV, []),
        ("The factors joined by ' x '.", "Give the factors joined by ' x '.", []),
        ("The column 'lue' of the table.", CSV, []),
        ("The distance on a sphere of radius 6371 km.", "Earth radius 6371 km", []),
        ("The file's name is not 'quoted.", CSV, []),
    ],
)
def test_values_of_the_task_in_a_specification_are_found(text, task, fixed):
    assert fixed_values([text], task) == fixed


@pytest.mark.parametrize(
    ("task", "numbers"),
    [
        ("Convert 234632 from base 7 to base 3 (lowercase digits).", ["234632", "7", "3"]),
        ("The SHA-256 hash of '12 and 13'?", []),
        ("From 2017-08-11 to 2018-04-17.", ["2017-08-11", "2018-04-17"]),
        ("The network 10.142.70.0/23?", ["10.142.70.0/23"]),
        ("Between (35.6762, -139.65) and (48, 2.35)", ["35.6762", "-139.65", "48", "2.35"]),
        ("1,500 at 1.6% a year", ["1,500", "1.6"]),
        ("The mean of this table:\nblue,45\nred,12", []),
        ("", []),
    ],
)
def test_numbers_that_stand_by_themselves_are_found(task, numbers):
    assert free_numbers(task) == numbers

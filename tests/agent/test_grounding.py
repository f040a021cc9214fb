from __future__ import annotations

import pytest

from yunjue.agent.grounding import made_up

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

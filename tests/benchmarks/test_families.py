"""The references that admitted tools are held against, and how instances become inputs."""

from __future__ import annotations

import random

import pytest
from families import FAMILIES, arguments

from yunjue.types import FieldSpec, ToolSpec


def spec(output="str", **inputs):
    return ToolSpec(
        name="f",
        description="d",
        inputs=[FieldSpec(name=name, type=type_) for name, type_ in inputs.items()],
        output=FieldSpec(name="y", type=output),
    )


TABLE = "colour,value\nred,12\nblue,45\nblue,64\nred,1"


@pytest.mark.parametrize(
    ("family", "instance", "answer"),
    [
        (
            "sha",
            {"text": "abc"},
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        ("levenshtein", {"one": "kitten", "two": "sitting"}, "3"),
        ("basecv", {"number": "ff", "from": 16, "to": 2}, "11111111"),
        ("basecv", {"number": "5591", "from": 16, "to": 36}, "gwh"),
        ("cidr", {"network": "192.168.4.0/22"}, "192.168.7.255"),
        ("haversine", {"lat1": 0.0, "lon1": 0.0, "lat2": 0.0, "lon2": 90.0}, "10008"),
        ("compound", {"principal": 1000, "rate": 10.0, "times": 1, "years": 2}, "1210"),
        ("anagram", {"text": "mississippi"}, "is"),
        ("roman", {"number": 1994}, "MCMXCIV"),
        ("luhn", {"number": "7992739871"}, "3"),
        ("weekdays", {"first": "2024-01-01", "last": "2024-01-14"}, "10"),
        ("csvmean", {"table": TABLE, "colour": "blue"}, "54.5"),
        ("factors", {"number": 360}, "2 x 2 x 2 x 3 x 3 x 5"),
    ],
)
def test_the_reference_knows_known_answers(family, instance, answer):
    assert FAMILIES[family][0].answer(**instance) == answer


def test_other_readings_of_a_task_have_the_same_answers():
    assert FAMILIES["compound"][1].answer(principal=1000, rate=0.1, times=1, years=2) == "1210"
    assert FAMILIES["roman"][1].answer(text="MCMXCIV") == "1994"
    assert [family.answer(table=TABLE) for family in FAMILIES["csvmean"][1:4:2]] == ["6.5", "54.5"]


@pytest.mark.parametrize("name", FAMILIES)
def test_instances_differ_and_have_answers(name):
    for family in FAMILIES[name]:
        chance = random.Random(1)
        instances = [family.draw(chance) for _ in range(20)]
        assert len({str(instance) for instance in instances}) > 15
        assert all(family.answer(**instance) for instance in instances)
        assert all(set(instance) == set(family.names) for instance in instances)


def test_an_instance_becomes_inputs_by_name_then_by_order():
    (family,) = FAMILIES["basecv"]
    instance = {"number": "12", "from": 7, "to": 3}
    named = spec(target_base="int", number="str", source_base="str")
    assert arguments(family, named, instance) == {
        "target_base": 3,
        "number": "12",
        "source_base": "7",
    }
    assert arguments(family, spec(a="str", b="int", c="int"), instance) == {
        "a": "12",
        "b": 7,
        "c": 3,
    }


def test_a_tool_that_takes_something_else_gets_nothing():
    (family,) = FAMILIES["basecv"]
    instance = {"number": "g", "from": 17, "to": 3}
    assert arguments(family, spec(number="str", base="int"), instance) is None
    assert arguments(family, spec(a="str", b="int", c="int", d="int"), instance) is None
    assert arguments(family, spec(number="int", b="int", c="int"), instance) is None


def test_outputs_take_the_form_of_the_task():
    assert FAMILIES["factors"][0].form([2, 3]) == FAMILIES["factors"][0].form("2 x 3") == "2 x 3"
    assert FAMILIES["compound"][0].form(1210.004) == "1210"
    assert FAMILIES["haversine"][0].form("9712.3") == "9712"

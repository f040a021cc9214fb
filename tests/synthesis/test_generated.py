"""Inputs that vary those of the cases."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yunjue.hashing import canonical_json
from yunjue.synthesis.generated import COUNT, generated_inputs
from yunjue.types import FIELD_TYPES, FieldSpec, ToolSpec

VALUES = {
    "str": st.text(max_size=8),
    "int": st.integers(-1000, 1000),
    "float": st.floats(-1e6, 1e6, allow_nan=False),
    "bool": st.booleans(),
    "list[str]": st.lists(st.text(max_size=4), max_size=4),
    "list[int]": st.lists(st.integers(), max_size=4),
    "list[float]": st.lists(st.floats(-1e6, 1e6, allow_nan=False), max_size=4),
}
PYTHON = {"str": str, "int": int, "float": float, "bool": bool}


def spec(*types: str) -> ToolSpec:
    return ToolSpec(
        name="f",
        description="d",
        inputs=[FieldSpec(name=f"x{number}", type=type_) for number, type_ in enumerate(types)],
        output=FieldSpec(name="y", type="int"),
    )


@st.composite
def specs_and_inputs(draw):
    types = draw(st.lists(st.sampled_from(FIELD_TYPES), min_size=1, max_size=3))
    row = st.fixed_dictionaries({f"x{place}": VALUES[type_] for place, type_ in enumerate(types)})
    return spec(*types), draw(st.lists(row, min_size=1, max_size=4))


@given(specs_and_inputs())
def test_they_are_new_distinct_of_the_right_type_and_the_same_again(case):
    wanted, known = case
    found = generated_inputs(wanted, known)
    keys = [canonical_json(inputs) for inputs in found]
    assert len(set(keys)) == len(keys) <= COUNT
    assert not set(keys) & {canonical_json(inputs) for inputs in known}
    for inputs in found:
        for field in wanted.inputs:
            value = inputs[field.name]
            kind = PYTHON.get(field.type, list)
            assert type(value) is kind
            if kind is list:
                inner = PYTHON[field.type[5:-1]]
                assert all(type(item) is inner for item in value)
    assert generated_inputs(wanted, known) == found


def test_texts_keep_their_format():
    found = generated_inputs(spec("str"), [{"x0": "10.142.70.0/23"}, {"x0": "2017-08-11"}])
    assert len(found) == COUNT
    shapes = {"".join("9" if c.isdigit() else c for c in one["x0"]) for one in found}
    assert shapes <= {"99.999.99.9/99", "9999-99-99"}


def test_counts_stay_counts():
    found = generated_inputs(spec("int"), [{"x0": 1}, {"x0": 2}, {"x0": 40}])
    assert all(one["x0"] > 0 for one in found)


def test_where_nothing_can_vary_there_are_none():
    assert generated_inputs(spec("list[int]"), [{"x0": []}]) == []
    assert len(generated_inputs(spec("bool"), [{"x0": True}])) == 1

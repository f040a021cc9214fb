from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.models.json_reply import MAX_BYTES, MAX_DEPTH, parse_object

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(st.text(), values, max_size=5)
prose = st.text(st.characters(exclude_characters='{}[]"`', exclude_categories=["Cs"]))


@given(objects, st.booleans(), st.sampled_from([None, 2]))
def test_bare(value, ascii_only, indent):
    assert parse_object(json.dumps(value, ensure_ascii=ascii_only, indent=indent)) == value


@given(objects, prose, prose)
def test_in_a_fence(value, before, after):
    assert parse_object(f"{before}\n```json\n{json.dumps(value)}\n```\n{after}") == value


@given(objects, prose, st.text())
def test_in_prose_the_first_object_counts(value, before, after):
    assert parse_object(f"{before}{json.dumps(value)} {after}") == value


@given(st.text() | st.text(alphabet='{}[]",:\\ab1 \n`'))
def test_whatever_comes_is_an_object_or_a_problem(text):
    try:
        assert isinstance(parse_object(text), dict)
    except ValueError as problem:
        assert str(problem)


@given(objects)
def test_a_cut_object_is_never_taken_for_a_whole_one(value):
    text = json.dumps({"first": {"inner": 1}, **value})
    for end in range(1, len(text), 7):
        with pytest.raises(ValueError):
            parse_object(text[:end])


def test_a_fence_wins_over_braces_before_it():
    text = 'Fill {name} in {"wrong": 1}:\n```json\n{"right": 2}\n```'
    assert parse_object(text) == {"right": 2}


def test_braces_that_are_no_json_are_passed_over():
    assert parse_object('For the set {x, y} I say {"a": "}{"} and {"b": 2}.') == {"a": "}{"}


def test_thoughts_are_not_the_answer():
    assert parse_object('<think>maybe {"a": 1}</think>\n{"a": 2}') == {"a": 2}


def test_of_duplicate_keys_the_last_wins():
    assert parse_object('{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no JSON object"),
        ("I do not know.", "no JSON object"),
        ("[1, 2]", "not an object"),
        ('["{}"]', "not an object"),
        ('"{}"', "not an object"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "Infinity"),
        ('{"a": 1e999}', "too large"),
        ('{"a": 1,}', "not JSON"),
        ("{'a': 1}", "not JSON"),
        ('{"a": {"b": 1}', "does not end"),
        ('{"a": "unfinished', "does not end"),
        ('{"a": ' + "9" * 5000 + "}", "not JSON"),
    ],
)
def test_problems_are_said(text, problem):
    with pytest.raises(ValueError, match=problem):
        parse_object(text)


def test_depth_has_a_limit():
    def nested(depth: int) -> str:
        return '{"a":' * depth + "1" + "}" * depth

    assert parse_object(nested(MAX_DEPTH))
    for text in (nested(MAX_DEPTH + 1), nested(100_000), '{"a":' + "[" * 200_000):
        with pytest.raises(ValueError, match="deeper"):
            parse_object(text)


def test_size_has_a_limit():
    with pytest.raises(ValueError, match="longer"):
        parse_object('{"a": "' + "ä" * (MAX_BYTES // 2) + '"}')


@pytest.mark.parametrize("unit", ["{", "{}", '{"', '{"a":', "[{", "```json ", "\\", '{x"y"}'])
def test_hostile_text_of_full_size_does_not_hang(unit):
    with contextlib.suppress(ValueError):
        parse_object((unit * MAX_BYTES)[:MAX_BYTES])

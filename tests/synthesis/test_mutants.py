"""Small changes of a program."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from yunjue.synthesis.mutants import MOST, mutants

CLAMP = '''
def clamp(value: int, low: int = 3) -> int:
    """At least low."""
    if value < low and not value == 0:
        return low + 1
    for step in range(-value):
        if step in (1, 2):
            break
    return value
'''


def changes(body, most=100):
    return [mutant.what for mutant in mutants(body, most)]


def test_operators_constants_boundaries_and_returns_change():
    assert set(changes(CLAMP)) == {
        "line 2: 3 becomes 4",
        "line 4: And becomes Or",
        "line 4: Lt becomes LtE",
        "line 4: Not removed",
        "line 4: Eq becomes NotEq",
        "line 4: 0 becomes 1",
        "line 5: returns nothing",
        "line 5: Add becomes Sub",
        "line 5: 1 becomes 2",
        "line 6: USub removed",
        "line 7: In becomes NotIn",
        "line 7: 1 becomes 2",
        "line 7: 2 becomes 3",
        "line 8: Break removed",
        "line 9: returns nothing",
    }


def test_what_computes_nothing_stays():
    body = 'def f(a: "int") -> "str":\n    """Text."""\n    b: "list" = a\n    return b\n'
    assert changes(body) == ["line 4: returns nothing"]


def test_a_comparison_chain_and_a_sum_in_place_change():
    assert changes("def f(a):\n    a += 1 < a < 3\n") == [
        "line 2: Add becomes Sub",
        "line 2: Lt becomes LtE",
        "line 2: 1 becomes 2",
        "line 2: 3 becomes 4",
    ]


def test_many_changes_are_thinned_out_over_the_whole_program():
    body = "def f(a):\n" + "".join(f"    a = a + {number}\n" for number in range(40))
    chosen = mutants(body)
    assert len(chosen) == MOST
    assert len({mutant.what.split(":")[0] for mutant in chosen}) == MOST


def test_no_python_has_no_mutants():
    assert mutants("def f(:") == []
    assert mutants("\0") == []


EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "1", "0.5", "'x'", "True"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "*", "<", "and", "==", "%"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        inner.map(lambda text: f"(not {text})"),
        inner.map(lambda text: f"[{text}]"),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_each_mutant_is_python_and_another_program(expression):
    body = f"def f(a):\n    return {expression}\n"
    texts = [mutant.body for mutant in mutants(body)]
    assert len(set(texts)) == len(texts) <= MOST
    assert ast.unparse(ast.parse(body)) not in texts
    for text in texts:
        compile(text, "mutant", "exec")

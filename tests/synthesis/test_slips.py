"""Slips that are mended before code is checked."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.synthesis.slips import mended


def test_forgotten_imports_are_added():
    code = mended("def f(x):\n    return math.sqrt(len(Counter(x)))")
    assert code.startswith("import math\nfrom collections import Counter\n")
    assert mended("def f(x):\n    return socket.gethostname()").startswith("def")


DAYS = """{imported}

def f(day):
    é, first = "é", {strptime}(day, "%Y-%m-%d")
    return "é", (first + {timedelta}(days=1)).isoformat()
"""


@pytest.mark.parametrize(
    ("imported", "strptime", "timedelta"),
    [
        ("from datetime import datetime", "datetime.strptime", "datetime.timedelta"),
        ("from datetime import datetime", "datetime.datetime.strptime", "datetime.timedelta"),
        ("import datetime", "datetime.strptime", "datetime.timedelta"),
        ("", "datetime.datetime.strptime", "datetime.timedelta"),
        ("", "datetime.strptime", "timedelta"),
        ("import datetime", "datetime.datetime.strptime", "datetime.timedelta"),
        ("from datetime import datetime, timedelta", "datetime.strptime", "timedelta"),
        ("import datetime\r", "datetime.strptime", "datetime.timedelta"),
    ],
)
def test_datetime_is_the_module_or_the_class_as_it_was_meant(imported, strptime, timedelta):
    code = DAYS.format(imported=imported, strptime=strptime, timedelta=timedelta)
    names: dict = {}
    exec(mended(code), names)
    assert names["f"]("2024-02-28") == ("é", "2024-02-29T00:00:00")


def test_right_code_stays_as_it_is():
    for imported, call in (
        ("import datetime", "datetime.date.today()"),
        ("from datetime import datetime", "datetime.now().date()"),
        ("import datetime\nfrom datetime import datetime", "datetime.timedelta(1)"),
    ):
        code = f"{imported}\n\ndef f():\n    return {call}"
        assert mended(code) == code


@given(st.text(max_size=300))
def test_any_text_is_mended_or_left(text):
    mended(text)


@given(st.text(alphabet="datetime.()\n\r\x0c =", max_size=60))
def test_what_was_python_stays_python(text):
    code = f"import datetime\n{text}"
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        return
    ast.parse(mended(code))

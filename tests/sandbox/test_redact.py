"""No value of a secret stays in an outcome, in whatever usual form."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from yunjue.sandbox.redact import Redactor
from yunjue.types import CallOutcome, Visit

KEY = "s3cr3t/Key+42=ä"
values = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=40)
around = st.text(max_size=20)


def kept(value: str, text: str) -> str:
    return Redactor({"WEATHER_KEY": value}).text(text)


@given(values, around, around)
def test_the_value_itself(value, before, after):
    assert value.lower() not in kept(value, before + value + after).lower()


@given(values, st.binary(max_size=20), st.binary(max_size=20))
def test_base64_of_what_holds_the_value(value, before, after):
    text = base64.b64encode(before + value.encode() + after).decode()
    clean = kept(value, text)
    assert "[WEATHER_KEY]" in clean
    # Fewer characters remain than the value has, but for what stood around it.
    assert len(clean) - len("[WEATHER_KEY]") <= -(-(len(before) + len(after)) * 8 // 6) + 8


@pytest.mark.parametrize(
    "form",
    [
        *(KEY, KEY.upper(), repr(KEY), repr(KEY.encode()), ascii(KEY), json.dumps(KEY)),
        *(quote(KEY), quote(KEY, safe=""), KEY.encode().hex(), KEY.encode().hex().upper()),
        *(base64.b64encode(KEY.encode()).decode(), f"https://a.org/?key={quote(KEY, safe='')}&b=c"),
        base64.urlsafe_b64encode(f"user:{KEY}".encode()).decode(),
    ],
)
def test_forms(form):
    clean = kept(KEY, f"before {form} after")
    assert "[WEATHER_KEY]" in clean
    assert clean.startswith("before ") and clean.endswith(" after")
    assert "cr3t" not in clean.lower() and KEY.encode().hex()[2:20] not in clean.lower()


def test_everywhere_in_an_outcome():
    outcome = CallOutcome(
        status="ok",
        output={"result": [{"a": [f"x{KEY}"], KEY: 1}, 12345678]},
        stdout=f"key {KEY}\n",
        stderr=KEY[:9],
        error=f"ValueError: bad {KEY[:10]} (line 3)",
        network=["a.org"],
        visits=[Visit(host=f"{KEY.lower()}.evil.org", port=443, allowed=False, why=KEY)],
    )
    clean = Redactor({"WEATHER_KEY": KEY, "NUMBER": "12345678"}).outcome(outcome)
    assert clean.output == {"result": [{"a": ["x[WEATHER_KEY]"], "[WEATHER_KEY]": 1}, "[NUMBER]"]}
    assert clean.stdout == "key [WEATHER_KEY]\n" and clean.stderr == "[WEATHER_KEY]"
    assert clean.error == "ValueError: bad [WEATHER_KEY] (line 3)"
    assert "s3cr" not in clean.model_dump_json()
    assert clean.network == ["a.org"]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists), values)
def test_other_outcomes_stay_as_they_are(value, secret):
    text = json.dumps(value, ensure_ascii=False).lower()
    assume(json.dumps(secret[:4], ensure_ascii=False)[1:-1].lower() not in text)
    outcome = CallOutcome(status="ok", output={"result": value})
    assert Redactor({"WEATHER_KEY": secret}).outcome(outcome) == outcome
    assert Redactor({}).outcome(outcome) is outcome


def test_what_was_measured_is_no_text():
    outcome = CallOutcome(status="ok", output={"a": 1}, seconds=0.123456, peak_mib=123456.0)
    assert Redactor({"KEY": "123456"}).outcome(outcome) == outcome

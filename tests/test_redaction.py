"""Values of secrets in texts that were cut off."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yunjue.redaction import Redactor

VALUE = "s3cret-Pa55word!"


@given(st.text(max_size=20), st.integers(0, len(VALUE)))
def test_a_cut_text_does_not_end_in_half_a_value(before, length):
    redactor = Redactor({"shop": VALUE})
    clean = redactor.end(redactor.text(before + VALUE[:length]))
    assert not any(clean.endswith(VALUE[:n]) for n in range(4, len(VALUE)))
    assert clean.startswith(before) or length < 4


def test_other_texts_stay_as_they_are():
    redactor = Redactor({"shop": VALUE})
    assert redactor.end("a secret") == "a secret"

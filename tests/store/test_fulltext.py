from __future__ import annotations

import sqlite3

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from yunjue.store.fulltext import MOST_WORDS, any_of, shorten, words_of


@pytest.fixture(scope="module")
def table():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE docs USING fts5 (name, text)")
    connection.execute("INSERT INTO docs VALUES ('a', 'count words near the border')")
    return connection


def match_any(text):
    return any_of(words_of(text))


@given(st.text(max_size=300))
@example('" OR name:*')
@example("NEAR(a b, 3) AND NOT c")
@example("name : x")
@example("'; DROP TABLE docs; --")
@example("a\x00b")
@example('ab" "cd')
@example("naïve ＷＩＤＥ ﬁne ²₃ Ⅻ ௧ 字")
def test_sqlite_accepts_whatever_is_asked(table, text):
    if query := match_any(text):
        table.execute("SELECT * FROM docs WHERE docs MATCH ?", [query]).fetchall()
    assert table.execute("SELECT count(*) FROM docs").fetchone() == (1,)


def test_operators_are_words():
    assert match_any("alpha AND beta NEAR gamma*") == '"alpha" OR "beta" OR "near" OR "gamma"'


def test_common_words_and_numbers_say_nothing():
    assert match_any("What is the number of days between 3 and 17?") == '"number" OR "days"'
    assert match_any("how many?") == ""
    assert match_any("") == ""


def test_names_of_tools_fall_into_words():
    assert match_any("count_words") == '"count" OR "words"'


def test_most_words():
    query = match_any(" ".join(f"word{number}" for number in range(10_000)))
    assert query.count(" OR ") == MOST_WORDS - 1


def test_shorten_keeps_start_and_end():
    text = "question" + "x" * 100_000 + "answer"
    short = shorten(text, 100)
    assert len(short) <= 101
    assert short.startswith("question")
    assert short.endswith("answer")
    assert shorten("as it is", 100) == "as it is"


@given(st.text(st.characters(), max_size=50), st.integers(2, 60))
def test_shortened_text_is_utf8(text, most):
    assert len(shorten(text, most).encode()) >= 0

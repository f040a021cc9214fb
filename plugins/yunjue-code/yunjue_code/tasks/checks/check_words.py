import re

from words import count_words


def test_all():
    for text in ("", " ", "a\tb", "one  two\nthree ", "x"):
        assert count_words(text) == len(re.findall(r"\S+", text))

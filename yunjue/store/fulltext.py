"""Free text as words that full text can be asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_WORDS = 64
_WORD = re.compile(r"[^\W_]+")
# Words every task has. One that also stands in some tool's description would lift that tool
# to the top, above the tool that means what was asked.
_COMMON = frozenset(
    """
    about after all an and any are as at be been before between but by can could did do does
    each every find following for from get give given has have how if in into is it its list
    long make many me more most much must my no not of on one only or other our out please
    should so some such tell than that the their them then there these they this those to two
    up us use using was we were what when where which while who why will with would you your
    """.split()  # noqa: SIM905
)


def shorten(text: str, most: int) -> str:
    """``text`` cut to about ``most`` characters: its start and its end.

    A task states its question before or after the material it brings along. What cannot
    be written as UTF-8 becomes a question mark.
    """
    if len(text) > most:
        text = text[: most // 2] + "\n" + text[-(most // 2) :]
    return text.encode("utf-8", "replace").decode("utf-8")


def words_of(text: str) -> list[str]:
    """The telling words of ``text``, each once, at most ``MOST_WORDS``.

    They hold letters and digits only, so in double quotes they mean nothing to the query
    language of FTS5: operators, quotes and column names lose their meaning.
    """
    words = dict.fromkeys(
        word.casefold()
        for word in _WORD.findall(text)
        if len(word) > 1 and not word.isdecimal() and word.casefold() not in _COMMON
    )
    return list(words)[:MOST_WORDS]


def any_of(words: Sequence[str]) -> str:
    """An FTS5 query for any of the words; empty if there are none."""
    return " OR ".join(f'"{word}"' for word in words)

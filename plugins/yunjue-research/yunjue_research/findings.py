"""Findings with their sources, and whether a quote stands in its source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from yunjue.domains import Judged
from yunjue_research.passages import SENTENCE

SHORTEST = 8
"""Characters of a quote: what is shorter stands nearly everywhere."""
AROUND = 150
"""Characters of a sentence that are quoted on each side of the words that matter."""
LINE = re.compile(r'^- .+ \["(?P<quote>.+)" \((?P<source>.+), (?P<place>[^,()]+)\)\]$')


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, the words of the source that say it, and where they stand."""

    text: str
    quote: str
    document: str
    place: str

    def line(self) -> str:
        """As a line of a report."""
        return f'- {self.text} ["{self.quote}" ({self.document}, {self.place})]'


def flat(text: str) -> str:
    """``text`` with one space where it has any white space: lines may be broken anywhere."""
    return " ".join(text.split())


def quote_problem(quote: str, source: str) -> str:
    """Why the quote is none of the source's text, told to the model; "" if it is."""
    wanted = flat(quote)
    if len(wanted) < SHORTEST:
        return f"The quote has less than {SHORTEST} characters."
    if wanted not in flat(source):
        return "The source does not have these words. Copy a part of the passage exactly."
    return ""


def sentence_with(words: str, text: str) -> str:
    """The sentence of ``text`` that has the words, whatever their case; "" if none has. A long
    one is cut to what stands around them."""
    pattern = re.compile(rf"(?<!\w){re.escape(flat(words))}(?!\w)", re.IGNORECASE)
    if not words.strip():
        return ""
    for sentence in SENTENCE.split(flat(text)):
        if found := pattern.search(sentence):
            first = max(0, found.start() - AROUND)
            return sentence[first : found.end() + AROUND].strip()
    return ""


def report(findings: Sequence[Finding]) -> str:
    """The findings as a list in Markdown."""
    return "\n".join(finding.line() for finding in findings)


def judged(answer: str) -> Judged:
    """The form of an answer: a short one that was found in a passage (the environment lets no
    other end), or a list of findings with a source each."""
    lines = [line for line in answer.splitlines() if line.strip()]
    if not lines:
        return Judged(False, "The answer is empty.", 0.0)
    if len(lines) == 1 and not lines[0].startswith("- "):
        return Judged(True, score=1.0)
    without = [line for line in lines if not LINE.match(line)]
    if without:
        return Judged(False, f"A finding has no source: {without[0][:100]}", 0.0)
    return Judged(True, score=1.0)

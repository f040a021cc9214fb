"""Counts how often each word occurs in a text, ignoring case and punctuation."""

import re
from collections import Counter

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "count_words",
    "description": "Counts how often each word occurs in a text, ignoring case and punctuation.",
    "dependencies": [],
}


class InputModel(BaseModel):
    text: str = Field(description='The text')
    most: int = Field(20, ge=1, le=1000, description='How many of the commonest words to return')


class OutputModel(BaseModel):
    counts: dict[str, int] = Field(description="Word -> count, the commonest first, equally common ones by the alphabet")


def run(input: InputModel) -> OutputModel:
    words = Counter(re.findall(r"[^\W_]+(?:['\u2019][^\W_]+)*", input.text.lower()))
    ranked = sorted(words.items(), key=lambda item: (-item[1], item[0]))
    return OutputModel(counts=dict(ranked[: input.most]))

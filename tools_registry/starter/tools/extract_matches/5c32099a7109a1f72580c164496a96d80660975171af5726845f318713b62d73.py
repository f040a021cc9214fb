"""Finds all matches of a regular expression in a text."""

import re

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "extract_matches",
    "description": "Finds all matches of a regular expression in a text.",
    "dependencies": [],
}


class InputModel(BaseModel):
    text: str = Field(description='The text')
    pattern: str = Field(description='Python regular expression; with one group, the group is returned')
    ignore_case: bool = Field(False, description='Whether case does not matter')


class OutputModel(BaseModel):
    matches: list[str] = Field(description="The matches in order; with several groups, they are joined by tabs")


def run(input: InputModel) -> OutputModel:
    try:
        pattern = re.compile(input.pattern, re.IGNORECASE if input.ignore_case else 0)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    found = pattern.findall(input.text)
    return OutputModel(matches=["\t".join(m) if isinstance(m, tuple) else m for m in found])

"""Turns a text into a slug for URLs and file names: lowercase ASCII words joined by hyphens."""

import re
import unicodedata

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "slugify_text",
    "description": "Turns a text into a slug for URLs and file names: lowercase ASCII words joined by hyphens.",
    "dependencies": [],
}


class InputModel(BaseModel):
    text: str = Field(description='The text')
    max_length: int = Field(80, ge=1, description='Longest slug; cut at a hyphen where there is one')


class OutputModel(BaseModel):
    slug: str = Field(description="The slug; empty if nothing of the text can be kept")


def run(input: InputModel) -> OutputModel:
    plain = unicodedata.normalize("NFKD", input.text).encode("ascii", "ignore").decode()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain.lower()))
    if len(slug) > input.max_length:
        cut = slug[: input.max_length + 1]
        slug = cut.rpartition("-")[0] if "-" in cut else slug[: input.max_length]
    return OutputModel(slug=slug)

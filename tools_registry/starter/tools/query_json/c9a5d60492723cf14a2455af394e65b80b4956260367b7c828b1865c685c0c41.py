"""Reads a value out of a JSON text by a path of keys and indexes, such as users[0].name or items[*].price."""

import json
import re
from typing import Any

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "query_json",
    "description": "Reads a value out of a JSON text by a path of keys and indexes, such as users[0].name or items[*].price.",
    "dependencies": [],
}


class InputModel(BaseModel):
    document: str = Field(description='JSON text')
    path: str = Field(description='Keys joined by dots, indexes in brackets, [*] for all items')


class OutputModel(BaseModel):
    value: str = Field(description="The value as JSON text; with [*] a list")


PART = re.compile(r"([^.\[\]]+)|\[(-?\d+|\*)\]")


def step(value: Any, key: str, index: str) -> Any:
    try:
        return value[key] if key else value[int(index)]
    except (KeyError, IndexError, TypeError):
        raise ValueError(f"there is no {key or '[' + index + ']'} at this place") from None


def read(value: Any, parts: list[tuple[str, str]]) -> Any:
    for place, (key, index) in enumerate(parts):
        if index == "*":
            if not isinstance(value, list):
                raise ValueError("[*] needs a list")
            return [read(item, parts[place + 1 :]) for item in value]
        if key and not isinstance(value, dict) or index and not isinstance(value, list):
            raise ValueError(f"{key or '[' + index + ']'} does not fit what is there")
        value = step(value, key, index)
    return value


def run(input: InputModel) -> OutputModel:
    parts = PART.findall(input.path)
    if PART.sub("", input.path).strip("."):
        raise ValueError("the path must be of the form a.b[0][*].c")
    found = read(json.loads(input.document), parts)
    return OutputModel(value=json.dumps(found, ensure_ascii=False))

"""A tool that harms nobody, to see whether a sandbox works and what a call in it costs."""

from __future__ import annotations

ADD_ONE = """
from pydantic import BaseModel

__TOOL_META__ = {"name": "add_one", "description": "Adds one."}


class InputModel(BaseModel):
    number: int


class OutputModel(BaseModel):
    result: int


def run(input: InputModel) -> OutputModel:
    return OutputModel(result=input.number + 1)
"""
"""``{"number": 1}`` gives ``{"result": 2}``."""

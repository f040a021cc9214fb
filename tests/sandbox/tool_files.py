"""Tool files for tests, made of the body of ``run``."""

from __future__ import annotations

import textwrap


def tool(body: str, inputs: str = "value: int = 0", output: str = "result: Any = None") -> str:
    """A tool whose ``run(input)`` has this body; it may return any JSON as ``result``."""
    return f"""
__TOOL_META__ = {{"name": "probe", "description": "for tests", "tags": ["a", 1]}}

import os, sys, time
from typing import Any
from pydantic import BaseModel


class InputModel(BaseModel):
    {inputs}


class OutputModel(BaseModel):
    {output}


def run(input):
{textwrap.indent(textwrap.dedent(body).strip(), "    ")}
"""


DOUBLE = tool("return OutputModel(result=input.value * 2)")

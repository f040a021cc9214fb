from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from story import SPEC

from yunjue.synthesis.author import extract_code
from yunjue.synthesis.static_checks import check_source
from yunjue.synthesis.template import read_meta, render_tool

BODY = "def reverse_text(text):\n    return text[::-1]"


def checked(body, requirements=()):
    return check_source(render_tool(SPEC, body, list(requirements)))


def test_a_rendered_tool_has_no_problems():
    source = render_tool(SPEC, "from __future__ import annotations\n" + BODY, [])
    assert check_source(source) == []
    assert read_meta(source)["name"] == "reverse_text"
    compile(source, "tool.py", "exec")


def test_all_problems_are_told_at_once():
    body = "import subprocess\nimport numpy\n\ndef reverse_text(text):\n    return eval(txet)"
    problems = " ".join(checked(body))
    for word in ("subprocess", "numpy", "eval", "txet"):
        assert word in problems


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("def reverse_text(text:\n    pass", "syntax error"),
        ("import socket\n" + BODY, "socket"),
        ("import os\n\ndef reverse_text(text):\n    return os.system(text)", "os.system"),
        ("from . import x\n" + BODY, "not declared"),
        ("import pickle\n" + BODY, "pickle"),
    ],
)
def test_each_problem_is_named(body, word):
    assert word in " ".join(checked(body))


def test_declared_requirements_may_be_imported():
    assert checked("import numpy\n" + BODY, ["numpy==2.0"]) == []
    assert checked("import bs4\n" + BODY, ["beautifulsoup4"]) == []
    assert "URL" in " ".join(checked(BODY, ["evil @ https://example.org/evil.whl"]))
    assert "not of the form" in " ".join(checked(BODY, ["../evil"]))


def test_a_file_that_is_no_tool_is_refused():
    problems = " ".join(check_source("x = 1"))
    for word in ("__TOOL_META__", "InputModel", "OutputModel", "run"):
        assert word in problems
    assert "characters" in check_source("#" * 60_000)[0]


@given(st.text(max_size=300))
def test_any_text_gives_problems_or_none_and_never_fails(text):
    assert isinstance(check_source(text), list)


@given(st.text(max_size=200))
def test_any_description_renders_to_python(text):
    spec = SPEC.model_copy(update={"description": text})
    ast.parse(render_tool(spec, BODY, []))


def test_code_is_found_in_any_reply():
    block = "```python\n" + BODY + "\n```"
    assert extract_code(block, "reverse_text") == BODY
    assert extract_code("Sure!\n" + block + "\nDone", "reverse_text") == BODY
    assert extract_code("```python\n" + BODY, "reverse_text") == BODY
    assert extract_code(BODY, "reverse_text") == BODY
    two = "```\nprint('a long example of how to use it, without the function')\n```\n" + block
    assert extract_code(two, "reverse_text") == BODY

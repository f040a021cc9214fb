from __future__ import annotations

import re

from yunjue import errors
from yunjue.errors import YunjueError


def tree(cls):
    return [cls, *(found for child in cls.__subclasses__() for found in tree(child))]


def test_the_drawing_in_the_docstring_is_the_tree():
    drawn = set(re.findall(r"[├└─│ ]*([A-Z][A-Za-z]+)\s", errors.__doc__.split("::")[1]))
    built_in = {cls.__name__ for cls in tree(YunjueError) if cls.__module__ == "yunjue.errors"}
    assert built_in <= drawn


def test_every_error_says_what_to_do_and_has_an_exit_code():
    codes = {cls.__name__: cls.exit_code for cls in tree(YunjueError)}
    assert codes["UsageError"] == 2
    assert codes["NotSolved"] == 3
    assert codes["LimitReached"] == 4
    assert codes["SandboxUnavailable"] == 5
    assert codes["Paused"] == 6
    assert codes["Interrupted"] == 130
    assert YunjueError("What happened.", hint="Do this.").to_dict() == {
        "type": "YunjueError",
        "message": "What happened.",
        "hint": "Do this.",
    }

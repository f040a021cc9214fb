"""The front matter of a SKILL.md: YAML of which only plain text is taken.

The YAML is never turned into objects. Its nodes are read, so that each member has a line, a
key that stands twice is seen, and nothing is guessed: ``no`` is no boolean, ``1.10`` no number.
Anchors, aliases and tags have no use here and much misuse (an alias can stand for gigabytes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from yunjue.skills.types import Problem

MAX_CHARACTERS = 16_384
MAX_DEPTH = 3
"""A mapping in a mapping is all that the specification knows."""

FIRST_LINE = 2
"""Of the file, where the YAML begins."""

_NOT_TEXT = {"int": "a number", "float": "a number", "bool": "a boolean", "null": "empty"}
_STRING = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Text:
    """A text and the line it begins on."""

    value: str
    line: int


Value = Text | list[Text] | dict[str, Text]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the front matter. ``value`` is None if it is not of a form that is taken;
    then there is a problem that says so."""

    name: str
    line: int
    value: Value | None


def read_front(yaml_text: str, path: str) -> tuple[dict[str, Member], list[Problem]]:
    """The members by name, and all that is wrong with the YAML itself."""
    import yaml

    if len(yaml_text) > MAX_CHARACTERS:
        message = f"the front matter has more than {MAX_CHARACTERS} characters"
        return {}, [Problem(path, 1, message)]
    try:
        problems = _misuse(yaml_text, path)
        if problems:
            return {}, problems
        root = yaml.compose(yaml_text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = (mark.line if mark else 0) + FIRST_LINE
        what = " ".join((error.problem or "cannot be read").split())
        return {}, [Problem(path, line, f"is not YAML: {what}")]
    except yaml.YAMLError as error:
        return {}, [Problem(path, FIRST_LINE, f"is not YAML: {' '.join(str(error).split())[:200]}")]
    if root is None:
        return {}, [Problem(path, 1, "the front matter is empty")]
    if not isinstance(root, yaml.MappingNode):
        return {}, [Problem(path, _line(root), "the front matter is no mapping of names to values")]
    return _members(root, path)


def _misuse(yaml_text: str, path: str) -> list[Problem]:
    """Anchors, aliases, tags, depth and further documents, from the stream of events: nothing
    is built, so nothing can swell."""
    import yaml

    problems, depth, documents = [], 0, 0
    for event in yaml.parse(yaml_text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + FIRST_LINE
        if isinstance(event, yaml.AliasEvent):
            problems.append(Problem(path, line, f"the alias *{event.anchor} is not allowed"))
        elif getattr(event, "anchor", None):
            problems.append(Problem(path, line, f"the anchor &{event.anchor} is not allowed"))
        if getattr(event, "tag", None):
            problems.append(Problem(path, line, f"the tag {event.tag!r} is not allowed"))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                problems.append(Problem(path, line, f"nests deeper than {MAX_DEPTH} levels"))
                break
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                problems.append(Problem(path, line, "holds a second YAML document"))
                break
    return problems


def _members(root: Any, path: str) -> tuple[dict[str, Member], list[Problem]]:
    found: dict[str, Member] = {}
    problems: list[Problem] = []
    for key_node, value_node in root.value:
        key = _text(key_node)
        line = _line(key_node)
        if key is None:
            problems.append(Problem(path, line, "a name is no text"))
        elif key.value in found:
            first = found[key.value].line
            problems.append(Problem(path, line, f"{key.value} stands on line {first} already"))
        else:
            found[key.value] = Member(
                key.value, line, _value(key.value, value_node, path, problems)
            )
    return found, problems


def _value(name: str, node: Any, path: str, problems: list[Problem]) -> Value | None:
    import yaml

    if isinstance(node, yaml.ScalarNode):
        text = _text(node)
        if text is None:
            problems.append(Problem(path, _line(node), f"{name} {_not_text(node)}"))
        return text
    before = len(problems)
    if isinstance(node, yaml.SequenceNode):
        items = [_item(name, one, path, problems) for one in node.value]
        return [one for one in items if one] if len(problems) == before else None
    pairs: dict[str, Text] = {}
    for key_node, value_node in node.value:
        key = _text(key_node)
        if key is None:
            problems.append(Problem(path, _line(key_node), f"a name in {name} is no text"))
            continue
        if key.value in pairs:
            problems.append(Problem(path, key.line, f"{name}.{key.value} stands there twice"))
        value = _item(f"{name}.{key.value}", value_node, path, problems)
        pairs[key.value] = value or Text("", key.line)
    return pairs if len(problems) == before else None


def _item(name: str, node: Any, path: str, problems: list[Problem]) -> Text | None:
    text = _text(node)
    if text is None:
        problems.append(Problem(path, _line(node), f"{name} {_not_text(node)}"))
    return text


def _text(node: Any) -> Text | None:
    return Text(node.value, _line(node)) if node.tag == _STRING else None


def _not_text(node: Any) -> str:
    kind = node.tag.rpartition(":")[2]
    if kind == "null":
        return "has no value"
    if kind in ("seq", "map"):
        return "must be text"
    return f"must be text, not {_NOT_TEXT.get(kind, 'a ' + kind)}: put it in quotes"


def _line(node: Any) -> int:
    return node.start_mark.line + FIRST_LINE

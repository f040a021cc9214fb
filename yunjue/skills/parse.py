"""SKILL.md as the Agent Skills specification has it: front matter, then the body.

Every problem is found, not only the first, each with its line. What the specification leaves
open is bounded here: see the constants.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from yunjue.skills.front import Member, Text, read_front
from yunjue.skills.types import SKILL_FILE, Allowed, Problem

MAX_BYTES = 256 << 10
"""Of a SKILL.md."""
MAX_BODY = 100_000
"""Characters. The specification recommends less than 5,000 tokens."""
RECOMMENDED_LINES = 500
MAX_NAME, MAX_DESCRIPTION, MAX_COMPATIBILITY, MAX_LICENSE = 64, 1024, 500, 500
MAX_METADATA = 64
"""Members."""
MAX_TOOLS = 100
"""Names in ``allowed-tools``."""

MEMBERS = ("name", "description", "license", "compatibility", "metadata", "allowed-tools")
ACTIONS = ("read_resource", "run_script", "request_tools", "search_tools", "search_principles")
"""What the executor may do; ``allowed-tools`` may name it."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_OURS = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
_TOOL = re.compile(r"[A-Za-z_][\w.:/-]*(\([^()]*\))?\Z")
_TOOLS = re.compile(r"[^\s()]*\([^()]*\)?\S*|\S+")
_LINK = re.compile(r"\[[^\]\n]*\]\(\s*<?([^)>\s]+)")


@dataclass(slots=True)
class Parsed:
    """What stands in a SKILL.md; complete only if there are no problems."""

    name: str = ""
    description: str = ""
    body: str = ""
    license: str = ""
    compatibility: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    allowed: Allowed | None = None
    links: list[tuple[int, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


def parse(data: bytes, folder: str | None = None, path: str = SKILL_FILE) -> Parsed:
    """Read a SKILL.md; never raises.

    Args:
        folder: name of the folder it is in, which must be the skill's; None if it is in none.
        path: how problems call the file.
    """
    parsed = Parsed()
    text = _decoded(data, path, parsed.problems)
    if text is None:
        return parsed
    lines = text.split("\n")
    end = _end_of_front(lines, path, parsed.problems)
    if end is None:
        return parsed
    members, problems = read_front("\n".join(lines[1:end]) + "\n", path)
    parsed.problems += problems
    # A member that is missing because the YAML is broken is no second problem.
    if members or not problems:
        _read_members(members, folder, path, parsed)
    _read_body(lines, end, path, parsed)
    parsed.problems.sort(key=lambda one: one.line)
    return parsed


def _decoded(data: bytes, path: str, problems: list[Problem]) -> str | None:
    if len(data) > MAX_BYTES:
        message = f"has {len(data)} bytes; at most {MAX_BYTES} are taken"
        problems.append(Problem(path, 0, message))
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(Problem(path, line, "is not UTF-8"))
        return None
    text = text.replace("\r\n", "\n")
    if text.startswith("\ufeff"):
        problems.append(Problem(path, 1, "begins with a byte order mark"))
        text = text[1:]
    for number, line in enumerate(text.split("\n"), 1):
        if hidden := next((one for one in line if is_hidden(one)), None):
            message = f"holds the character U+{ord(hidden):04X}, which cannot be seen"
            problems.append(Problem(path, number, message))
    return None if problems else text


def is_hidden(character: str) -> bool:
    """Controls, lone surrogates, and what reorders or hides text; not joiners of emoji and
    of scripts that need them."""
    if character == "\t":
        return False
    code = ord(character)
    return (
        code < 0x20
        or 0x7F <= code < 0xA0
        or code in (0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x2060, 0xFEFF)
        or 0x202A <= code <= 0x202E
        or 0x2066 <= code <= 0x2069
        or 0xD800 <= code <= 0xDFFF
        or 0xE0000 <= code <= 0xE007F
    )


def _end_of_front(lines: list[str], path: str, problems: list[Problem]) -> int | None:
    """Index of the line that ends the front matter."""
    if lines[0].rstrip() != "---":
        problems.append(Problem(path, 1, "must begin with a line --- and the front matter"))
        return None
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() == "---":
            return number
    problems.append(Problem(path, 1, "the front matter has no end: a line --- is missing"))
    return None


def _read_members(members: dict[str, Member], folder: str | None, path: str, into: Parsed) -> None:
    for name, member in members.items():
        if name not in MEMBERS:
            hint = "other members belong under metadata"
            into.problems.append(Problem(path, member.line, f"{name!r} is no member; {hint}"))
    for name in ("name", "description"):
        if name not in members:
            into.problems.append(Problem(path, 1, f"{name} is missing"))
    if text := _text_of(members, "name", MAX_NAME, path, into.problems):
        into.name = text.value
        into.problems += _name_problems(text, folder, path)
    if text := _text_of(members, "description", MAX_DESCRIPTION, path, into.problems):
        into.description = " ".join(text.value.split())
    if text := _text_of(members, "license", MAX_LICENSE, path, into.problems):
        into.license = text.value
    if text := _text_of(members, "compatibility", MAX_COMPATIBILITY, path, into.problems):
        into.compatibility = text.value
    if member := members.get("metadata"):
        _read_metadata(member, path, into)
    if member := members.get("allowed-tools"):
        _read_allowed(member, path, into)


def _text_of(
    members: dict[str, Member], name: str, most: int, path: str, problems: list[Problem]
) -> Text | None:
    member = members.get(name)
    if member is None or member.value is None:
        return None
    if not isinstance(member.value, Text):
        problems.append(Problem(path, member.line, f"{name} must be text"))
        return None
    text = member.value
    if not text.value.strip():
        problems.append(Problem(path, member.line, f"{name} is empty"))
        return None
    if len(text.value) > most:
        message = f"{name} has {len(text.value)} characters; at most {most} are allowed"
        problems.append(Problem(path, member.line, message))
    return text


def _name_problems(name: Text, folder: str | None, path: str) -> Iterator[Problem]:
    value = name.value
    if not _NAME.match(value):
        if value.lower() != value:
            why = "has capitals"
        elif value.startswith("-") or value.endswith("-"):
            why = "begins or ends with a hyphen"
        elif "--" in value:
            why = "has two hyphens in a row"
        else:
            why = "has other characters than a-z, 0-9 and hyphens"
        yield Problem(path, name.line, f"the name {value[:80]!r} {why}")
    elif folder is not None and value != folder:
        yield Problem(path, name.line, f"the name {value!r} is not that of its folder, {folder!r}")


def _read_metadata(member: Member, path: str, into: Parsed) -> None:
    if member.value is None:
        return
    if not isinstance(member.value, dict):
        message = "metadata must be a mapping of names to texts"
        into.problems.append(Problem(path, member.line, message))
    elif len(member.value) > MAX_METADATA:
        message = f"metadata has {len(member.value)} members; at most {MAX_METADATA} are allowed"
        into.problems.append(Problem(path, member.line, message))
    else:
        into.metadata = {name: text.value for name, text in member.value.items()}


def _read_allowed(member: Member, path: str, into: Parsed) -> None:
    """The specification has a text with spaces; some of its versions a list of texts, too."""
    if member.value is None:
        return
    if isinstance(member.value, dict):
        message = "allowed-tools must be names with spaces between them"
        into.problems.append(Problem(path, member.line, message))
        return
    texts = member.value if isinstance(member.value, list) else [member.value]
    names = [(found, text.line) for text in texts for found in _TOOLS.findall(text.value)]
    if not names:
        into.problems.append(Problem(path, member.line, "allowed-tools names no tool"))
    if len(names) > MAX_TOOLS:
        message = f"allowed-tools has {len(names)} names; at most {MAX_TOOLS} are allowed"
        into.problems.append(Problem(path, member.line, message))
    for found, line in names:
        if not _TOOL.match(found):
            message = f"allowed-tools: {found[:60]!r} is no name of a tool"
            into.problems.append(Problem(path, line, message))
    known = list(dict.fromkeys(found for found, _ in names))
    into.allowed = Allowed(
        tools=tuple(one for one in known if _OURS.match(one) and one not in ACTIONS),
        actions=tuple(one for one in known if one in ACTIONS),
        foreign=tuple(one for one in known if not _OURS.match(one)),
    )


def _read_body(lines: list[str], end: int, path: str, into: Parsed) -> None:
    into.body = "\n".join(lines[end + 1 :]).strip()
    if len(into.body) > MAX_BODY:
        message = f"the body has {len(into.body)} characters; at most {MAX_BODY} are allowed"
        into.problems.append(Problem(path, end + 2, message))
        return
    if not into.body:
        into.notes.append(Problem(path, end + 1, "there is no body: nothing says how to work"))
    if len(lines) > RECOMMENDED_LINES:
        message = f"has {len(lines)} lines; less than {RECOMMENDED_LINES} are recommended"
        into.notes.append(Problem(path, 0, message))
    for number, line in enumerate(lines[end + 1 :], end + 2):
        for target in _LINK.findall(line):
            _read_link(target, number, path, into)


def _read_link(target: str, line: int, path: str, into: Parsed) -> None:
    place = target.partition("#")[0].partition("?")[0]
    if not place or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", place):
        return  # within the page, or elsewhere on the web: never fetched
    if place.startswith(("/", "~", "\\")) or ".." in place.replace("\\", "/").split("/"):
        into.problems.append(
            Problem(path, line, f"the link {target[:80]!r} leads out of the folder")
        )
    else:
        into.links.append((line, place.removeprefix("./")))

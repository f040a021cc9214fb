"""SKILL.md by the specification: what is taken, and what is refused with its line."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skill_samples import skill_md, write_skill

from yunjue.skills.folder import MAX_FILES, check_files, read_skill
from yunjue.skills.parse import parse

FULL = """---
name: pdf-forms
description: >-
  Fills forms.
  Use for PDF forms.
license: Apache-2.0
compatibility: Needs Python 3.11
metadata:
  author: someone
  version: "1.0"
allowed-tools: fill_form request_tools Bash(git diff:*) Read
---
# How

See [the notes](references/notes.md#top) and [the web](https://example.org/../x).
"""


def test_every_member_of_the_specification_is_read():
    parsed = parse(FULL.replace("\n", "\r\n").encode(), "pdf-forms")
    assert parsed.problems == []
    assert parsed.description == "Fills forms. Use for PDF forms."
    assert (parsed.license, parsed.compatibility) == ("Apache-2.0", "Needs Python 3.11")
    assert parsed.metadata == {"author": "someone", "version": "1.0"}
    assert parsed.allowed.tools == ("fill_form",)
    assert parsed.allowed.actions == ("request_tools",)
    assert parsed.allowed.foreign == ("Bash(git diff:*)", "Read")
    assert parsed.body.startswith("# How") and parsed.links == [(15, "references/notes.md")]


def test_allowed_tools_may_be_a_list():
    parsed = parse(skill_md(more="allowed-tools:\n  - Read\n  - sum_values\n").encode())
    assert parsed.problems == [] and parsed.allowed.all() == ["sum_values", "Read"]


def front(*lines):
    return "\n".join(["---", *lines, "---", "", "Body."])


NAME, ABOUT = "name: reverse-text", "description: Reverses."

BAD = {
    "no front matter": ("# Reverse", 1, "must begin with a line ---"),
    "no end": ("---\nname: reverse-text\n", 1, "has no end"),
    "empty": ("", 1, "must begin"),
    "empty front matter": ("---\n---\nBody.", 1, "is empty"),
    "no name": (front(ABOUT), 1, "name is missing"),
    "no description": (front(NAME), 1, "description is missing"),
    "capitals": (front("name: Reverse-Text", ABOUT), 2, "has capitals"),
    "hyphen first": (front("name: -reverse", ABOUT), 2, "begins or ends"),
    "hyphen last": (front(ABOUT, "name: reverse-"), 3, "begins or ends"),
    "two hyphens": (front("name: reverse--text", ABOUT), 2, "two hyphens"),
    "underscore": (front("name: reverse_text", ABOUT), 2, "other characters"),
    "dots": (front("name: ../reverse", ABOUT), 2, "other characters"),
    "long name": (front("name: " + "a" * 65, ABOUT), 2, "65 characters"),
    "other folder": (front("name: other", ABOUT), 2, "not that of its folder"),
    "number as name": (front("name: 12", ABOUT), 2, "put it in quotes"),
    "boolean as description": (front(NAME, "description: no"), 3, "put it in quotes"),
    "empty description": (front(NAME, "description: ''"), 3, "is empty"),
    "null description": (front(NAME, "description:"), 3, "has no value"),
    "long description": (front(NAME, "description: " + "a" * 1025), 3, "1025 characters"),
    "list as description": (front(NAME, "description: [a, b]"), 3, "must be text"),
    "long compatibility": (front(NAME, ABOUT, "compatibility: " + "a" * 501), 4, "501"),
    "metadata as text": (front(NAME, ABOUT, "metadata: x"), 4, "must be a mapping"),
    "number in metadata": (front(NAME, ABOUT, "metadata:", "  v: 1.0"), 5, "metadata.v must be"),
    "deep metadata": (front(NAME, ABOUT, "metadata:", "  a:", "    b: c"), 6, "metadata.a must"),
    "unknown member": (front(NAME, ABOUT, "version: x"), 4, "belong under metadata"),
    "same member twice": (front(NAME, ABOUT, "name: reverse-text"), 4, "on line 2 already"),
    "same key in metadata": (front(NAME, ABOUT, "metadata:", "  a: b", "  a: c"), 6, "twice"),
    "anchor and alias": (front(NAME, "description: &a x", "license: *a"), 3, "anchor &a"),
    "merge key": (front(NAME, ABOUT, "<<: {license: x}"), 4, "no text"),
    "python tag": (front(NAME, "description: !!python/object:os.system x"), 3, "tag"),
    "colon in plain text": (front(NAME, "description: Use when: now"), 3, "is not YAML"),
    "tab for indent": (front(NAME, ABOUT, "metadata:", "\ta: b"), 5, "is not YAML"),
    "no mapping": (front("- a", "- b"), 2, "no mapping"),
    "too deep": (front(NAME, "description: " + "[" * 500 + "]" * 500), 3, "deeper than"),
    "no tool": (front(NAME, ABOUT, "allowed-tools: ''"), 4, "names no tool"),
    "odd tool": (front(NAME, ABOUT, "allowed-tools: Read $(rm)"), 4, "no name of a tool"),
    "hidden character": (front(NAME, "description: a\u202eb"), 3, "U+202E"),
    "zero": (front(NAME, ABOUT) + "\n\0", 7, "U+0000"),
    "byte order mark": ("\ufeff" + front(NAME, ABOUT), 1, "byte order mark"),
    "link that climbs": (front(NAME, ABOUT) + "\n[x](../../secret.txt)", 7, "leads out"),
    "absolute link": (front(NAME, ABOUT) + "\n\n[x](/etc/passwd)", 8, "leads out"),
    "long body": (front(NAME, ABOUT) + "a" * 100_001, 5, "the body has"),
    "long front matter": (front(NAME, "description: |", *["  a"] * 9000), 1, "more than 16384"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_breaks_the_specification_is_refused_with_its_line(kind):
    text, line, words = BAD[kind]
    problems = parse(text.encode("utf-8"), "reverse-text").problems
    assert [(one.line, True) for one in problems if words in one.message] == [(line, True)], (
        problems
    )


def test_every_problem_is_said_at_once():
    text = front("name: Bad_Name", "description: 7", "extra: x", "metadata: [a]")
    assert [one.line for one in parse(text.encode()).problems] == [2, 3, 4, 5]


def test_not_utf8_and_5_mb():
    assert str(parse(b"---\nname: \xff\n---\n").problems[0]) == "SKILL.md:2: is not UTF-8"
    (only,) = parse(skill_md(body="a" * (5 << 20)).encode()).problems
    assert "at most" in only.message and only.line == 0


def test_an_alias_bomb_costs_nothing():
    rows = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    rows += [f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi")]
    problems = parse(front(NAME, ABOUT, *rows).encode()).problems
    assert problems and all("not allowed" in one.message for one in problems)


@settings(max_examples=80, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_anything_is_refused_or_read_but_never_raises(data):
    for wrapped in (data, b"---\n" + data + b"\n---\nBody"):
        parsed = parse(wrapped, "reverse-text")
        assert parsed.problems or (parsed.name == "reverse-text" and parsed.description)


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
def test_a_quoted_description_comes_back_as_it_is(text):
    import json

    quoted = json.dumps(text[:900], ensure_ascii=False)
    parsed = parse(skill_md(description=quoted).encode())
    hidden = [one for one in parsed.problems if "cannot be seen" in one.message]
    assert hidden or parsed.description == text[:900]


def test_a_folder_is_read_with_scripts_and_resources(tmp_path):
    files = {
        "scripts/reverse.py": "print(1)\n",
        "scripts/setup.sh": "echo\n",
        "references/notes.md": "Notes.",
        "__pycache__/x.pyc": b"\0",
    }
    folder = write_skill(tmp_path, files=files, body="See [gone](references/gone.md).")
    skill, problems = read_skill(folder)
    assert problems == []
    assert skill.scripts == {"reverse": "scripts/reverse.py"}
    assert skill.resources == ["references/notes.md", "scripts/setup.sh"]
    assert sorted(map(str, skill.notes)) == [
        "SKILL.md:6: there is no file references/gone.md",
        "scripts/setup.sh: cannot be run here: the sandbox has Python and no shell; it can be read",
    ]
    again, _ = read_skill(write_skill(tmp_path / "copy", files=files, body=skill.body))
    assert again.id == skill.id
    (folder / "references/notes.md").write_text("Other notes.")
    assert read_skill(folder)[0].id != skill.id


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "link.md").symlink_to("/etc/passwd"), "link.md: is a link"),
        (lambda f: (f / "references").symlink_to("/etc"), "references: is a link"),
        (lambda f: os.mkfifo(f / "pipe"), "pipe: is no plain file"),
        (lambda f: (f / "big.bin").write_bytes(b"0" * (3 << 20)), "big.bin: has more than"),
        (lambda f: (f / "SKILL.md").write_bytes(b"0" * (5 << 20)), "SKILL.md: has more than"),
        (lambda f: (f / "a\nb").write_text("x"), "a?b: has a name"),
        (lambda f: (f / "a/b/c/d").mkdir(parents=True) or (f / "a/b/c/d/e").touch(), "deep"),
        (lambda f: (f / "SKILL.md").rename(f / "skill.md"), "SKILL.md: is missing"),
        (lambda f: (f / "SKILL.md").unlink() or (f / "SKILL.md").symlink_to("/x"), "is a link"),
        (lambda f: f.rename(f.parent / "renamed"), "SKILL.md:2: the name 'reverse-text' is not"),
        (lambda f: (f / "scripts").mkdir() or (f / "scripts/x.py").write_text("a\n b("), "x.py:2"),
    ],
)
def test_a_folder_that_cannot_be_a_skill_is_refused(tmp_path, spoil, words):
    folder = write_skill(tmp_path)
    spoil(folder)
    (folder,) = tmp_path.iterdir()
    skill, problems = read_skill(folder)
    assert skill is None and any(words in str(one) for one in problems), problems


def test_too_many_and_too_much(tmp_path):
    folder = write_skill(tmp_path, files={f"assets/{n}.txt": "x" for n in range(MAX_FILES)})
    assert any("more than 200 files" in str(one) for one in read_skill(folder)[1])
    files = {"SKILL.md": skill_md().encode(), **{f"{n}.bin": b"0" * (2 << 20) for n in range(5)}}
    assert any("8 MiB" in str(one) for one in check_files(files, None)[1])


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("# /// script\n# dependencies = ['x']\n", "no end"),
        ("# /// script\n# dependencies = [\n# ///\n", "not TOML"),
        ("# /// script\n# dependencies = 'x'\n# ///\n", "list of texts"),
        ("# /// script\n# dependencies = ['x @ https://example.org/x.whl']\n# ///\n", "a place"),
    ],
)
def test_what_a_script_requires_must_be_plain(tmp_path, block, words):
    folder = write_skill(tmp_path, files={"scripts/x.py": block + "print(1)\n"})
    assert any(words in str(one) for one in read_skill(folder)[1])

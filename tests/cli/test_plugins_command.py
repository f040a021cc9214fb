from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
import story
from typer.testing import CliRunner

from yunjue.cli.main import command_line

ROOT = Path(__file__).parents[2]
PLUGIN = "from yunjue.hookspecs import hookimpl\n@hookimpl\ndef on_event(event): pass\n"


@pytest.fixture
def run():
    def run(*arguments, **more):
        return CliRunner().invoke(command_line(), ["plugins", *arguments], **more)

    return run


def test_a_projects_plugins_are_trusted_by_a_person_or_with_yes(run, tmp_path, own_home):
    assert "no plugins" in str(run("trust").exception)
    folder = tmp_path / ".yunjue" / "plugins"
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text(PLUGIN)
    assert "at a terminal" in str(run("trust").exception)
    document = json.loads(run("trust", "--yes", "--json").stdout)
    assert document["trusted"] and document["files"] == [str(folder / "mine.py")]
    listed = subprocess.run(
        [sys.executable, "-m", "yunjue", "plugins", "list", "--json"],
        capture_output=True,
        env={name: value for name, value in os.environ.items() if name != "YUNJUE_LOAD_PLUGINS"},
    )
    assert "project/mine" in [one["name"] for one in json.loads(listed.stdout)]
    assert json.loads(run("trust", "--remove", "--json").stdout)["trusted"] is False


def test_info_says_what_a_plugin_registers(run):
    document = json.loads(run("info", "yunjue.embedders", "--json").stdout)
    assert "minilm" in document["offers"]["embedders"]
    assert "no plugin 'moon'" in str(run("info", "moon").exception)
    assert "no plugin 'moon'" in str(run("disable", "moon").exception)


@pytest.mark.parametrize("name", ["Acme", "a_b", "a--b", "", "../x", "auto", "x" * 31])
def test_a_name_that_no_plugin_can_have_makes_nothing(run, tmp_path, name):
    assert "no name of a plugin" in str(run("new", "--", name).exception)
    assert list(tmp_path.glob("**/pyproject.toml")) == []


def test_new_does_not_write_over_anything(run, tmp_path):
    made = json.loads(run("new", "my-field", "--json").stdout)["folder"]
    assert made == str(tmp_path / "yunjue-my-field")
    assert (tmp_path / "yunjue-my-field" / "yunjue_my_field" / "__init__.py").is_file()
    assert "there already" in str(run("new", "yunjue-my-field").exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["yunjue-my-field"]


def test_the_reference_is_made_from_the_hooks():
    script = ROOT / "scripts" / "plugins_reference.py"
    assert subprocess.run([sys.executable, script, "--check"]).returncode == 0
    page = (ROOT / "docs" / "plugins-reference.md").read_text()
    sections = page.split("\n## ")[1:]
    assert len(sections) >= 13
    assert all(section.count("```") == 2 and "```python\n\n" not in section for section in sections)


def at_terminal(arguments, answers):
    """Runs the command at a terminal; gives (what it printed, its exit code). Each answer is
    typed when its question has come."""
    process, terminal = pty.fork()
    if process == 0:
        os.execv(sys.executable, [sys.executable, "-m", "yunjue", *arguments])
    said, end = "", time.monotonic() + 100
    waiting = list(answers)
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                break
            if not data:
                break
            said += data.decode("utf-8", "replace")
        if waiting and waiting[0][0] in said.rsplit("\x00", 1)[-1]:
            os.write(terminal, waiting.pop(0)[1].encode())
            said += "\x00"
    return said, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.fixture
def asked(tmp_path, shared_base):
    script = story.write_script(tmp_path / "script.json")
    flags = ["--model", script, "--sandbox", "process", "--allow-unsafe", "--ask", "reverse_*"]
    return ["solve", story.TASK, *flags]


def test_at_a_terminal_the_person_sees_what_will_happen_and_edits_it(asked, monkeypatch):
    monkeypatch.setenv("YUNJUE_EMBEDDER", "hash")
    said, code = at_terminal(
        asked,
        [
            ("? ", "e\n"),
            ("empty: back", '{"text": 3}\n'),
            ("do not fit", "e\n"),
            ("empty: back", '{"text": "amber"}\n'),
        ],
    )
    assert code == 0, said
    assert "reverse_text(text='cedar') runs in the sandbox" in said and "rebma" in said


def test_ctrl_c_at_the_question_pauses_the_run(asked, monkeypatch):
    monkeypatch.setenv("YUNJUE_EMBEDDER", "hash")
    said, code = at_terminal(asked, [("? ", "\x03")])
    assert code == 6, said
    assert "--decide approve" in said

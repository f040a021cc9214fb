"""examples/archive_domain.py, which docs/plugins.md shows as an environment."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import pytest

from yunjue.agent.run import resume, runs, solve
from yunjue.config import load_settings
from yunjue.errors import LimitReached, UsageError
from yunjue.testing import assert_replays, write_script

EXAMPLE = Path(__file__).parents[1] / "examples" / "archive_domain.py"
pytestmark = pytest.mark.usefixtures("shared_base")

TASK = "Which room is it?"
READ = {"when": "[|] b.txt.*Which action", "reply": {"action": "read", "name": "b.txt"}}
ANSWER = {"when": "lotus.*Which action", "reply": {"action": "answer", "text": "lotus"}}
HOLDS = {"when": "says that the task is done", "reply": {"why": "it stands there", "done": True}}


@pytest.fixture
def notes(tmp_path, with_plugin):
    spec = importlib.util.spec_from_file_location("archive_domain", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with_plugin(module.plugin)
    path = tmp_path / "notes.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "nothing here")
        archive.writestr("b.txt", "We meet in the room lotus.")
        archive.writestr("c.bin", b"\xff\xfe")
    return {"notes.zip": path}


def test_a_question_is_answered_from_an_archive(notes, run_task):
    result = run_task(TASK, [ANSWER, READ, HOLDS], domain="archive", files=notes)
    assert (result.status, result.answer) == ("solved", "lotus")
    assert_replays(result.run)


async def test_an_interrupted_run_goes_on_without_the_original(notes, tmp_path):
    model = write_script(tmp_path / "rules.json", [ANSWER, READ, HOLDS])
    settings = load_settings(
        model=model, sandbox="process", allow_unsafe=True, domain="archive", max_actions=1
    )
    with pytest.raises(LimitReached):
        await solve(TASK, settings, files=notes)
    notes["notes.zip"].unlink()
    result = await resume(runs().names()[-1], {"max_actions": 5})
    assert result.answer == "lotus"


def test_what_is_no_text_is_an_error_of_the_step(notes, run_task):
    odd = {"when": "[|] b.txt.*Which action", "reply": {"action": "read", "name": "c.bin"}}
    done = {"when": "cannot be read.*Which action", "reply": {"action": "answer", "text": "none"}}
    result = run_task(TASK, [done, odd, HOLDS], domain="archive", files=notes)
    assert result.answer == "none"


def test_a_task_without_an_archive_says_what_is_missing(notes, run_task):
    with pytest.raises(UsageError, match="ZIP archive"):
        run_task(TASK, [], domain="archive")


def test_an_empty_archive_is_refused(notes, run_task):
    with zipfile.ZipFile(notes["notes.zip"], "w"):
        pass
    with pytest.raises(UsageError, match="no file in the archive"):
        run_task(TASK, [], domain="archive", files=notes)

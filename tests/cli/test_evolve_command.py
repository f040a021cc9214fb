from __future__ import annotations

import json

import pytest
from stream_story import script, stream, write_stream
from typer.testing import CliRunner

from yunjue.cli.main import command_line
from yunjue.errors import UsageError
from yunjue.plugins import plugins
from yunjue.testing.direct import DirectPlugin


@pytest.fixture
def evolve(tmp_path, monkeypatch):
    """Runs `yunjue evolve …` with the scripted model and a sandbox that runs code at once."""
    plugin = DirectPlugin()
    plugins().manager.register(plugin)
    for name, value in {
        "MODEL": script(tmp_path / "stream.json"),
        "SANDBOX": "direct",
        "EMBEDDER": "hash",
        "MIN_SIMILARITY": "-1",
    }.items():
        monkeypatch.setenv(f"YUNJUE_{name}", value)
    write_stream(tmp_path / "tasks.jsonl", stream(3))

    def run(*arguments: str, **more):
        result = CliRunner().invoke(command_line(), ["evolve", *arguments], **more)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    yield run
    plugins().manager.unregister(plugin)


def test_tasks_need_no_subcommand(evolve):
    result = evolve("tasks.jsonl", "-b", "3", "--json")
    found = json.loads(result.stdout)
    assert (found["status"], found["tasks"], found["tools"]) == ("finished", "3/3", 3)
    assert "step 1: 3 added" in result.stderr
    assert "[3/3]" in result.stderr and "EGLx1000 1000" in result.stderr


def test_stdin_limit_and_quiet(evolve, tmp_path):
    text = (tmp_path / "tasks.jsonl").read_text()
    result = evolve("-", "--limit", "1", "--quiet", "--json", input=text)
    assert json.loads(result.stdout)["tasks"] == "1/1"
    assert "step" not in result.stderr


def test_a_broken_line_is_told_and_the_rest_runs_or_nothing(evolve, tmp_path):
    path = tmp_path / "tasks.jsonl"
    path.write_text(path.read_text().replace('{"id": "vowels', '{"id" "vowels'))
    with pytest.raises(UsageError, match="1 problems in"):
        evolve("tasks.jsonl", "--strict")
    assert evolve("list").stdout == ""
    result = evolve("tasks.jsonl", "--json")
    assert "line 2 of tasks.jsonl" in result.stderr
    assert json.loads(result.stdout)["tasks"] == "2/2"


def test_no_tasks_at_all(evolve, tmp_path):
    (tmp_path / "none.jsonl").write_text("")
    with pytest.raises(UsageError, match="no tasks"):
        evolve("none.jsonl")
    with pytest.raises(UsageError, match="Name the tasks"):
        evolve("run")


def test_list_show_undo_and_resume(evolve):
    evolve("tasks.jsonl", "-b", "2")
    (row,) = json.loads(evolve("list", "--json").stdout)
    assert row["steps"] == "2/2"
    shown = json.loads(evolve("show", row["id"][-6:], "--json").stdout)
    assert [step["added"] for step in shown["steps"]] == [2, 1]
    assert len(shown["tasks"]) == 3
    assert "reverse-0" in evolve("show").stdout
    undone = json.loads(evolve("undo", "2", "--json").stdout)
    assert undone == {"undone": [2], "left": []}
    assert json.loads(evolve("list", "--json").stdout)[0]["status"] == "unfinished"
    assert json.loads(evolve("resume", "--json").stdout)["steps"] == "2/2"


def test_replay(evolve, own_home):
    name = evolve("tasks.jsonl", "--quiet").stdout.strip()
    folder = own_home / "evolutions" / name
    found = json.loads(evolve("--replay", str(folder), "--json").stdout)
    assert found == {"tasks": 3, "steps": 1, "tools": 3, "differences": []}
    (folder / "journal.jsonl").write_text(
        (folder / "journal.jsonl").read_text().replace('"size": 3', '"size": 4')
    )
    result = evolve("--replay", str(folder), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["differences"] == ["step 1: size is 3, recorded 4"]


def test_warm_start_needs_a_folder(evolve, tmp_path):
    with pytest.raises(UsageError, match="--warm-start needs --library"):
        evolve("tasks.jsonl", "--warm-start", str(tmp_path))


def test_frozen_and_baselines(evolve):
    result = evolve("tasks.jsonl", "--frozen", "--baseline", "model", "--json")
    assert json.loads(result.stdout)["tools"] == 0
    assert "model [3/3]" in result.stderr


def test_help_is_for_the_group(evolve):
    text = evolve("--help").stdout
    assert "undo" in text and "resume" in text
    assert "--batch-size" in evolve("run", "--help").stdout

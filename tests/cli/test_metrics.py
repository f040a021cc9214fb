"""``yunjue metrics`` as a user calls it."""

from __future__ import annotations

import csv
import io
import json

import pytest
from metric_samples import ALONE, EVIL, HAND, STARTED, hand_journal, lines
from typer.testing import CliRunner

from yunjue.cli.main import command_line
from yunjue.errors import TraceError, UsageError

ID = STARTED["id"]


@pytest.fixture(scope="module")
def commands():
    return command_line()


@pytest.fixture
def run(commands):
    def run(*args):
        return CliRunner().invoke(commands, ["metrics", *args])

    return run


@pytest.fixture
def journal(own_home):
    return hand_journal(own_home / "evolutions" / ID / "journal.jsonl")


def table(text):
    return [line.split("\t") for line in text.splitlines() if "\t" in line]


def test_the_newest_evolution_is_shown(run, journal):
    done = run()
    assert done.exit_code == 0, done.output
    rows = {row[0].strip(): row[1:] for row in table(done.stdout)}
    assert rows[""] == ["evolve", "model"]
    assert rows["EGL x1000"] == ["300.00", "-"]
    assert rows["EGL x1000, window"] == ["-", "-"]
    assert rows["right/known"] == ["66.7 %", "25.0 %"]
    assert rows["tokens of executor"] == ["70.0 %", "-"]
    assert "Stop: not converged" in done.stdout and "Fit: L = a/t" in done.stdout


@pytest.mark.parametrize("name", [ID, ID[:8], "abcdef", "FOLDER", "FILE"])
def test_it_is_found_by_id_and_by_path(run, journal, name):
    name = {"FOLDER": str(journal.parent), "FILE": str(journal)}.get(name, name)
    assert json.loads(run(name, "--json").stdout)["evolution"] == ID


def test_json_is_one_document_with_all_of_it(run, journal):
    document = json.loads(run("--json", "--window", "2").stdout)
    assert set(document) >= {"evolution", "started", "arms", "steps", "domains", "fit", "stop"}
    assert document["arms"]["evolve"]["egl"] == 0.3
    assert document["arms"]["model"]["egl"] is None
    assert document["arms"]["evolve"]["egl_recent"] == 0.0
    assert document["stop"]["rate"] == document["stop"]["alpha"] == 0.05


def test_csv_has_a_row_a_task(run, journal):
    rows = list(csv.DictReader(io.StringIO(run("--csv", "--window", "1").stdout)))
    assert [row["task"] for row in rows] == [task.task for task in (*HAND, *ALONE)]
    assert [row["egl"] for row in rows[:4]] == ["0.5", "0.6", "0.6", "0.3"]
    assert [row["egl_recent"] for row in rows[:4]] == ["0.5", str(2 / 3), "", "0.0"]
    assert [row["egl_fell"] for row in rows[:4]] == ["", "False", "False", "True"]
    assert rows[4]["egl"] == ""


def test_steps_and_domains(run, journal):
    steps = table(run("--by", "step").stdout)
    assert [row[0] for row in steps] == ["step", "1", "2"]
    assert steps[2][4:7] == ["0.00", "300.00", "2"]
    domains = table(run("--by", "domain", "--window", "1").stdout)
    assert [row[0] for row in domains] == ["domain", "text", "maths"]
    assert domains[2][5] == "-"


def test_a_plot_needs_no_terminal(run, journal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    done = run("--plot")
    assert done.exit_code == 0 and done.stdout.isascii()
    assert "EGL x1000, 4 tasks, last 300" in done.stdout
    assert "library size, 2 steps, last 2" in done.stdout


def test_the_page_is_written(run, journal, tmp_path):
    done = run("--html", str(tmp_path / "page.html"))
    assert done.exit_code == 0 and done.stdout == "" and "Wrote" in done.stderr
    text = (tmp_path / "page.html").read_text()
    assert "<script" not in text and "&lt;script&gt;" in text
    assert EVIL not in text
    missing = run("--html", str(tmp_path / "no" / "page.html"))
    assert isinstance(missing.exception, UsageError)
    assert "cannot be written" in missing.exception.message


@pytest.mark.parametrize("content", ["", lines(("started", STARTED)), '{"kind": "ta'])
@pytest.mark.parametrize(
    "flags", [(), ("--json",), ("--csv",), ("--plot",), ("--by", "step"), ("--html", "page.html")]
)
def test_an_evolution_without_tasks(run, journal, content, flags):
    journal.write_text(content)
    done = run(*flags)
    assert done.exit_code == 0, done.output
    assert "nothing to measure" in done.stderr
    if flags == ("--json",):
        assert json.loads(done.stdout)["arms"] == {}


def test_tasks_without_calls_or_steps(run, journal):
    none = [("task", {"arm": "evolve", "step": 1, "index": 0, "task": "a"})]
    journal.write_text(lines(*none))
    for flags in ((), ("--json",), ("--csv",), ("--plot",), ("--by", "step"), ("--by", "domain")):
        assert run(*flags).exit_code == 0, flags
    assert "not defined yet" in run("--plot").stdout
    only_baseline = [("task", task.to_dict()) for task in ALONE]
    journal.write_text(lines(*only_baseline))
    assert "Stop" not in run().stdout


def test_a_task_recorded_twice_is_told(run, journal):
    journal.write_text(lines(*[("task", HAND[0].to_dict())] * 2))
    assert "task 0 of the arm evolve is recorded twice" in run("--json").stderr


def test_a_domain_cannot_move_the_cursor(run, journal):
    task = {**HAND[0].to_dict(), "domain": "a\x1b[2J\tb\nc"}
    journal.write_text(lines(("task", task)))
    rows = table(run("--by", "domain").stdout)
    assert rows[1][0] == r"a\x1b[2J\tb\nc"


@pytest.mark.parametrize(
    ("args", "kind", "words"),
    [
        (("nowhere",), UsageError, "no evolution 'nowhere'"),
        (("--json", "--csv"), UsageError, "exclude"),
        (("--plot", "--by", "step"), UsageError, "exclude"),
        (("--rate", "1"), UsageError, "rate"),
        (("--alpha", "nan"), UsageError, "alpha"),
    ],
)
def test_bad_usage_is_one_clear_error(run, journal, args, kind, words):
    error = run(*args).exception
    assert isinstance(error, kind) and words in error.message


@pytest.mark.parametrize("args", [("--window", "0"), ("--by", "moon")])
def test_values_out_of_range(run, journal, args):
    assert run(*args).exit_code == 2


def test_a_damaged_journal_and_no_evolution(run, journal):
    journal.write_text("{\n" + lines(("task", HAND[0].to_dict())))
    assert isinstance(run().exception, TraceError)
    journal.unlink()
    error = run().exception
    assert isinstance(error, UsageError) and "no evolution" in error.message

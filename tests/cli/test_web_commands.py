"""``yunjue metrics web`` and ``yunjue web`` as a user calls them, after a run in the shop."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

sys.path.append(str(Path(__file__).parents[1] / "web"))

from shop import TASK
from shop_story import Story
from shop_story import run as run_in_shop

from yunjue import keys
from yunjue.cli.main import command_line
from yunjue.errors import UsageError

pytestmark = pytest.mark.usefixtures("shared_base")


@pytest.fixture(scope="module")
def commands():
    return command_line()


@pytest.fixture
def call(commands):
    def call(*args):
        return CliRunner().invoke(commands, args)

    return call


def test_nothing_was_foreseen_yet(call):
    done = call("metrics", "web", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["predictions"] == []


async def test_calibration_and_its_export(call, monkeypatch, tmp_path):
    await run_in_shop(Story(), monkeypatch, TASK, look_ahead="always")
    document = json.loads(call("metrics", "web", "--json").stdout)
    (clicks,) = document["predictions"]
    assert (clicks["kind"], clicks["depth"], clicks["predictions"]) == ("click", 1, 4)
    assert clicks["precision"] == clicks["recall"] == 1
    assert document["weights"][0]["weight"] > 0.73
    assert "trusted" in call("metrics", "web").stdout

    keys.store("shop_key", "Welcome")  # a value that the pages show
    file = tmp_path / "pairs.jsonl"
    assert call("metrics", "web", "--export", str(file)).exit_code == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["action"]["action"] for row in rows] == ["type", *["click"] * 5, "stop"]
    assert all(row["next_state"] == after["state"] for row, after in pairwise(rows))
    assert rows[2]["foreseen"]["title"] == ["Results", "Blue lamp"]
    assert "Welcome" not in file.read_text() and "[SHOP_KEY]" in rows[0]["state"]


def test_an_export_is_of_the_web(call):
    assert isinstance(call("metrics", "--export", "x.jsonl").exception, UsageError)


async def test_a_run_becomes_a_recipe(call, monkeypatch):
    result = await run_in_shop(Story(), monkeypatch, TASK, look_ahead="always")
    made = call("web", "distil", result.run, "--name", "order_lamp")
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("order_lamp(search): At http://shop.test order a blue {search}")
    (listed,) = json.loads(call("web", "list", "--json").stdout)
    assert listed["inputs"] == {"search": "lamp"}
    refused = call("web", "run", "order_lamp", "--input", "search=lamp")
    assert "not run without your word" in str(refused.exception)

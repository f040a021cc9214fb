"""A real plugin, installed into an environment of its own and used as a user would; and the
tutorial of docs/plugins.md, command by command."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from uv import find_uv_bin

from yunjue.testing import calling, write_script

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "plugins.md"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A virtual environment with yunjue and pytest, and nothing of the developer's."""
    folder = tmp_path_factory.mktemp("plugins") / "venv"
    uv = [find_uv_bin(), "--quiet"]
    subprocess.run([*uv, "venv", folder], check=True)
    python = folder / "bin" / "python"
    packages = ["--editable", ROOT, "pytest", "setuptools"]
    subprocess.run([*uv, "pip", "install", "--python", python, *packages], check=True)
    return folder


@pytest.fixture
def yunjue(environment, tmp_path, own_home, shared_base):
    variables = {name: value for name, value in os.environ.items() if not name.startswith("YUNJUE")}
    variables |= {
        "YUNJUE_HOME": str(own_home),
        "YUNJUE_EMBEDDER": "hash",
        "YUNJUE_MIN_SIMILARITY": "-1",
        "YUNJUE_SANDBOX": "bubblewrap",
        "ROCKS_LOG": str(tmp_path / "rocks.log"),
        "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
        "VIRTUAL_ENV": str(environment),
    }

    def run(*arguments, **more):
        command = [environment / "bin" / "yunjue", *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=280, env=variables | more
        )
        return done

    run.variables = variables
    return run


def test_a_package_is_installed_used_and_uninstalled(yunjue, tmp_path):
    installed = yunjue("plugins", "install", str(ROOT / "tests" / "plugin_package"), "--json")
    assert installed.returncode == 0, installed.stderr
    (plugin,) = json.loads(installed.stdout)
    assert (plugin["name"], plugin["version"], plugin["error"]) == ("rocks", "0.3.0", "")
    assert "outside the sandbox" in installed.stderr
    offers = json.loads(yunjue("plugins", "info", "rocks", "--json").stdout)["offers"]
    assert offers["commands"] == offers["domains"] == offers["models"] == ["rocks"]
    assert yunjue("rocks", "--count", "2").stdout == "rock rock \n"

    task = "How heavy is a rock of 2.0 litres?"
    solved = yunjue("solve", task, "--model", "rocks/1", "--ask", "weigh_*", "--json")
    assert solved.returncode == 0, solved.stderr
    document = json.loads(solved.stdout)
    assert (document["answer"], document["tools_used"]) == ("5.4", ["weigh_rock"])
    assert document["domain"] == "rocks" and document["checks"][0]["score"] == 1.0
    assert "moons are not rocks" in solved.stderr
    assert "approval  weigh_rock is allowed by rocks" in solved.stderr
    assert "run.finished" in (tmp_path / "rocks.log").read_text()
    replayed = yunjue("runs", "replay", document["run"], "--json", "-q")
    assert replayed.returncode == 0, replayed.stderr

    broken = yunjue("plugins", "list", ROCKS_LOG="/nowhere/log")
    assert broken.returncode == 0
    unlogged = yunjue("solve", task, "--model", "rocks/1", "-q", ROCKS_LOG="/nowhere/log")
    assert (unlogged.returncode, unlogged.stdout) == (0, "5.4\n"), unlogged.stderr
    assert unlogged.stderr.count("the plugin rocks is disabled") == 1

    assert yunjue("plugins", "disable", "rocks").returncode == 0
    assert yunjue("rocks").returncode == 2
    assert yunjue("plugins", "enable", "rocks").returncode == 0
    removed = yunjue("plugins", "uninstall", "rocks", "--json")
    assert json.loads(removed.stdout) == {"plugin": "rocks", "package": "yunjue-rocks"}
    assert yunjue("rocks").returncode == 2
    assert yunjue("plugins", "install", "yunjue rocks!").returncode == 2


def commands():
    """(command, the lines that follow it) of the tutorial."""
    found = []
    for block in BLOCK.findall(TUTORIAL.read_text()):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line:
                found[-1][1].append(line)
    return found


def follow(variables, folder):
    for command, expected in commands():
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=900,
        )
        said = f"$ {command}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == 0, said
        for line in expected:
            assert line in done.stdout + done.stderr, said


def test_the_tutorial_works_as_it_is_written(yunjue, tmp_path):
    inputs = {"text": "red fish blue fish", "word": "fish"}
    script = write_script(tmp_path / "script.json", calling("acme_count_word", inputs))
    follow(yunjue.variables | {"YUNJUE_MODEL": script}, tmp_path)
    assert len(commands()) > 5


@pytest.mark.live
def test_the_tutorial_works_with_the_local_model(yunjue, live_model, tmp_path):
    follow(yunjue.variables | {"YUNJUE_MODEL": f"local/{live_model}"}, tmp_path)

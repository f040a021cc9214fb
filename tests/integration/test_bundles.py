"""Tools given away and taken in by real commands, in a real sandbox."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "bundle"))

from bundle_samples import a_tool, bundle_of, filled, source_of, state

pytestmark = pytest.mark.integration


@pytest.fixture
def command(bubblewrap_sandbox, home):
    """Runs ``yunjue`` in the sandbox that is ready."""
    env = {
        **os.environ,
        "YUNJUE_HOME": str(home),
        "YUNJUE_SANDBOX": "bubblewrap",
        "YUNJUE_EMBEDDER": "hash",
    }

    def run(*args, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "yunjue", *map(str, args)],
            capture_output=True,
            text=True,
            timeout=250,
            env=env,
        )
        assert done.returncode == code, done.stderr
        return done

    return run


def test_export_import_run(command, tmp_path):
    theirs, ours, bundle = tmp_path / "theirs", tmp_path / "ours", tmp_path / "b.ytb"
    filled(theirs, a_tool(), a_tool(name="triple", expression="input.number * 2")).close()
    key = json.loads(
        command("tools", "keygen", "-o", tmp_path / "me", "--no-password", "--json").stdout
    )
    command("tools", "export", "--all", "-o", bundle, "-l", theirs, "--sign", key["secret_key"])
    first = bundle.read_bytes()

    looked = command("tools", "import", bundle, "-l", ours, "--dry-run")
    assert "unverified" in looked.stderr and "would be proved" in looked.stderr
    assert not ours.exists()

    done = command("tools", "import", bundle, "-l", ours, "--trust", key["key"], "--json")
    report = json.loads(done.stdout)
    assert report["changed"] and report["signature"]["state"] == "trusted"
    assert {one["action"] for one in report["tools"]} == {"add"}
    ran = command("tools", "run", "double", "number=21", "-l", ours)
    assert json.loads(ran.stdout) == {"result": 42}
    shown = json.loads(command("tools", "show", "double", "-l", ours, "--json").stdout)
    assert shown["id"] == a_tool().id and shown["verdict"]["sandbox"] == "bubblewrap"

    command("tools", "export", "--all", "-o", bundle, "-l", ours)
    assert bundle.read_bytes() == first


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expression": "input.number + 2"}, "tests"),
        ({"expression": "[][input.number]"}, "tests"),
        ({"expression": "input.number * 2 if [1 for _ in iter(int, 1)] else 0"}, "tests"),
        ({"expression": "len('x' * 10**11)"}, "tests"),
    ],
)
def test_what_only_running_shows(command, tmp_path, change, reason):
    ours, bundle = tmp_path / "ours", tmp_path / "b.ytb"
    filled(ours, a_tool(name="mine")).close()
    before = state(ours)
    bundle.write_bytes(bundle_of(tmp_path / "theirs", a_tool(**change)))
    done = command("tools", "import", bundle, "-l", ours, "--json", code=1)
    [tool] = json.loads(done.stdout)["tools"]
    assert tool["action"] == "refused" and tool["reason"] == reason
    assert state(ours) == before


def test_a_dependency_that_does_not_exist(command, tmp_path):
    from test_hostile import Good, _requiring

    good = Good(bundle_of(tmp_path / "theirs"), tmp_path)
    bundle = good.file(_requiring(good, "no-such-package-of-yunjue-4711==1.0"))
    done = command("tools", "import", bundle, "-l", tmp_path / "ours", code=1)
    assert "REFUSED  double: contract" in done.stderr and "as it was" in done.stderr
    assert not (tmp_path / "ours").exists()


def test_a_folder_of_original_files(command, tmp_path):
    folder = tmp_path / "originals"
    folder.mkdir()
    (folder / "double.py").write_text(source_of())
    script = tmp_path / "script.json"
    cases = [
        {"inputs": {"number": 2}, "expected": 4},
        {"inputs": {"number": 3}, "expected": 6},
        {"inputs": {"number": 4}, "expected": 9},
    ]
    rule = {"when": "You write test cases", "reply": {"cases": cases}}
    script.write_text(json.dumps({"rules": [rule]}))
    ours = tmp_path / "ours"
    done = command("tools", "import", folder, "-l", ours, "-m", f"scripted/{script}")
    assert "agree on 2 of 3 cases" in done.stderr
    ran = command("tools", "run", "double", "number=21", "-l", ours)
    assert json.loads(ran.stdout) == {"result": 42}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_import_that_is_stopped_in_the_middle(command, home, tmp_path, how):
    ours, bundle = tmp_path / "ours", tmp_path / "b.ytb"
    filled(ours, a_tool(name="mine")).close()
    before = state(ours)
    slow = "input.number * 2 + len([1 for _ in iter(int, 1)])"
    bundle.write_bytes(
        bundle_of(tmp_path / "theirs", a_tool(), a_tool(name="slow", expression=slow))
    )
    env = {**os.environ, "YUNJUE_HOME": str(home), "YUNJUE_SANDBOX": "bubblewrap"}
    started = subprocess.Popen(
        [sys.executable, "-m", "yunjue", "tools", "import", str(bundle), "-l", str(ours)],
        # A shell lets what it starts in the background ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )
    for line in started.stderr:
        if line.startswith("proved   double"):
            break
    started.send_signal(how)
    started.communicate(timeout=60)
    assert started.returncode == (130 if how == signal.SIGINT else -how)
    assert (ours / "quarantine").exists() == (how == signal.SIGKILL)
    command("tools", "import", bundle, "-l", ours, "--dry-run")
    assert state(ours) == before


def test_the_starter_tools_are_proved_again_and_give_the_same_bytes(command, tmp_path):
    done = command("tools", "import", "starter", "-l", tmp_path / "ours", "--json")
    report = json.loads(done.stdout)
    assert report["changed"]
    shipped = Path(__file__).parents[2] / "tools_registry" / "starter"
    again = tmp_path / "again"
    command("tools", "export", "--all", "-o", again, "--as", "folder", "-l", tmp_path / "ours")
    files = [path.relative_to(shipped) for path in shipped.rglob("*") if path.is_file()]
    assert len(files) == 1 + 2 * len(list((shipped / "tools").iterdir()))
    assert all((again / file).read_bytes() == (shipped / file).read_bytes() for file in files)
    ran = command(
        "tools",
        "run",
        "days_between",
        "start=2024-02-28",
        "end=2024-03-01",
        "-l",
        tmp_path / "ours",
    )
    assert json.loads(ran.stdout) == {"days": 2}

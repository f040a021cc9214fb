"""The command line as a user calls it: processes, exit codes, stdout and stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import story

from yunjue.agent.run import runs
from yunjue.cli import output


def yunjue(*args, stdin="", env=None):
    return subprocess.run(
        [sys.executable, "-m", "yunjue", *args],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **(env or {})},
    )


@pytest.fixture
def script(tmp_path, monkeypatch, shared_base):
    """Settings by environment, so that every command plays the story on this host."""
    monkeypatch.setenv("YUNJUE_MODEL", story.write_script(tmp_path / "script.json"))
    monkeypatch.setenv("YUNJUE_SANDBOX", "process")
    monkeypatch.setenv("YUNJUE_ALLOW_UNSAFE", "true")
    monkeypatch.setenv("YUNJUE_EMBEDDER", "hash")
    monkeypatch.setenv("YUNJUE_MIN_SIMILARITY", "-1")
    return tmp_path / "script.json"


def test_solve_show_replay_and_list(script):
    done = yunjue("solve", story.TASK)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "radec\n"
    for word in ("specify", "write", "prove", "admit", "call"):
        assert word in done.stderr

    solved = yunjue("solve", "-", "--json", "--quiet", stdin=story.OTHER_TASK)
    document = json.loads(solved.stdout)
    assert document["status"] == "solved" and document["answer"] == "rebma"
    assert document["new_tools"] == [] and document["tools_used"] == ["reverse_text"]
    assert {"run", "model", "tokens", "cost_usd", "seconds"} <= set(document)

    listed = json.loads(yunjue("runs", "list", "--json").stdout)
    assert [run["status"] for run in listed] == ["solved", "solved"]
    assert all(run["name"] for run in listed)
    shown = yunjue("runs", "show", listed[0]["name"])
    assert "rebma" in shown.stdout
    replayed = yunjue("runs", "replay", listed[1]["name"], "--json", "--quiet")
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout)["differences"] == []

    tools = json.loads(yunjue("tools", "list", "--json").stdout)
    assert [tool["name"] for tool in tools] == ["reverse_text"]
    called = yunjue("tools", "run", "reverse_text", "text=abc")
    assert called.returncode == 0 and "cba" in called.stdout


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("solve", ""), 2, "empty"),
        (("solve", "x", "--file", "nowhere.csv"), 2, "nowhere.csv"),
        (("solve", "x", "--model", "scripted/nowhere.json"), 2, "nowhere.json"),
        (("solve", "x", "--sandbox", "moon"), 2, "moon"),
        (("solve", "x", "--timeout", "-3"), 2, "timeout"),
        (("resume", "nothing"), 2, "no run"),
        (("runs", "show", "nothing"), 2, "no run"),
        (("tools", "show", "nothing"), 2, "nothing"),
        (("models", "pull", "nothing"), 2, "nothing"),
    ],
)
def test_bad_usage_is_one_clear_message(script, args, code, words):
    done = yunjue(*args)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_errors_are_a_json_document_too(script):
    done = yunjue("solve", "", "--json")
    document = json.loads(done.stdout)
    assert document["error"]["type"] == "UsageError" and document["exit_code"] == 2


def test_the_unsafe_sandbox_needs_the_flag(script):
    done = yunjue("solve", story.TASK, env={"YUNJUE_ALLOW_UNSAFE": "false"})
    assert done.returncode == 5
    assert "--allow-unsafe" in done.stderr or "allow_unsafe" in done.stderr


def test_no_backend_is_exit_5_with_the_way_out(script, tmp_path):
    env = {"YUNJUE_SANDBOX": "auto", "PATH": str(tmp_path), "DOCKER_HOST": f"unix://{tmp_path}/no"}
    done = yunjue("solve", story.TASK, env=env)
    assert done.returncode == 5, done.stderr
    assert "docker.io" in done.stderr and "bubblewrap" in done.stderr


def test_not_solved_is_exit_3_and_says_the_guess(script, tmp_path):
    story.write_script(script, author=story.WRONG, next={"action": "answer", "text": "CEDAR"})
    few = {"YUNJUE_CANDIDATES": "2", "YUNJUE_REPAIRS": "0"}
    done = yunjue("solve", story.TASK, env=few)
    assert done.returncode == 3
    assert done.stdout == ""
    assert "CEDAR" in done.stderr


def test_a_limit_is_exit_4_with_the_resume_command(script):
    done = yunjue("solve", story.TASK, "--max-tokens", "60")
    assert done.returncode == 4
    assert "yunjue resume" in done.stderr
    run = json.loads(yunjue("runs", "list", "--json").stdout)[0]["name"]
    resumed = yunjue("resume", run, "--max-tokens", "100000")
    assert (resumed.returncode, resumed.stdout) == (0, "radec\n")


def test_a_damaged_library_is_one_clear_message(script, own_home):
    library = own_home / "library"
    library.mkdir(parents=True)
    (library / "library.db").write_bytes(b"this is no database" * 100)
    done = yunjue("solve", story.TASK)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "library.db" in done.stderr


def test_settings_that_are_wrong_are_named(script, tmp_path):
    (tmp_path / "yunjue.toml").write_text("top_k = 'many'\n")
    done = yunjue("solve", story.TASK)
    assert done.returncode == 2 and "top_k" in done.stderr
    (tmp_path / "yunjue.toml").write_text("top_k = \n")
    done = yunjue("solve", story.TASK)
    assert done.returncode == 2 and "TOML" in done.stderr


def test_a_full_disk_is_one_clear_message(script, tmp_path):
    assert yunjue("solve", story.OTHER_TASK, "-q", "--library", str(tmp_path / "other")).stdout
    before = {run["name"] for run in json.loads(yunjue("runs", "list", "--json").stdout)}
    limit = 30_000  # bytes a file may have: the run begins and then cannot go on
    program = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"sys.argv = ['yunjue', 'solve', {story.TASK!r}];"
        "from yunjue.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr and "Internal" not in done.stderr
    assert "no room" in done.stderr or "disk is full" in done.stderr
    after = {run["name"] for run in json.loads(yunjue("runs", "list", "--json").stdout)}
    (run,) = after - before
    resumed = yunjue("resume", run)
    assert (resumed.returncode, resumed.stdout) == (0, "radec\n"), resumed.stderr


def test_doctor_names_what_is_missing(script):
    done = yunjue("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert {"sandbox", "model", "library", "browser"} <= set(checks)


def test_plugins_list_shows_the_built_ins(script):
    found = json.loads(yunjue("plugins", "list", "--json").stdout)
    assert {"yunjue.commands", "yunjue.models"} <= {plugin["name"] for plugin in found}


def test_help_imports_nothing_heavy():
    heavy = ["litellm", "langgraph", "chromadb", "onnxruntime", "docker", "sqlite_utils"]
    heavy += ["playwright", "xllamacpp", "numpy", "pydantic", "jsonschema", "httpx", "mcp"]
    program = (
        "import sys; sys.argv = ['yunjue', '--help']\n"
        "from yunjue.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"
    assert "solve" in done.stdout


def test_a_call_that_must_be_asked_about_is_exit_6_with_the_resume_command(script):
    done = yunjue("solve", story.TASK, "--ask", "reverse_*", "--json", "--quiet")
    assert done.returncode == 6, done.stderr
    document = json.loads(done.stdout)
    assert document["error"]["proposal"]["inputs"] == {"text": "cedar"}
    run = json.loads(yunjue("runs", "list", "--json").stdout)[0]
    assert run["status"] == "paused" and run["name"] in done.stderr
    wrong = yunjue("resume", run["name"], "--decide", "maybe")
    assert wrong.returncode == 2 and "approve, always, reject" in wrong.stderr
    resumed = yunjue("resume", run["name"], "--decide", "approve")
    assert (resumed.returncode, resumed.stdout) == (0, "radec\n"), resumed.stderr
    bad = yunjue("solve", story.TASK, "--deny", "colour:red")
    assert bad.returncode == 2 and "no condition" in bad.stderr


def test_what_models_and_pages_say_does_not_steer_the_terminal(capsys, monkeypatch):
    text = "one\n\ttwo\x1b]0;title\x07\x9b2J\r\x00é"
    output.print_text(text)
    assert capsys.readouterr().out == text + "\n"  # a pipe gets it as it is
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    output.print_text(text)
    output.say(text)
    shown = capsys.readouterr()
    assert shown.out == shown.err == "one\n\ttwo\\x1b]0;title\\x07\\x9b2J\\x0d\\x00é\n"


def test_a_trace_of_somebody_elses_names_no_files_here(script, tmp_path):
    solved = yunjue("solve", story.TASK, "--json", "--quiet")
    kept = runs().path(json.loads(solved.stdout)["run"]) / "trace.jsonl"
    trace = tmp_path / "theirs.jsonl"
    trace.write_text(kept.read_text().replace('"files": {}', '"files": {"key": "/etc/key"}', 1))
    refused = yunjue("runs", "replay", str(trace), "--quiet")
    assert refused.returncode == 2 and "--file PATH/key" in refused.stderr

"""``yunjue skills``: what a user types, and what is refused."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import story
from typer.testing import CliRunner

sys.path.append(str(Path(__file__).parents[1] / "skills"))

from skill_samples import skill_md, write_skill

from yunjue.cli.skills import app
from yunjue.errors import DiskFull, DownloadError, SkillRefused, UnknownSkillError, UsageError
from yunjue.skills.shelf import user_folder


def invoke(*args):
    return CliRunner().invoke(app, [str(one) for one in args], catch_exceptions=False)


def document(*args):
    done = invoke(*args, "--json")
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setattr("yunjue.skills.shelf.shipped_folder", lambda: tmp_path / "shipped")
    return tmp_path


def zipped(path, entries, links=(), compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            info.external_attr = (0o120777 if name in links else 0o100644) << 16
            archive.writestr(info, content)
    return path


def test_add_show_export_and_remove(tmp_path):
    source = write_skill(
        tmp_path / "from",
        files={"scripts/x.py": "print(1)\n", "references/a.md": "A"},
        more="allowed-tools: sum_values Read\n",
    )
    added = document("add", source)
    assert [one["name"] for one in added["skills"]] == ["reverse-text"]
    shown = document("show", "reverse-text")
    assert shown["owner"] == "user" and shown["scripts"] == ["scripts/x.py"]
    assert shown["foreign_tools"] == ["Read"]
    text = invoke("show", "reverse-text").stdout
    assert "allows    sum_values" in text and "other programs' tools" in text
    for name in ("a.skill", "b.zip"):
        assert invoke("export", "reverse-text", "-o", tmp_path / name).exit_code == 0
    assert (tmp_path / "a.skill").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        invoke("export", "reverse-text", "-o", tmp_path / "b.zip")
    with pytest.raises(SkillRefused, match="already"):
        invoke("add", tmp_path / "b.zip")
    assert document("add", tmp_path / "b.zip", "--replace")["skills"][0]["id"] == shown["id"]
    assert document("remove", "reverse-text")["removed"] == "reverse-text"
    assert document("list") == [] and list(user_folder().iterdir()) == []


def test_a_skill_md_alone_and_a_folder_of_skills_are_taken(tmp_path):
    (tmp_path / "SKILL.md").write_text(skill_md("alone"))
    assert invoke("add", tmp_path / "SKILL.md").exit_code == 0
    write_skill(tmp_path / "many", "one")
    write_skill(tmp_path / "many", "two")
    assert invoke("add", tmp_path / "many").exit_code == 0
    assert [one["name"] for one in document("list")] == ["alone", "one", "two"]


def test_all_or_nothing(tmp_path):
    write_skill(tmp_path / "many", "one")
    write_skill(tmp_path / "many", "two", description="''")
    with pytest.raises(SkillRefused, match=r"SKILL\.md:3: description is empty"):
        invoke("add", tmp_path / "many")
    write_skill(tmp_path / "many", "two")
    write_skill(user_folder(), "two")
    with pytest.raises(SkillRefused, match="two already"):
        invoke("add", tmp_path / "many")
    assert [path.name for path in user_folder().iterdir()] == ["two"]


def test_a_failure_in_the_middle_puts_the_old_ones_back(tmp_path, monkeypatch):
    for name in ("one", "two"):
        write_skill(user_folder(), name, body="Old.")
        write_skill(tmp_path / "many", name, body="New.")
    real = os.rename

    def rename(source, target):
        if str(source).endswith("new/two"):
            raise OSError(28, "No space left on device")
        real(source, target)

    with monkeypatch.context() as patch, pytest.raises(DiskFull):
        patch.setattr("yunjue.skills.install.os.rename", rename)
        invoke("add", tmp_path / "many", "--replace")
    for name in ("one", "two"):
        assert "Old." in (user_folder() / name / "SKILL.md").read_text()
    assert sorted(path.name for path in user_folder().iterdir()) == ["one", "two"]


MD = skill_md()


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"reverse-text/SKILL.md": MD, "../evil.py": "x"}, "leads out"),
        ({"reverse-text/SKILL.md": MD, "reverse-text/../../evil": "x"}, "leads out"),
        ({"reverse-text/SKILL.md": MD, "/etc/evil": "x"}, "absolute"),
        ({"reverse-text/SKILL.md": MD, "C:/evil": "x"}, "absolute"),
        ({"reverse-text/SKILL.md": MD, "a\\b": "x"}, "plain letters"),
        ({"other/SKILL.md": MD}, "not that of its folder"),
        ({"readme.md": "x"}, "has no SKILL.md"),
        ({"SKILL.md": "0" * (5 << 20)}, "has more than 2 MiB"),
        ({"SKILL.md": MD, "bomb.txt": "0" * (30 << 20)}, "has more than 2 MiB"),
        ({f"{n}.txt": "x" for n in range(2001)} | {"SKILL.md": MD}, "more than 2000 entries"),
    ],
)
def test_hostile_archives_are_refused_and_leave_nothing(tmp_path, entries, words):
    with pytest.raises(SkillRefused, match=words):
        invoke("add", zipped(tmp_path / "x.zip", entries))
    assert not user_folder().exists()


def test_links_doubles_and_damage_in_archives_are_refused(tmp_path):
    linked = zipped(tmp_path / "l.zip", {"SKILL.md": MD, "x": "/etc/passwd"}, links=("x",))
    with pytest.raises(SkillRefused, match="'x': is a link"):
        invoke("add", linked)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, pytest.warns(UserWarning):
        archive.writestr("SKILL.md", MD)
        archive.writestr("SKILL.md", MD)
    (tmp_path / "d.zip").write_bytes(file.getvalue())
    with pytest.raises(SkillRefused, match="there twice"):
        invoke("add", tmp_path / "d.zip")
    good = zipped(tmp_path / "g.zip", {"SKILL.md": MD * 20}).read_bytes()
    for cut in (10, len(good) // 2, len(good) - 3):
        (tmp_path / "c.zip").write_bytes(good[:cut])
        with pytest.raises(SkillRefused):
            invoke("add", tmp_path / "c.zip")
    spoilt = bytearray(good)
    spoilt[45:55] = b"\xff" * 10
    (tmp_path / "s.zip").write_bytes(bytes(spoilt))
    with pytest.raises(SkillRefused):
        invoke("add", tmp_path / "s.zip")


def test_validate_says_every_problem_with_its_place(tmp_path):
    folder = write_skill(tmp_path, description="7", more="extra: x\n")
    done = invoke("validate", folder)
    assert done.exit_code == 1
    assert f"{folder}/SKILL.md:3: description must be text, not a number" in done.stdout
    assert f"{folder}/SKILL.md:4: 'extra' is no member" in done.stdout
    fine = write_skill(tmp_path, "fine", body="See [x](references/gone.md).")
    done = invoke("validate", fine)
    assert done.exit_code == 0 and "note: there is no file references/gone.md" in done.stdout
    (both,) = document("validate", folder)
    assert [one["line"] for one in both["problems"]] == [3, 4]
    with pytest.raises(UnknownSkillError):
        invoke("validate", "nowhere")


def test_trust_is_given_shown_and_taken_back(tmp_path):
    write_skill(tmp_path / ".agents/skills", files={"scripts/x.py": "print(1)\n"})
    (untrusted,) = document("list")
    assert untrusted["status"] == "untrusted"
    given = invoke("trust")
    assert "trusted: reverse-text" in given.stderr and "scripts/x.py" in given.stderr
    assert document("list")[0]["status"] == "usable"
    assert document("untrust")["was_trusted"] is True
    assert document("list")[0]["status"] == "untrusted"
    with pytest.raises(UsageError, match="has no skills"):
        invoke("trust", tmp_path / "user", "--json") if (tmp_path / "user").mkdir() is None else 0


def test_only_what_was_added_is_removed(tmp_path):
    write_skill(tmp_path / "user/.agents/skills")
    with pytest.raises(UsageError, match="not a folder of"):
        invoke("remove", "reverse-text")
    with pytest.raises(UnknownSkillError):
        invoke("remove", "../../user")


def test_a_url_is_fetched_only_from_where_it_may(tmp_path):
    (tmp_path / "www").mkdir()
    zipped(tmp_path / "www/reverse-text.skill", {"reverse-text/SKILL.md": MD})
    (tmp_path / "www/big.skill").write_bytes(b"PK" + b"0" * (17 << 20))
    with serving(tmp_path / "www") as here:
        assert invoke("add", f"{here}/reverse-text.skill").exit_code == 0
        with pytest.raises(DownloadError, match="nothing at"):
            invoke("add", f"{here}/gone.skill")
        with pytest.raises(SkillRefused, match="More than"):
            invoke("add", f"{here}/big.skill")
    with pytest.raises(UsageError, match="only https"):
        invoke("add", "http://example.org/x.skill")
    assert [one["name"] for one in document("list")] == ["reverse-text"]


@contextmanager
def serving(folder):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# ---- distil ------------------------------------------------------------------------------


NAMED = {
    "when": "Name the procedure",
    "reply": {"name": "turn-texts-round", "description": "Turns a text round. Use when asked to."},
}


@pytest.fixture
def run(tmp_path, monkeypatch, shared_base):
    """A solved run of the story, and settings by environment for what follows."""
    import asyncio

    from yunjue.agent.run import solve

    story.write_script(tmp_path / "script.json", first=[NAMED])
    for name, value in {
        "MODEL": f"scripted/{tmp_path / 'script.json'}",
        "SANDBOX": "process",
        "ALLOW_UNSAFE": "true",
        "EMBEDDER": "hash",
        "MIN_SIMILARITY": "-1",
    }.items():
        monkeypatch.setenv(f"YUNJUE_{name}", value)
    from yunjue.config import load_settings

    story.stock(load_settings())
    return asyncio.run(solve(story.TASK, load_settings())).run


def test_a_solved_run_becomes_a_skill_that_solves_another(run, tmp_path):
    kept = document("distil", run, "--check", story.OTHER_TASK, "--quiet")
    assert kept["name"] == "turn-texts-round" and kept["check"]["answer"] == "rebma"
    skill = document("show", "turn-texts-round")
    tool = skill["metadata"]["yunjue-tools"].partition("=")[2]
    assert len(tool) == 64 and tool in skill["body"]
    assert skill["allowed_tools"] == ["reverse_text"]
    assert skill["metadata"]["yunjue-checked-by"] == kept["check"]["run"]
    text = (Path(kept["folder"]) / "SKILL.md").read_text()
    assert "1. Call `reverse_text` with:" in text and '{"text": "abc"}' in text
    for value in ("cedar", "radec", "amber", "rebma"):
        assert value not in text
    # The second run is a run like others.
    import asyncio

    from yunjue.agent.replay import replay
    from yunjue.agent.run import runs
    from yunjue.config import load_settings

    trace = runs().directory / kept["check"]["run"] / "trace.jsonl"
    assert asyncio.run(replay(trace, load_settings())).differences == []
    with pytest.raises(SkillRefused, match="already"):
        invoke("distil", run, "--check", story.OTHER_TASK, "--quiet")


def test_what_the_second_task_does_not_prove_is_not_kept(run, tmp_path):
    with pytest.raises(UsageError, match="is the first one"):
        invoke("distil", run, "--check", f" {story.TASK.upper()}", "--quiet")
    give_up = {"when": "amber(?s:.*)What next", "reply": {"action": "answer", "text": "?"}}
    refuse = {"when": "Proposed answer", "reply": {"answered": False, "why": "no"}}
    call = {
        "when": "amber(?s:.*)Call reverse_text",
        "reply": {"tool": "reverse_text", "inputs": {"text": "amber"}},
    }
    story.write_script(tmp_path / "script.json", first=[NAMED, call, give_up, refuse])
    with pytest.raises(SkillRefused, match="the second task was not solved"):
        invoke("distil", run, "--check", story.OTHER_TASK, "--quiet")
    knows = {"when": "amber(?s:.*)Which function", "reply": {"kind": "knowledge", "function": "x"}}
    answer = {"when": "amber(?s:.*)What next", "reply": {"action": "answer", "text": "rebma"}}
    story.write_script(tmp_path / "script.json", first=[NAMED, knows, answer])
    with pytest.raises(SkillRefused, match="reverse_text of its steps did not work"):
        invoke("distil", run, "--check", story.OTHER_TASK, "--quiet")
    assert document("list") == []


def test_a_description_with_the_tasks_values_is_not_taken(run, tmp_path):
    leak = {
        "when": "Name the procedure",
        "reply": {"name": "turn-round", "description": "Turns cedar into radec."},
    }
    story.write_script(tmp_path / "script.json", first=[leak])
    kept = document("distil", run, "--check", story.OTHER_TASK, "--quiet")
    skill = document("show", kept["name"])
    assert skill["name"] == "reverse-text"
    assert skill["description"] == (
        "The characters of the text in reverse order. Use when a task asks for just this."
    )


def test_a_run_that_was_not_solved_becomes_no_skill(run, tmp_path):
    import asyncio

    from yunjue.agent.run import solve
    from yunjue.config import load_settings

    give_up = {"when": "What next", "reply": {"action": "answer", "text": "?"}}
    knows = {"when": "Which function", "reply": {"kind": "compute", "function": "reverse_text"}}
    refuse = {"when": "Proposed answer", "reply": {"answered": False, "why": "no"}}
    story.write_script(tmp_path / "script.json", first=[knows, give_up, refuse])
    other = asyncio.run(solve(story.OTHER_TASK, load_settings())).run
    with pytest.raises(UsageError, match="Only a run that was solved"):
        invoke("distil", other, "--check", story.TASK, "--quiet")

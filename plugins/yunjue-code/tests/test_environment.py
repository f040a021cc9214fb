from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from yunjue_code import environment, seen
from yunjue_code.environment import Repository
from yunjue_code.patch import files_of
from yunjue_code.source import fits

from yunjue.agent.run import solve
from yunjue.config import load_settings
from yunjue.domains import Place
from yunjue.errors import UsageError

MODULE = "def double(n):\n    return n + n + 1\n"
TEST = "from numbers_ import double\n\n\ndef test_double():\n    assert double(2) == 4\n"


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "numbers_.py").write_text(MODULE)
    (folder / "test_numbers.py").write_text(TEST)
    (tmp_path / "outside.py").write_text("x = 1\n")
    (folder / "out.py").symlink_to(tmp_path / "outside.py")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


@pytest.fixture
async def place(settings, tmp_path, repository, monkeypatch):
    monkeypatch.setenv("YUNJUE_CODE_REPOSITORY", str(repository))
    made = Repository(Place(settings, tmp_path / "run"))
    made.first = await made.start("Mend double.", {})
    yield made
    await made.close()


def apply(repository, patch):
    for flags in (["--check"], []):
        command = ["git", "apply", *flags, str(patch)]
        subprocess.run(command, cwd=repository, check=True)


def edit(**changes):
    values = {"path": "numbers_.py", "old": "n + n + 1", "new": "n + n"}
    return {"action": "edit", **values, **changes}


def write(path, text):
    return {"action": "write", "path": path, "text": text}


async def test_only_the_copy_changes_and_the_patch_fits_the_original(
    place, repository, sandbox, tmp_path
):
    assert "out.py: it is a link" in place.first.text
    tested = await place.step({"action": "test"})
    assert tested.change == "0 passed, 1 failed" and "assert 5 == 4" in tested.observed.text
    early = await place.step({"action": "finish"})
    assert early.error == "Nothing was changed."
    assert (
        await place.step(edit())
    ).change == "numbers_.py changed at line 2; tests: 1 passed, 0 failed"
    ended = await place.step({"action": "finish"})
    assert ended.answer == "Changed numbers_.py; 1 passed, 0 failed. The patch is changes.patch."
    assert (ended.reward, ended.files) == (1.0, ["changes.patch"])
    assert (repository / "numbers_.py").read_text() == MODULE
    assert (tmp_path / "outside.py").read_text() == "x = 1\n"
    patch = tmp_path / "run" / "changes.patch"
    apply(repository, patch)
    assert (repository / "numbers_.py").read_text() == MODULE.replace(" + 1", "")


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (edit(old="n * n", new="n * 2"), "is not there. Read"),
        (edit(old="n"), "times; take more"),
        (edit(path="../outside.py"), "no path in the repository"),
        (edit(path="/etc/hostname"), "no path in the repository"),
        (edit(path="out.py"), "There is no file out.py"),
        (edit(new="n + n + 1"), "the same"),
        (edit(new="\ud800"), "half of a character"),
        (edit(old="n * n", new="n + n"), "may be done already"),
        (write("numbers_.py", MODULE), "just this text already"),
        (write("numbers_.py", "def double("), "Python cannot read"),
        (write("new.py", "def double("), "Python cannot read"),
        (write("a/../../x.py", ""), "no path"),
        (write(".git/hooks/pre-commit", ""), "git keeps"),
        (write("numbers_.py/x", ""), "lie in a file"),
        ({"action": "read", "path": "none.py", "line": 1}, "There is no file"),
        ({"action": "search", "text": "triple"}, "No file has 'triple'."),
        ({"action": "list", "path": "src"}, "There is no file below src."),
    ],
)
async def test_what_cannot_be_done_is_told_and_changes_nothing(place, tmp_path, action, says):
    step = await place.step(action)
    assert says in step.error
    assert sorted(files_of(tmp_path / "run" / "after")) == ["numbers_.py", "test_numbers.py"]
    assert (await place.step({"action": "finish"})).error == "Nothing was changed."


async def test_files_can_be_listed_read_and_searched(place):
    async def told(**action):
        return (await place.step(action)).observed.text

    assert "numbers_.py\ntest_numbers.py" in await told(action="list", path=".")
    assert "\ndef double(n):" in await told(action="read", path="numbers_.py", line=2)
    again = await place.step({"action": "read", "path": "numbers_.py", "line": 1})
    assert again.error == "That is shown already."
    offered = [kind.name for kind in place.actions(again.observed)]
    assert offered == ["list", "search", "write", "edit", "edits"]
    assert "test_numbers.py:5: assert double(2) == 4" in await told(action="search", text="== 4")


async def test_a_file_is_written_anew(place):
    anew = write("numbers_.py", "def double(n):\n    return n + n")
    step = await place.step(anew)
    assert step.change == "numbers_.py written anew; tests: 1 passed, 0 failed"
    assert "\n    return n + n\n" in step.observed.text
    new = await place.step(write("notes/a.txt", "x"))
    assert new.change.startswith("notes/a.txt made; tests: 1 passed")
    assert "notes/a.txt\nx" in new.observed.text


async def test_tests_cannot_reach_out_or_last_for_ever(place, repository, sandbox, tmp_path):
    hostile = (
        "import os, pathlib, socket\n\n\ndef test_out():\n"
        f"    assert not pathlib.Path({str(repository)!r}).exists()\n"
        "    try:\n        socket.create_connection(('1.1.1.1', 80), 2)\n"
        "    except OSError:\n        return\n    assert False\n"
    )
    await place.step(write("test_out.py", hostile))
    await place.step(edit())
    assert (await place.step({"action": "test"})).change == "2 passed, 0 failed"
    place._seen.best = []  # as if tests could not be compared: what fails is kept
    leave = write("test_exit.py", "import os\nos._exit(0)\n")
    await place.step(leave)
    tested = await place.step({"action": "test"})
    assert "did not come to an end" in tested.observed.text


async def test_a_start_that_was_interrupted_is_begun_again(place, settings, tmp_path):
    again = Repository(Place(settings, tmp_path / "run"))
    assert (await again.start("Mend double.", {})).text == place.first.text


async def test_a_name_that_no_disk_takes_is_a_mistake(place):
    for name in ("x" * 256, "é" * 140):
        step = await place.step({"action": "write", "path": name, "text": "x"})
        assert "no path in the repository" in step.error


async def test_after_tests_that_pass_the_end_is_offered_first(place, settings, tmp_path):
    def names(observed):
        return [kind.name for kind in place.actions(observed)]

    assert names(place.first) == ["list", "read", "search", "write", "edit", "edits"]
    passed = (await place.step(edit())).observed
    assert names(passed) == ["finish", "reopen"]
    assert "All tests pass with this change" in passed.text
    again = Repository(Place(settings, tmp_path / "run"))
    assert await again.restore([edit()], passed) == passed
    place._seen.best = []  # as if tests could not be compared: what fails is kept
    changed = (await place.step(edit(old="n + n", new="n * 3"))).observed
    assert names(changed)[-1] == "finish" and "list" in names(changed)


async def test_an_interrupted_run_goes_on_with_its_copy(place, settings, tmp_path):
    seen = (await place.step(edit())).observed
    again = Repository(Place(settings, tmp_path / "run"))
    assert await again.restore([edit()], seen) == seen
    assert "return n + n\n" in (tmp_path / "run" / "after" / "numbers_.py").read_text()


async def test_without_a_repository_the_way_out_is_told(settings, tmp_path):
    with pytest.raises(UsageError, match="no repository"):
        await Repository(Place(settings, tmp_path / "run")).start("Mend it.", {})
    assert fits("Mend it.", ["r.tar.gz"]) and not fits("Mend it.", ["r.csv"])


async def test_a_run_gives_a_patch(repository, tmp_path, sandbox):
    script = tmp_path / "script.json"
    anew = write("numbers_.py", "def double(n):\n    return n + n\n")
    rules = [
        {"when": "Changed so far: numbers_.*Which action", "reply": {"action": "finish"}},
        {"when": "    return n.*Which action", "reply": anew},
        {
            "when": "Which action",
            "reply": {"action": "read", "path": "numbers_.py", "line": 1},
        },
    ]
    script.write_text(json.dumps({"rules": rules}))
    archive = shutil.make_archive(str(tmp_path / "repo"), "gztar", repository)
    settings = load_settings(
        model=f"scripted/{script}", sandbox="bubblewrap", embedder="hash", domain="code"
    )
    result = await solve("Mend double.", settings, files={"repo.tar.gz": tmp_path / "repo.tar.gz"})
    assert archive and result.status == "solved"
    assert [name.rpartition("/")[2] for name in result.files] == ["changes.patch"]


async def test_a_test_that_fails_is_shown_with_the_code(place, sandbox, tmp_path):
    assert "Tests: 0 passed, 1 failed" in place.first.text
    read = await place.step({"action": "read", "path": "numbers_.py", "line": 1})
    assert read.observed.text.index("return n + n + 1") < read.observed.text.index("assert 5 == 4")
    place._seen.best = []  # as if tests could not be compared: what fails is kept
    edited = (await place.step(edit(new="n + n + 2"))).observed.text
    assert edited.index("return n + n + 2") < edited.index("assert 6 == 4")
    (tmp_path / "run" / "after" / "long.py").write_text("x = 1\n" * 5000)
    tiny = await place.step(write("long.py", "x = 2"))
    assert "too long to be written anew" in tiny.error
    read = (await place.step({"action": "read", "path": "long.py", "line": 1})).observed.text
    assert len(read) <= place._room and read.rstrip().endswith("double(2)")
    later = await place.step({"action": "read", "path": "long.py", "line": 4000})
    assert "long.py\n4000: x = 1" in later.observed.text
    assert "edit" in [kind.name for kind in place.actions(later.observed)]


async def test_what_passes_is_changed_further_if_the_model_says_so(place, settings, tmp_path):
    def offered(step):
        return {kind.name for kind in place.actions(step.observed)}

    everything = {"list", "read", "search", "write", "edit", "edits", "finish"}
    assert offered(await place.step(edit())) == {"finish", "reopen"}
    on = await place.step({"action": "reopen"})
    assert offered(on) == everything
    again = Repository(Place(settings, tmp_path / "run"))
    assert await again.restore([], on.observed) == on.observed
    worse = await place.step(edit(old="n + n", new="3 * n"))
    assert "Taken back" in worse.error and offered(worse) == everything
    assert offered(await place.step(edit(old="n + n", new="2 * n"))) == {"finish", "reopen"}


async def test_looking_around_has_an_end(place, sandbox):
    def looks(step):
        return {"read", "search"} <= {kind.name for kind in place.actions(step.observed)}

    around = [
        {"action": "read", "path": "numbers_.py", "line": 1},
        {"action": "search", "text": "double"},
    ]
    steps = [await place.step(action) for action in around * 3]
    assert [looks(step) for step in steps] == [True] * 3 + [False] * 3
    assert looks(await place.step(edit(new="n + n + 2")))
    new = {"action": "read", "path": "test_numbers.py", "line": 1}
    steps = [await place.step(action) for action in [around[0], new]]
    assert all(looks(step) for step in steps)


async def test_slow_tests_run_when_they_are_asked_for(place, sandbox, monkeypatch):
    monkeypatch.setattr(seen, "QUICK_SECONDS", 0.0)
    place._seen.best = []  # as if tests could not be compared: what fails is kept
    await place.step(edit(new="n + n + 2"))
    step = await place.step(edit(old="n + n + 2", new="n + n"))
    assert step.change == "numbers_.py changed at line 2"
    assert "Tests before the last change: 0 passed" in step.observed.text
    assert "test" in [kind.name for kind in place.actions(step.observed)]
    tested = await place.step({"action": "test"})
    assert "All tests pass" in tested.observed.text


async def test_what_helps_no_test_is_taken_back(place, sandbox, tmp_path):
    step = await place.step(edit(new="n + n + 2"))
    assert step.error == ("Taken back, as no more tests pass: 0 passed, 1 failed. assert 6 == 4")
    assert step.observed.state == place.first.state
    new = await place.step(write("other.py", "x = 1\n"))
    assert "Taken back" in new.error
    assert sorted(files_of(tmp_path / "run" / "after")) == ["numbers_.py", "test_numbers.py"]
    data = await place.step(write("notes.md", "No test is about this."))
    assert data.change == "notes.md made; tests: 0 passed, 1 failed"
    broken = await place.step(write("pytest.ini", "[pytest]\naddopts = --no-such-flag\n"))
    assert "Taken back" in broken.error
    emptied = await place.step(write("test_numbers.py", ""))
    assert emptied.error == "Taken back, as no more tests pass: there are no tests."
    assert "1 passed" in (await place.step(edit())).change


def edits(*those):
    names = ("path", "old", "new")
    return {"action": "edits", "edits": [dict(zip(names, one, strict=True)) for one in those]}


IMPORT = ("numbers_.py", "def", "from lib.other import twice\n\n\ndef")
USE = ("numbers_.py", "n + n + 1", "twice(n)")


async def test_several_edits_are_kept_or_taken_back_together(place, tmp_path):
    made = ("lib/other.py", "", "def twice(n):\n    return {} * n")
    wrong = await place.step(edits(IMPORT, USE, (*made[:2], made[2].format(3))))
    assert "Taken back" in wrong.error and wrong.observed == place.first
    assert sorted(files_of(tmp_path / "run" / "after")) == ["numbers_.py", "test_numbers.py"]
    right = await place.step(edits(IMPORT, USE, (*made[:2], made[2].format(2))))
    assert right.change == (
        "numbers_.py changed at line 1, numbers_.py changed at line 5, lib/other.py made; "
        "tests: 1 passed, 0 failed"
    )
    assert "return 2 * n" in right.observed.text
    assert (await place.step({"action": "finish"})).reward == 1.0


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (("numbers_.py", "gone", "x"), "is not there. Read"),
        (("numbers_.py", "", "x = 1"), "old must be a piece"),
        (("numbers_.py/x.py", "", "x = 1"), "lie in a file"),
        (("../x.py", "", "x = 1"), "no path in the repository"),
        (("x.txt", "", "\ud800"), "half of a character"),
        (("./numbers_.py", "n + n + 1", "n *"), "Nothing was changed: Python could not read"),
    ],
)
async def test_if_one_edit_cannot_be_done_none_is(place, second, says):
    step = await place.step(edits(IMPORT, second))
    assert says in step.error and step.observed == place.first


async def test_one_file_may_be_named_in_two_ways_and_none_is_also_a_folder(place):
    twice = edits(("numbers_.py", "1", "3"), ("./numbers_.py", "n + n + 3", "n + n"))
    assert "1 passed" in (await place.step(twice)).change
    inside = await place.step(edits(("a", "", "x"), ("a/b", "", "x")))
    assert inside.error == "a/b would lie in a file."


async def test_a_change_is_taken_back_if_the_run_ended_while_it_was_tried(
    place, settings, tmp_path, monkeypatch
):
    async def killed(tree, sandbox, settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "run_tests", killed)
    for action in (edit(), write("new.py", "x = 1\n")):
        with pytest.raises(KeyboardInterrupt):
            await place.step(action)
        again = Repository(Place(settings, tmp_path / "run"))
        assert await again.restore([], place.first) == place.first
    assert sorted(files_of(tmp_path / "run" / "after")) == ["numbers_.py", "test_numbers.py"]


async def test_where_tests_tell_nothing_changes_stay(repository, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("YUNJUE_CODE_REPOSITORY", str(repository))
    (repository / "test_more.py").write_text("import no_such_package\n")
    place = Repository(Place(settings, tmp_path / "run"))
    try:
        first = await place.start("Mend double.", {})
        assert "no_such_package" in first.text
        kept = await place.step(edit(new="n + n + 2"))
        assert kept.change.startswith("numbers_.py changed at line 2; tests: ")
        (repository / "test_more.py").unlink()
        (repository / "test_numbers.py").unlink()
        await place.start("Mend double.", {})
        kept = await place.step(edit(new="n + n + 2"))
        assert kept.change == "numbers_.py changed at line 2; tests: there are no tests"
    finally:
        await place.close()


async def test_tests_that_passed_keep_passing(place, sandbox):
    await place.step(edit())
    assert (await place.step(edit(old="n + n", new="2 * n"))).change.endswith("1 passed, 0 failed")
    worse = await place.step(edit(old="2 * n", new="3 * n"))
    assert "Taken back" in worse.error and "All tests pass" in worse.observed.text

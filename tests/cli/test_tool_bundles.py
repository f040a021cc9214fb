"""``yunjue tools export|import|keygen``, as far as nothing is run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

sys.path.append(str(Path(__file__).parents[1] / "bundle"))

from bundle_samples import a_tool, filled, source_of, state

from yunjue.bundle.signature import verify
from yunjue.cli.tools import app
from yunjue.errors import BundleRefused, UnknownToolError, UsageError


def invoke(*args, **options):
    return CliRunner().invoke(app, [str(one) for one in args], catch_exceptions=False, **options)


@pytest.fixture
def theirs(tmp_path):
    filled(tmp_path / "theirs", a_tool(), a_tool(name="triple_it")).close()
    return tmp_path / "theirs"


@pytest.fixture
def bundle(theirs, tmp_path):
    assert invoke("export", "--all", "-o", tmp_path / "b.ytb", "-l", theirs).exit_code == 0
    return tmp_path / "b.ytb"


def test_export_is_the_same_every_time_and_in_every_form(bundle, theirs, tmp_path):
    again = tmp_path / "again.ytb"
    told = invoke("export", "triple_it", "double", "-o", again, "-l", theirs, "--json")
    assert again.read_bytes() == bundle.read_bytes()
    assert json.loads(told.stdout)["tools"] == ["double", "triple_it"]
    folder = tmp_path / "folder"
    invoke("export", "--all", "-o", folder, "-l", theirs, "--as", "folder")
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "tools"]
    with pytest.raises(UsageError, match="not an empty folder"):
        invoke("export", "--all", "-o", folder, "-l", theirs, "--as", "folder")


def test_a_dry_run_shows_all_and_changes_nothing(bundle, tmp_path):
    ours = tmp_path / "ours"
    shown = invoke("import", bundle, "-l", ours, "--dry-run")
    assert shown.exit_code == 0 and shown.stdout == ""
    for part in ("not signed", "Twice the number.", a_tool().id[:12], "2 tools would be proved"):
        assert part in shown.stderr
    report = json.loads(invoke("import", bundle, "-l", ours, "--dry-run", "--json").stdout)
    assert report["dry_run"] and not report["changed"] and len(report["tools"]) == 2
    assert not ours.exists()


def test_a_collision_is_exit_1_and_needs_no_sandbox(bundle, tmp_path):
    ours = tmp_path / "ours"
    filled(ours, a_tool(expression="input.number + input.number")).close()
    before = state(ours)
    done = invoke("import", bundle, "-l", ours)
    assert done.exit_code == 1 and "REFUSED  double: collision" in done.stderr
    assert state(ours) == before


def test_nothing_new_needs_no_sandbox(bundle, theirs):
    done = invoke("import", bundle, "-l", theirs, "--sandbox", "bubblewrap")
    assert done.exit_code == 0 and "0 tools added" in done.stderr


def test_signed_with_a_new_key(theirs, tmp_path):
    key = json.loads(invoke("keygen", "-o", tmp_path / "me", "--no-password", "--json").stdout)
    path = tmp_path / "signed.ytb"
    invoke("export", "--all", "-o", path, "-l", theirs, "--sign", key["secret_key"])
    signature = path.with_name("signed.ytb.minisig").read_bytes()
    assert verify(path.read_bytes(), signature, [key["key"]]).state == "trusted"
    shown = invoke("import", path, "-l", tmp_path / "ours", "--dry-run", "--trust", key["key"])
    assert "signed by the trusted key" in shown.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("export", "-o", "x"), "--all"),
        (("export", "double", "--all"), "--all"),
        (("export", "double"), "-o FILE"),
        (("export", "double", "-o", "x", "--as", "tar"), "--as is one of"),
        (("export", "double", "-o", "x", "--versions", "some"), "--versions is one of"),
        (("export", "double", "-o", "x", "--licence", "mine"), "--licence"),
        (("export", "double", "--as", "skill"), "-o DIR"),
        (("export", "double", "--as", "openai", "--sign", "x"), "--sign"),
        (("import", "nowhere.ytb"), "nowhere.ytb"),
        (("import", "http://example.com/b.ytb"), "only https"),
        (("import", "x", "--on-collision", "rename"), "--on-collision is one of"),
        (("keygen", "-o", "me"), "no terminal"),
    ],
)
def test_bad_usage(args, words, theirs):
    place = () if args[0] == "keygen" else ("-l", theirs)
    with pytest.raises(UsageError, match=words):
        invoke(*args, *place)


def test_unknown_tools_and_empty_libraries(theirs, tmp_path):
    with pytest.raises(UnknownToolError, match="double"):
        invoke("export", "doubel", "-o", "x", "-l", theirs)
    with pytest.raises(UsageError, match="empty"):
        invoke("export", "--all", "-o", "x", "-l", tmp_path / "none")


def test_a_folder_of_tool_files_has_no_signature(tmp_path):
    (tmp_path / "a.py").write_text(source_of())
    with pytest.raises(BundleRefused, match="cannot be signed") as refused:
        invoke("import", tmp_path, "-l", tmp_path / "ours", "--trust", "x")
    assert refused.value.to_dict()["reason"] == "unsigned"


def test_renderings(theirs, tmp_path):
    functions = json.loads(invoke("export", "--all", "--as", "openai", "-l", theirs).stdout)
    assert [one["function"]["name"] for one in functions] == ["double", "triple_it"]
    invoke("export", "double", "--as", "langchain", "-o", tmp_path, "-l", theirs)
    compile((tmp_path / "yunjue_tools.py").read_text(), "tools.py", "exec")
    skills = tmp_path / "skills"
    told = invoke("export", "--all", "--as", "skill", "-o", skills, "-l", theirs, "--json")
    assert len(json.loads(told.stdout)["files"]) == 6
    assert (skills / "triple-it/SKILL.md").exists()
    with pytest.raises(UsageError, match="exists"):
        invoke("export", "double", "--as", "skill", "-o", skills, "-l", theirs)

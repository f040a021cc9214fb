"""Patches of any text, as git sees them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yunjue_code.patch import apply_problem, patch_of

text = st.text(st.sampled_from("ab\n\r\f\u2028é -+\\@"), max_size=40)
names = st.sampled_from(["a.py", "src/b c.py", 'q"uote.txt', "ünder/ñ.md", "-x"])
trees = st.dictionaries(names, text, max_size=4)


def written(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode())
    return folder


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@given(trees, trees)
@settings(max_examples=40, deadline=None)
def test_git_makes_the_same_change_of_a_patch(before, after):
    with tempfile.TemporaryDirectory() as folder:
        old, new = written(Path(folder, "old"), before), written(Path(folder, "new"), after)
        patch = patch_of(old, new)
        assert bool(patch) == (before != after)
        assert not patch or apply_problem(patch, old, new) == ""


def test_a_patch_that_does_not_fit_is_found_out(tmp_path):
    old = written(tmp_path / "old", {"a.py": "one\n"})
    new = written(tmp_path / "new", {"a.py": "two\n"})
    other = written(tmp_path / "other", {"a.py": "three\n"})
    patch = patch_of(old, new)
    assert "a.py" in apply_problem(patch, other, new)
    assert "otherwise" in apply_problem(patch, old, other)


def test_a_repository_around_the_copy_is_left_alone(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a.py").write_text("one\n")
    old = written(tmp_path / "old", {"a.py": "one\n"})
    new = written(tmp_path / "new", {"a.py": "two\n"})
    assert apply_problem(patch_of(old, new), old, new) == ""
    assert (tmp_path / "a.py").read_text() == "one\n"

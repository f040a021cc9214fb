"""The skills that come with Yunjue are valid, and each of their scripts has a case.

The cases are run in the sandbox by tests/integration/test_skill_scripts.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from script_cases import CASES

from yunjue.skills.folder import read_skill
from yunjue.skills.shelf import shipped_folder

FOLDERS = sorted(path for path in shipped_folder().iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_every_shipped_skill_is_valid_without_a_note(folder):
    skill, problems = read_skill(folder)
    assert problems == [] and list(skill.notes) == []
    assert skill.license == "Apache-2.0" and "Use " in skill.description
    assert len(skill.body) < 4000, "a small model's window holds it whole"
    for path in skill.scripts.values():
        assert path in skill.body


def test_there_are_twelve_and_the_page_names_them():
    page = (Path(__file__).parents[2] / "skills/README.md").read_text()
    assert len(FOLDERS) >= 12
    assert [path.name for path in FOLDERS if f"`{path.name}`" not in page] == []


def test_every_script_has_a_case():
    scripts = {
        str(path.relative_to(shipped_folder())) for path in shipped_folder().glob("*/scripts/*.py")
    }
    covered = {script for script, *_ in CASES.values()} | {"checksum-manifest/scripts/manifest.py"}
    assert scripts == covered

"""The tasks are tasks: the checks fail as the repositories come, and pass when mended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yunjue_code
from make_tasks import FAULTS, FOLDER
from yunjue_code.checking import checked
from yunjue_code.copying import copy_repository
from yunjue_code.patch import patch_of
from yunjue_code.trial import run_tests

TASKS = Path(yunjue_code.__file__).parent / "tasks"
ROWS = {row["id"]: row for row in map(json.loads, (TASKS / "tasks.jsonl").open())}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_check_fails_before_the_mend_and_passes_after(fault, settings, sandbox, tmp_path):
    row = ROWS[fault.name]
    archive, check = FOLDER / row["files"][0], (FOLDER / row["check"]).read_bytes()
    assert not (await checked(archive, "", check, sandbox, settings)).good
    before, after = tmp_path / "before", tmp_path / "after"
    for tree in (before, after):
        copy_repository(archive, tree)
    module = after / f"{fault.module}.py"
    assert module.read_text().count(fault.old) == 1
    module.write_text(module.read_text().replace(fault.old, fault.new))
    patch = patch_of(before, after)
    assert (await checked(archive, patch, check, sandbox, settings)).good


async def test_their_own_tests_fail_as_they_come(settings, sandbox, tmp_path):
    copy_repository(TASKS / "files" / "median.tar.gz", tmp_path / "tree")
    trial = await run_tests(tmp_path / "tree", sandbox, settings)
    assert (trial.passed, trial.failed) == (1, 1)
    assert "test_even" in trial.report and "assert 3 == 2.5" in trial.report

"""The tools shipped along: what can be said of them without running them."""

from __future__ import annotations

import compileall
import shutil
from pathlib import Path

import pytest

from yunjue.bundle.archive import pack
from yunjue.bundle.contents import read_contents
from yunjue.bundle.folder import read_folder
from yunjue.bundle.sources import take

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def contents():
    return read_contents(read_folder(ROOT / "tools_registry" / "starter"))


def test_starter_is_found_where_the_package_is(tmp_path):
    source = take("starter", tmp_path)
    assert source.label == "starter"
    assert source.data == pack(read_folder(ROOT / "tools_registry" / "starter"))


def test_there_are_tools_for_many_needs(contents):
    names = [packed.entry.name for packed in contents]
    assert 15 <= len(names) == len(set(names))
    assert {"days_between", "convert_units", "query_csv", "hash_text", "loan_payment"} <= set(names)


def test_each_is_licensed_and_has_cases(contents):
    for packed in contents:
        assert packed.record.licence == "Apache-2.0"
        assert len(packed.record.cases) >= 5
        assert all(stage.passed for stage in packed.record.proof.stages)


def test_what_pip_compiles_in_an_installed_folder_is_no_part_of_the_bundle(tmp_path):
    folder = tmp_path / "starter"
    shutil.copytree(ROOT / "tools_registry" / "starter", folder)
    assert compileall.compile_dir(folder, quiet=1)
    assert list(folder.rglob("*.pyc"))
    assert read_folder(folder) == read_folder(ROOT / "tools_registry" / "starter")

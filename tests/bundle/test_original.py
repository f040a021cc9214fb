from __future__ import annotations

import pytest
from bundle_samples import InProcess, open_library, source_of

from yunjue.bundle.install import install, planned
from yunjue.bundle.original import complete
from yunjue.bundle.signature import Signed
from yunjue.bundle.sources import take
from yunjue.errors import ModelOutputInvalid, UsageError
from yunjue.protocols import SandboxLimits
from yunjue.types import Case

ORIGINAL = """
from typing import List, Optional
from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "total_length",
    "description": "Adds up the lengths of texts.",
    "dependencies": [],
}


class InputModel(BaseModel):
    texts: List[str] = Field(..., description="the texts")
    limit: Optional[int] = None


class OutputModel(BaseModel):
    total: int
    note: str = ""


def run(input: InputModel) -> OutputModel:
    return OutputModel(total=sum(map(len, input.texts)))
"""


def told(*rows):
    async def write_cases(spec):
        write_cases.spec = spec
        return [Case(inputs={"texts": texts}, expected=total) for texts, total in rows]

    return write_cases


RIGHT = ((["ab", "c"], 3), ([], 0), (["xyz"], 3))


async def brought_in(library, folder, write_cases, **options):
    source = take(str(folder), folder)
    report = planned(library, source, Signed(), "refuse")

    async def with_tester(incoming):
        return await complete(incoming, InProcess(), SandboxLimits(), write_cases)

    return await install(library, report, with_tester, veto=lambda tool, verdict: "", **options)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "originals"
    folder.mkdir()
    (folder / "total_length.py").write_text(ORIGINAL)
    return folder


@pytest.fixture
def library(tmp_path):
    library = open_library(tmp_path / "ours")
    yield library
    library.close()


async def test_tests_are_written_on_the_way(folder, library):
    (folder / "__init__.py").write_text("")
    wrong = (["abcd"], 5)
    report = await brought_in(library, folder, tester := told(*RIGHT, wrong))
    assert report.changed and report.notes == ["'__init__.py' is no tool: it has no __TOOL_META__."]
    assert tester.spec.signature() == "total_length(texts: list[str]) -> total: int"
    tool = library.get("total_length")
    assert tool.source == ORIGINAL
    assert tool.signature == (
        "total_length(texts: list[str], limit: int | None) -> total: int, note: str"
    )
    assert len(library.cases(tool.id)) == 3
    verdict = library.verdict(tool.id)
    assert [s.name for s in verdict.stages] == ["static", "contract", "tests", "tests can fail"]
    assert verdict.stages[2].detail == "tool and tester agree on 3 of 4 cases"
    [disputed] = verdict.stages[2].evidence["disputed"]
    assert disputed["claimed"] == 5 and disputed["got"]["total"] == 4
    again = await brought_in(library, folder, told())
    assert not again.changed and not again.refused


@pytest.mark.parametrize(
    ("rows", "reason", "detail"),
    [
        ((), "tests", "agree on 0 of 0 cases; 2 are needed"),
        ((RIGHT[0], (["a"], 7)), "tests", "agree on 1 of 2"),
        ((RIGHT[0], RIGHT[2]), "tests-can-fail", "returns a constant"),
    ],
)
async def test_too_little_agreement(folder, library, rows, reason, detail):
    report = await brought_in(library, folder, told(*rows))
    assert report.refused[0].reason == reason and detail in report.refused[0].detail
    assert not library.directory.exists()


async def test_a_tester_that_fails(folder, library):
    async def write_cases(spec):
        raise ModelOutputInvalid("no JSON")

    report = await brought_in(library, folder, write_cases)
    assert report.refused[0].reason == "tests"


@pytest.mark.parametrize(
    ("file", "reason", "detail"),
    [
        (ORIGINAL.replace("texts: List[str] =", "texts: dict ="), "contract", "no tester knows"),
        (ORIGINAL.replace("total: int", "total: dict"), "contract", "first output"),
        (ORIGINAL + "1 / 0\n", "contract", "ZeroDivisionError"),
        (ORIGINAL.replace("[],", '["no-such-thing-4711"],'), "contract", "does not exist"),
        (ORIGINAL.replace("[],", '"requests",'), "requirement", "no list of texts"),
        (ORIGINAL + "import subprocess\n", "static", "subprocess"),
        (ORIGINAL + "def (\n", "static", "cannot be read"),
        (ORIGINAL.replace("total_length", "TotalLength"), "static", "lower_snake_case"),
        (ORIGINAL.replace('"total_length"', "name"), "static", "cannot be read"),
    ],
)
async def test_files_that_cannot_be_taken(folder, library, file, reason, detail):
    (folder / "b.py").write_text(file)
    (folder / "total_length.py").write_text(source_of())
    report = await brought_in(library, folder, told(*RIGHT))
    [refused] = [one for one in report.refused if one.incoming.tool.name != "double"]
    assert refused.reason == reason and detail in refused.detail
    assert not report.changed


async def test_one_bad_file_does_not_keep_the_rest_out(folder, library):
    (folder / "bad.py").write_text(ORIGINAL + "import subprocess\n")
    (folder / "link.py").symlink_to("/etc/passwd")
    (folder / "twin.py").write_text(ORIGINAL)
    report = await brought_in(library, folder, told(*RIGHT))
    assert not report.changed
    report = await brought_in(library, folder, told(*RIGHT), partial=True)
    assert {one.reason for one in report.refused} == {"static", "link", "duplicate-name"}
    assert [tool.name for tool in library.active()] == ["total_length"]


async def test_a_folder_without_tools(tmp_path, library):
    with pytest.raises(UsageError, match="neither"):
        await brought_in(library, tmp_path, told())

from __future__ import annotations

import asyncio

import pytest
from bundle_samples import (
    CASES,
    InProcess,
    a_tool,
    a_verdict,
    bundle_of,
    filled,
    imported,
    open_library,
    state,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yunjue.bundle.archive import pack, unpack
from yunjue.bundle.export import export
from yunjue.bundle.folder import read_folder, write_folder
from yunjue.bundle.plan import PRESENT
from yunjue.errors import BundleRefused, NameTaken, SandboxError
from yunjue.types import Case


@pytest.fixture
def bundle(tmp_path):
    path = tmp_path / "tools.ytb"
    path.write_bytes(bundle_of(tmp_path / "theirs", a_tool(), a_tool(name="triple")))
    return path


@pytest.fixture
def ours(tmp_path):
    library = open_library(tmp_path / "ours")
    yield library
    library.close()


async def test_import_adds_what_passes(bundle, ours):
    report = await imported(ours, bundle)
    assert report.changed and not report.refused
    tool = ours.get("double")
    assert tool.id == a_tool().id and tool.signature == "double(number: int) -> result: int"
    assert tool.origin["imported_from"] == "tools.ytb"
    assert tool.origin["sha256"] == report.sha256
    assert ours.cases(tool.id) == CASES
    verdict = ours.verdict(tool.id)
    assert verdict.sandbox == "in-process"
    assert [stage.name for stage in verdict.stages] == [
        "static",
        "contract",
        "tests",
        "tests can fail",
    ]
    assert ours.history("double")[-1]["why"] == "import of tools.ytb"
    assert [found.tool.name for found in ours.search("twice the number", 1)]
    assert not (ours.directory / "quarantine").exists()


async def test_a_second_import_runs_and_changes_nothing(bundle, ours):
    await imported(ours, bundle)
    before, sandbox = state(ours.directory), InProcess()
    report = await imported(ours, bundle, sandbox)
    assert not report.changed and sandbox.jobs == 0
    assert {one.action for one in report.tools} == {PRESENT}
    assert state(ours.directory) == before


async def test_one_that_fails_keeps_all_out(tmp_path, ours):
    wrong = a_tool(name="wrong", expression="input.number + 2")
    path = tmp_path / "b.ytb"
    path.write_bytes(bundle_of(tmp_path / "theirs", a_tool(), wrong, a_tool(name="zero")))
    report = await imported(ours, path)
    [refused] = report.refused
    assert (refused.reason, refused.detail) == ("tests", "2 of 3 cases pass")
    assert refused.evidence["wrong"][0]["got"] == {"result": 7}
    assert [one.action for one in report.tools] == ["left out", "refused", "left out"]
    assert not ours.directory.exists()

    report = await imported(ours, path, partial=True)
    assert [one.action for one in report.tools] == ["add", "refused", "add"]
    assert [tool.name for tool in ours.active()] == ["double", "zero"]


async def test_collisions_are_decided_by_the_user(bundle, tmp_path):
    mine = a_tool(expression="input.number + input.number")
    ours = filled(tmp_path / "ours", mine)
    before = state(ours.directory)
    report = await imported(ours, bundle)
    assert [one.reason for one in report.tools] == ["collision", ""]
    assert "--on-collision" in report.tools[0].detail
    assert state(ours.directory) == before

    report = await imported(ours, bundle, on_collision="keep")
    assert [one.action for one in report.tools] == ["kept ours", "add"]
    assert ours.get("double").id == mine.id

    await imported(ours, bundle, on_collision="replace")
    assert ours.get("double").id == a_tool().id
    assert [one["status"] for one in ours.versions("double")] == ["retired", "active"]
    ours.close()


async def test_what_was_retired_here_comes_back_by_choice_only(bundle, tmp_path):
    ours = filled(tmp_path / "ours")
    ours.retire(a_tool().id, "not wanted")
    report = await imported(ours, bundle)
    assert report.refused[0].reason == "collision" and "retired here" in report.refused[0].detail
    await imported(ours, bundle, on_collision="replace")
    assert ours.get("double").id == a_tool().id
    ours.close()


async def test_versions_come_along_for_the_history(tmp_path, ours):
    theirs = filled(tmp_path / "theirs")
    theirs.retire(a_tool().id)
    bad, new = a_tool(expression="input.number + 2"), a_tool(expression="2 * input.number")
    theirs.add(bad, a_verdict(bad))
    theirs.add_verdict(a_verdict(bad, admitted=False))
    theirs.retire(bad.id)
    theirs.add(new, a_verdict(new))
    path = tmp_path / "v.ytb"
    path.write_bytes(data := pack(export(theirs, ["double"], versions=True)))
    theirs.close()
    await imported(ours, path)
    assert [(one["id"], one["status"]) for one in ours.versions("double")] == [
        (a_tool().id, "retired"),
        (new.id, "active"),
    ]
    assert pack(export(ours, ["double"], versions=True)) == data


async def test_a_plugin_may_object(bundle, ours):
    report = await imported(ours, bundle, veto=lambda tool, verdict: "too short")
    assert report.refused[0].reason == "veto" and not report.changed


async def test_a_sandbox_that_breaks_changes_nothing(bundle, ours):
    class Broken(InProcess):
        async def call(self, job):
            raise SandboxError("It broke.")

    with pytest.raises(SandboxError):
        await imported(ours, bundle, Broken())
    assert not ours.directory.exists()


async def test_an_interrupt_changes_nothing(bundle, ours):
    class Slow(InProcess):
        async def call(self, job):
            await asyncio.sleep(60)

    task = asyncio.create_task(imported(ours, bundle, Slow()))
    await asyncio.sleep(0.2)
    assert (ours.directory / "quarantine").exists()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not ours.directory.exists()


async def test_another_import_that_is_faster(bundle, tmp_path):
    ours = open_library(tmp_path / "ours")
    other = a_tool(expression="input.number + input.number")

    class Raced(InProcess):
        async def call(self, job):
            if ours.find("double") is None:
                ours.add(other, a_verdict(other))
            return await super().call(job)

    with pytest.raises(NameTaken, match="just now"):
        await imported(ours, bundle, Raced())
    assert [tool.id for tool in ours.active()] == [other.id]
    assert ours.check() == []
    ours.close()


async def test_two_imports_at_once(bundle, ours):
    reports = await asyncio.gather(imported(ours, bundle), imported(ours, bundle))
    assert not any(report.refused for report in reports)
    assert len(ours.active()) == 2 and ours.check() == []
    assert not (ours.directory / "quarantine").exists()


def test_export_says_nothing_private_unless_asked(tmp_path):
    library = filled(tmp_path / "theirs")
    real = Case(inputs={"number": 4711}, expected=9422, origin="regression")
    tool = a_tool(name="other")
    library.add(tool, a_verdict(tool, [*CASES, real]))
    quiet = b"".join(export(library, ["other"]).values())
    for private in (b"secret", b"4711"):
        assert private not in quiet
    open_ = b"".join(export(library, ["other"], with_tasks=True).values())
    assert b"a secret task" in open_ and b"4711" in open_ and b"20260101" not in open_
    library.close()


def test_export_refuses_what_no_one_could_import(tmp_path):
    library = open_library(tmp_path / "theirs")
    tool = a_tool()
    library.add(tool, a_verdict(tool, [Case(inputs={"number": 1}, expected=1)]))
    with pytest.raises(BundleRefused, match="constant"):
        export(library, ["double"])
    library.close()


def test_a_licence_travels_and_is_not_replaced(tmp_path):
    ours = open_library(tmp_path / "ours")
    path = tmp_path / "mit.ytb"
    path.write_bytes(bundle_of(tmp_path / "theirs", licence="MIT"))
    asyncio.run(imported(ours, path))
    assert ours.get("double").origin["licence"] == "MIT"
    entries = export(ours, ["double"], licence="Apache-2.0")
    assert pack(entries) == path.read_bytes()
    ours.close()


async def test_a_folder_is_the_same_bundle(bundle, ours, tmp_path):
    entries = unpack(bundle.read_bytes())
    write_folder(tmp_path / "folder", entries)
    assert pack(read_folder(tmp_path / "folder")) == bundle.read_bytes()
    report = await imported(ours, tmp_path / "folder")
    assert report.changed and ours.get("double").origin["imported_from"] == "folder"


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}(_[a-z0-9]{1,5}){0,2}", fullmatch=True)
TEXTS = st.text(
    st.characters(exclude_categories=["C", "Zl", "Zp", "Zs"], exclude_characters='"\\{}'),
    min_size=1,
)
VALUES = st.one_of(st.integers(0, 10**6), st.booleans().map(int))


@given(
    tools=st.dictionaries(
        NAMES,
        st.tuples(TEXTS, st.integers(-9, 9), st.sets(VALUES, min_size=2, max_size=5)),
        min_size=1,
        max_size=4,
    ),
    licence=st.sampled_from(["NOASSERTION", "MIT", "Apache-2.0 OR GPL-3.0-only"]),
)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_export_import_export_gives_the_same_bytes(tmp_path_factory, tools, licence):
    folder = tmp_path_factory.mktemp("round")
    theirs = open_library(folder / "theirs")
    for name, (description, factor, numbers) in tools.items():
        expression = f"input.number * {factor} + (input.number % 7) ** 2 + len({name!r})"
        tool = a_tool(name=name, description=description, expression=expression)
        results = {n: n * factor + (n % 7) ** 2 + len(name) for n in numbers}
        cases = [Case(inputs={"number": n}, expected=value) for n, value in results.items()]
        same = len(set(results.values())) == 1 or all(n == value for n, value in results.items())
        theirs.add(tool, a_verdict(tool, [*cases, *CASES[2:]] if same else cases))
    first = pack(export(theirs, list(tools), licence=licence))
    assert pack(unpack(first)) == first
    (folder / "b.ytb").write_bytes(first)
    ours = open_library(folder / "ours")
    report = asyncio.run(imported(ours, folder / "b.ytb"))
    assert not report.refused
    assert pack(export(ours, list(tools))) == first
    assert [tool.id for tool in ours.active()] == [tool.id for tool in theirs.active()]
    theirs.close()
    ours.close()

"""What every backend promises: outcomes, schemas, files, requirements, an end."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from tool_files import DOUBLE, tool

from yunjue.errors import DependencyError, SandboxError
from yunjue.protocols import SandboxJob, SandboxLimits
from yunjue.sandbox.process import ProcessSandbox

pytestmark = pytest.mark.integration


@pytest.fixture(params=["docker", "bubblewrap", "process"])
def backend(request, home):
    """Each backend, also the one that isolates nothing."""
    if request.param != "process":
        yield request.getfixturevalue(f"{request.param}_sandbox")
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YUNJUE_HOME", str(home))
        sandbox = ProcessSandbox(allow_unsafe=True)
    yield sandbox
    asyncio.run(sandbox.close())


async def one(sandbox, source, inputs=None, **job):
    [outcome] = await sandbox.call(SandboxJob(source, [inputs or {}], **job))
    return outcome


async def test_calls_in_order(backend):
    outcomes = await backend.call(SandboxJob(DOUBLE, [{"value": n} for n in range(5)]))
    assert [outcome.output for outcome in outcomes] == [{"result": 2 * n} for n in range(5)]
    assert all(outcome.status == "ok" and outcome.seconds > 0 for outcome in outcomes)


async def test_no_calls(backend):
    assert await backend.call(SandboxJob(DOUBLE)) == []


async def test_says_what_it_runs_on(backend):
    await backend.prepare()
    assert "3." in backend.image


async def test_schemas(backend):
    schemas = await backend.inspect(SandboxJob(DOUBLE))
    assert schemas.error == ""
    assert schemas.meta == {"name": "probe", "description": "for tests", "tags": ["a", 1]}
    assert schemas.input_schema["properties"]["value"]["type"] == "integer"
    assert "result" in schemas.output_schema["properties"]


@pytest.mark.parametrize(
    "source, said",
    [
        ("def f(:\n", "SyntaxError"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit", "SystemExit"),
        ("x = 1", "`InputModel`"),
        ("import os; os._exit(3)", "exit code 3"),
        ("a\0b", "null bytes"),
    ],
)
async def test_files_that_are_no_tools(backend, source, said):
    schemas = await backend.inspect(SandboxJob(source))
    assert said in schemas.error and not schemas.input_schema
    outcome = await one(backend, source)
    assert outcome.status == "failed" and outcome.reason in ("import", "crashed")
    assert said in outcome.error


@pytest.mark.parametrize(
    "body, status, reason, said",
    [
        ("return OutputModel(result=1 / input.value)", "failed", "raised", "ZeroDivisionError"),
        ("raise ValueError('too\\nsmall')", "input_error", "", "ValueError: too small"),
        ("raise TypeError('odd')", "failed", "raised", "TypeError: odd"),
        ("return 7", "failed", "bad_output", "OutputModel"),
        ("return OutputModel.model_construct()", "ok", "", ""),
        ("return {'result': 3}", "ok", "", ""),
        ("OutputModel(result=1, wrong=2).missing", "failed", "raised", "AttributeError"),
        ("print('seen'); print('said', file=sys.stderr); raise OSError", "failed", "raised", ""),
    ],
)
async def test_how_calls_end(backend, body, status, reason, said):
    outcome = await one(backend, tool(body))
    assert (outcome.status, outcome.reason) == (status, reason), outcome
    assert said in outcome.error and "\n" not in outcome.error
    if "print" in body:
        assert (outcome.stdout, outcome.stderr) == ("seen\n", "said\n")


async def test_wrong_inputs(backend):
    outcome = await one(backend, DOUBLE, {"value": "many"})
    assert outcome.status == "input_error" and "value: Input should be" in outcome.error


async def test_inputs_that_are_not_json(backend):
    outcome = await one(backend, DOUBLE, {"value": float("nan")})
    assert outcome.status == "input_error" and "JSON" in outcome.error


async def test_error_names_the_line(backend):
    outcome = await one(backend, tool("items = []\nreturn items[3]"))
    assert outcome.error.startswith("IndexError: list index out of range (line ")
    assert outcome.error.endswith(": return items[3])")


async def test_changes_do_not_last(backend):
    body = """
        found = getattr(sys, 'mark', None), os.path.exists('mark')
        sys.mark = 1
        open('mark', 'w').close()
        return OutputModel(result=found)
    """
    for outcome in await backend.call(SandboxJob(tool(body), [{}, {}])):
        assert outcome.output == {"result": [None, False]}


async def test_files_are_readable_and_only_readable(sandbox, tmp_path):
    secret = tmp_path / "table.csv"
    secret.write_text("a,b\n")
    secret.chmod(0o600)
    body = """
        denied, table = [], '/inputs/table.csv'
        for action in (lambda: open(table, 'a'), lambda: os.unlink(table),
                       lambda: open('/inputs/new', 'w'), lambda: os.chmod(table, 7)):
            try:
                action()
            except OSError as error:
                denied.append(type(error).__name__)
        return OutputModel(result=[open('/inputs/table.csv').read(), os.listdir('/inputs'), denied])
    """
    outcome = await one(sandbox, tool(body), files={"table.csv": secret})
    text, listed, denied = outcome.output["result"]
    assert (text, listed, len(denied)) == ("a,b\n", ["table.csv"], 4)
    assert secret.read_text() == "a,b\n"
    assert not list((sandbox.cache / "jobs").iterdir())


async def test_files_need_a_sandbox(home, monkeypatch, tmp_path):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    file = tmp_path / "a"
    file.touch()
    with pytest.raises(SandboxError, match="/inputs"):
        await one(ProcessSandbox(allow_unsafe=True), DOUBLE, files={"a": file})


async def test_requirements(backend):
    source = tool("import roman\nreturn OutputModel(result=roman.toRoman(1987))")
    outcome = await one(backend, source, requirements=["roman==5.2"])
    assert outcome.output == {"result": "MCMLXXXVII"}
    without = await one(backend, source)
    assert "No module named 'roman'" in without.error


async def test_requirement_with_native_code(backend):
    source = tool("import numpy\nreturn OutputModel(result=float(numpy.arange(5).dot([1] * 5)))")
    limits = SandboxLimits(seconds=60)
    outcome = await one(backend, source, requirements=["numpy"], limits=limits)
    assert outcome.output == {"result": 10.0}, outcome


async def test_requirement_that_does_not_exist(backend):
    with pytest.raises(DependencyError, match="roman"):
        await one(backend, DOUBLE, requirements=["roman==0.0.99"])
    assert not [path for path in (backend.cache / "deps").glob(".*.building.*")]


async def test_conflicting_versions_live_side_by_side(backend):
    source = tool(
        "from importlib.metadata import version\nreturn OutputModel(result=version('roman'))"
    )
    found = [
        (await one(backend, source, requirements=[f"roman=={version}"])).output["result"]
        for version in ("5.2", "5.1")
    ]
    assert found == ["5.2", "5.1"]


async def test_the_lock_names_versions_and_hashes(backend):
    await one(backend, DOUBLE, requirements=["roman==5.2"])
    locks = [json.loads(path.read_text()) for path in (backend.cache / "deps/locks").iterdir()]
    [lock] = {note["lock"] for note in locks if note["requirements"] == ["roman==5.2"]}
    assert lock.startswith("roman==5.2") and "--hash=sha256:" in lock


@pytest.mark.skipif(not Path("/usr/share/zoneinfo").exists(), reason="no time zones here")
async def test_time_zones_and_text(backend):
    body = """
        from datetime import datetime
        from zoneinfo import ZoneInfo
        moment = datetime(2024, 7, 1, 12, tzinfo=ZoneInfo('Europe/Paris'))
        return OutputModel(result=[moment.isoformat(), 'é', sys.getfilesystemencoding()])
    """
    outcome = await one(backend, tool(body))
    assert outcome.output == {"result": ["2024-07-01T12:00:00+02:00", "é", "utf-8"]}


async def test_many_jobs_at_once(backend):
    jobs = [backend.call(SandboxJob(DOUBLE, [{"value": n}])) for n in range(4)]
    found = [outcomes[0].output["result"] for outcomes in await asyncio.gather(*jobs)]
    assert found == [0, 2, 4, 6]


def running_below() -> list[str]:
    """Command lines of this process's children that are still there."""
    from yunjue.sandbox.runner import descendants

    found = []
    for pid in descendants(os.getpid()):
        try:
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return [line for line in found if "dockerd" not in line and "containerd" not in line]


async def test_cancelled(backend):
    await backend.prepare()
    before = running_below()
    job = SandboxJob(tool("time.sleep(60)"), [{}], limits=SandboxLimits(seconds=60))
    for seconds in (0.05, 1.5):  # while it starts, and while the tool runs
        task = asyncio.create_task(backend.call(job))
        await asyncio.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert running_below() == before
    assert (await one(backend, DOUBLE, {"value": 4})).output == {"result": 8}


async def test_closed_while_a_tool_runs(backend):
    await backend.prepare()
    job = SandboxJob(tool("time.sleep(60)"), [{}], limits=SandboxLimits(seconds=60))
    task = asyncio.create_task(backend.call(job))
    await asyncio.sleep(1)
    await backend.close()
    with pytest.raises(SandboxError, match="closed"):
        await task
    await backend.close()

"""Secrets reach the call's process, and nothing that is written down."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tool_files import tool

from yunjue.config import load_settings
from yunjue.events import Events
from yunjue.grants import GrantedSandbox
from yunjue.hashing import content_id
from yunjue.library.open import open_library
from yunjue.protocols import SandboxJob
from yunjue.traces.effects import RecordedEffects
from yunjue.traces.recorded_sandbox import RecordedSandbox
from yunjue.traces.trace import TraceWriter
from yunjue.types import Tool, Verdict

pytestmark = pytest.mark.integration

VALUE = "wk-7f3a/9Q+zz_51x"
TELL = tool(
    """
    import base64
    key = os.environ["WEATHER_KEY"]
    print("key", key)
    print(key.encode().hex(), file=sys.stderr)
    if input.value:
        raise RuntimeError("bad key " + key)
    coded = base64.b64encode(b"user:" + key.encode()).decode()
    return OutputModel(result={"length": len(key), "all": [key, coded, {key: 1}]})
    """
)
DECLARED = TELL.replace('"tags"', '"secrets": ["WEATHER_KEY"], "tags"')


async def test_only_the_call_has_it_and_no_outcome_shows_it(sandbox):
    secrets = {"WEATHER_KEY": VALUE}
    job = SandboxJob(TELL, [{}, {"value": 1}], secrets=secrets, warm=True)
    good, bad = await sandbox.call(job)
    assert good.output["result"]["length"] == len(VALUE), good
    assert good.output["result"]["all"][0] == "[WEATHER_KEY]"
    assert "[WEATHER_KEY]" in bad.error and bad.reason == "raised"
    for outcome in (good, bad):
        text = outcome.model_dump_json()
        for form in (VALUE, VALUE.encode().hex(), base64.b64encode(VALUE.encode()).decode()[:20]):
            assert form not in text
        assert outcome.stdout == "key [WEATHER_KEY]\n"
    without = SandboxJob(TELL, [{}], warm=True)
    [outcome] = await sandbox.call(without)
    assert "KeyError" in outcome.error


async def test_a_process_of_the_sandbox_that_is_not_the_call_does_not_show_it(sandbox):
    source = tool(
        """
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for name in ("environ", "cmdline"):
                try:
                    if b"wk-7f3a" in open(f"/proc/{pid}/{name}", "rb").read():
                        found.append([pid, name])
                except OSError:
                    pass
        return OutputModel(result=found)
        """
    )
    [outcome] = await sandbox.call(SandboxJob(source, [{}], secrets={"WEATHER_KEY": VALUE}))
    assert outcome.output == {"result": []}, outcome


async def test_a_trace_holds_the_name_alone(sandbox, tmp_path, monkeypatch):
    """The way of a call in a run: granted, recorded, written down."""
    monkeypatch.setenv("WEATHER_KEY", VALUE)
    events, writer = Events(), TraceWriter(tmp_path / "trace.jsonl", [])
    events.subscribe(writer)
    recorded = RecordedSandbox(sandbox, RecordedEffects(events))
    granted = GrantedSandbox(recorded, load_settings(grant_secrets=["WEATHER_KEY"]))
    outcomes = await granted.call(SandboxJob(DECLARED, [{}, {"value": 1}]))
    writer.close()
    assert [outcome.status for outcome in outcomes] == ["ok", "failed"]
    text = (tmp_path / "trace.jsonl").read_text()
    assert '"secrets": ["WEATHER_KEY"]' in text and "[WEATHER_KEY]" in text
    assert "wk-7f3a" not in text and VALUE.encode().hex() not in text


def yunjue(*args, home):
    env = {**os.environ, "YUNJUE_HOME": str(home), "WEATHER_KEY": VALUE, "YUNJUE_EMBEDDER": "hash"}
    return subprocess.run(
        [sys.executable, "-m", "yunjue", *args], capture_output=True, text=True, env=env
    )


def test_the_command_grants_by_name_and_shows_nothing(bubblewrap_sandbox, home):
    schema = {"properties": {"value": {"type": "integer"}}}
    about = {"name": "probe", "description": "for tests", "signature": "probe() -> result: any"}
    tool_id = content_id(DECLARED)
    made = Tool(id=tool_id, source=DECLARED, input_schema=schema, output_schema={}, **about)
    folder = Path(home) / "secret-library"
    library = open_library(load_settings(library=folder, embedder="hash"), print)
    library.add(made, Verdict(tool_id=tool_id, admitted=True, stages=[]))
    library.close()
    command = ["tools", "run", "probe", "--library", str(folder), "--sandbox", "bubblewrap"]
    refused = yunjue(*command, home=home)
    assert refused.returncode == 1 and "--grant WEATHER_KEY" in refused.stderr
    shown = yunjue(*command, "--grant", "WEATHER_KEY", "--json", home=home)
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["output"]["result"]["length"] == len(VALUE)
    assert VALUE not in shown.stdout + shown.stderr + refused.stderr
    for file in Path(home).rglob("*"):
        if file.is_file() and "cache/bases" not in str(file):
            assert VALUE.encode() not in file.read_bytes(), file

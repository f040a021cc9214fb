"""What a tool declares against what the user allows."""

from __future__ import annotations

import pytest

from yunjue import keys
from yunjue.config import load_settings
from yunjue.errors import ConfigError
from yunjue.grants import GrantedSandbox, NotGranted, equipped, lacking
from yunjue.protocols import SandboxJob
from yunjue.synthesis.static_checks import check_source
from yunjue.traces.recorded_sandbox import _request
from yunjue.types import CallOutcome, Visit

TOOL = """
__TOOL_META__ = {{"name": "probe", "description": "for tests", {meta}}}
from pydantic import BaseModel
class InputModel(BaseModel):
    value: int = 0
class OutputModel(BaseModel):
    result: int = 0
def run(input):
    return OutputModel()
"""
WEATHER = TOOL.format(meta='"network": ["api.weather.org"]')
PLAIN = TOOL.format(meta="")


class Spy:
    """A sandbox that notes its jobs."""

    def __init__(self):
        self.jobs = []

    async def call(self, job):
        self.jobs.append(job)
        return [CallOutcome(status="ok")] * len(job.calls)


def test_a_tool_gets_what_it_declares_and_the_user_allows():
    settings = load_settings(allow_net=["*.weather.org", "other.org"])
    assert equipped(SandboxJob(WEATHER), settings).network == ["api.weather.org"]
    assert equipped(SandboxJob(PLAIN), settings).network == []
    assert equipped(SandboxJob("def f(:"), settings).network == []


async def test_without_a_grant_the_sandbox_is_not_started():
    spy = Spy()
    outcomes = await GrantedSandbox(spy, load_settings()).call(SandboxJob(WEATHER, [{}, {}]))
    assert [(one.status, one.reason) for one in outcomes] == [("failed", "network_refused")] * 2
    assert "api.weather.org" in outcomes[0].error
    assert "--allow-net api.weather.org" in outcomes[0].error
    assert spy.jobs == []


async def test_a_job_cannot_bring_its_own_grant():
    spy = Spy()
    await GrantedSandbox(spy, load_settings()).call(SandboxJob(PLAIN, [{}], network=["*"]))
    assert spy.jobs[0].network == []


def test_what_is_lacking_is_said_with_the_way_out():
    any_host = TOOL.format(meta='"network": ["*"]')
    assert "--allow-net '*'" in lacking(any_host, load_settings())
    assert lacking(any_host, load_settings(allow_net=["a.org"])) == ""
    assert lacking(WEATHER, load_settings(allow_net=["*"])) == ""


@pytest.mark.parametrize("value", ['"api.weather.org"', '["http://a.org"]', "[1]", "7"])
def test_a_declaration_that_is_wrong_is_refused(value):
    source = TOOL.format(meta=f'"network": {value}')
    assert any("network" in problem for problem in check_source(source))
    with pytest.raises(NotGranted, match="wrong"):
        equipped(SandboxJob(source), load_settings(allow_net=["*"]))


def test_a_declaration_that_is_right_passes_the_checks():
    assert check_source(WEATHER) == [] and check_source(PLAIN) == []


@pytest.mark.parametrize("entry", ["http://a.org", "a b", "*=1.2.3.4", ""])
def test_entries_that_are_wrong_are_named(entry):
    with pytest.raises(ConfigError, match="allow_net"):
        load_settings(allow_net=[entry])


KEYED = TOOL.format(meta='"secrets": ["WEATHER_KEY"]')


def test_secrets_come_by_name_from_the_store_or_the_environment(monkeypatch):
    settings = load_settings(grant_secrets=["WEATHER_KEY", "OTHER_KEY"])
    monkeypatch.setenv("WEATHER_KEY", "from-environment")
    assert equipped(SandboxJob(KEYED), settings).secrets == {"WEATHER_KEY": "from-environment"}
    keys.store("weather_key", "from-the-store")
    job = equipped(SandboxJob(KEYED), settings)
    assert job.secrets == {"WEATHER_KEY": "from-the-store"}
    assert "from-the-store" not in repr(job)
    assert _request("call", job)["secrets"] == ["WEATHER_KEY"]
    assert equipped(SandboxJob(PLAIN), settings).secrets == {}


@pytest.mark.parametrize(
    ("granted", "value", "said"),
    [
        ([], "long-enough", "--grant WEATHER_KEY"),
        (["OTHER_KEY"], "long-enough", "--grant WEATHER_KEY"),
        (["WEATHER_KEY"], None, "yunjue keys set weather_key"),
        (["WEATHER_KEY"], "short", "less than 6 characters"),
    ],
)
async def test_a_tool_without_its_secret_is_not_started(granted, value, said, monkeypatch):
    if value:
        monkeypatch.setenv("WEATHER_KEY", value)
    spy = Spy()
    settings = load_settings(grant_secrets=granted)
    [outcome] = await GrantedSandbox(spy, settings).call(SandboxJob(KEYED, [{}]))
    assert (outcome.status, outcome.reason) == ("failed", "secret_refused")
    assert said in outcome.error and spy.jobs == []
    assert value is None or value not in outcome.error


@pytest.mark.parametrize("name", ["weather", "LD_PRELOAD", "PATH", "PYTHONPATH", "HTTPS_PROXY", ""])
def test_names_that_no_secret_has(name):
    with pytest.raises(ConfigError, match="grant_secrets"):
        load_settings(grant_secrets=[name])
    assert any("secrets" in one for one in check_source(TOOL.format(meta=f'"secrets": ["{name}"]')))


def test_jobs_without_network_have_the_ids_they_had():
    job = SandboxJob("source", [{"a": 1}])
    assert set(_request("call", job)) == {
        *("verb", "source", "calls", "requirements", "files", "limits"),
    }
    granted = SandboxJob("source", [{"a": 1}], network=["a.org"])
    assert _request("call", granted)["network"] == ["a.org"]


def test_outcomes_without_network_look_as_they_did():
    plain = CallOutcome(status="ok")
    assert "network" not in plain.model_dump() and "visits" not in plain.model_dump()
    went = CallOutcome(
        status="ok", network=["a.org"], visits=[Visit(host="a.org", port=443, allowed=True)]
    )
    assert CallOutcome(**went.model_dump()) == went

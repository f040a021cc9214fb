"""What goes to a worker and comes back, without any process."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import engine_story
import pytest
import story
from hypothesis import given
from hypothesis import strategies as st

from yunjue import errors
from yunjue.config import load_settings
from yunjue.errors import (
    BundleRefused,
    ConfigError,
    EngineError,
    LibraryError,
    ModelAuthError,
    SandboxUnavailable,
    YunjueError,
)
from yunjue.evolution import ray_worker
from yunjue.evolution.branch import Base
from yunjue.evolution.remote_base import RemoteBase, answer
from yunjue.evolution.task_run import STOPPING, Job
from yunjue.evolution.worker import (
    Worker,
    error_of,
    job_of,
    outcome_of,
    settings_of,
    told_error,
    told_job,
    told_settings,
)
from yunjue.library.library import Found, Refusal
from yunjue.library.open import open_library
from yunjue.types import Tool, Verdict

pytestmark = pytest.mark.usefixtures("shared_base")


def plain(data):
    """As it is after a journey."""
    return json.loads(json.dumps(data))


def job(tmp_path: Path, task: str = engine_story.FAMILIES[0].sentence("cedar")) -> Job:
    return Job("e-1.00001", 0, task, {"a.txt": "/data/a.txt"}, tmp_path / "job")


# ---- plain data --------------------------------------------------------------------------


def test_a_job_comes_through(tmp_path):
    assert job_of(plain(told_job(job(tmp_path)))) == job(tmp_path)


def test_settings_come_through_whatever_files_and_environment_say_there(tmp_path, monkeypatch):
    told = plain(told_settings(load_settings(library=tmp_path / "lib", roles={"author": "m"})))
    monkeypatch.setenv("YUNJUE_TOP_K", "9")
    monkeypatch.setenv("YUNJUE_ROLES", '{"tester": "other"}')
    Path("yunjue.toml").write_text("candidates = 2\n")
    settings = settings_of(told)
    assert told_settings(settings) == told
    assert (settings.library, settings.roles) == (tmp_path / "lib", {"author": "m"})
    assert (settings.top_k, settings.candidates) == (5, 6)


def test_a_bound_of_which_nothing_is_left_comes_through():
    settings = load_settings().model_copy(update={"timeout": -0.5})
    assert settings_of(plain(told_settings(settings))).timeout == -0.5


@pytest.mark.parametrize(
    "kind", [*STOPPING, LibraryError, YunjueError], ids=lambda one: one.__name__
)
def test_an_error_keeps_class_message_and_hint(kind):
    error = error_of(plain(told_error(kind("It broke.", hint="Mend it."))))
    assert (type(error), error.message, error.hint) == (kind, "It broke.", "Mend it.")


def test_an_error_of_an_unknown_class_comes_as_the_nearest_known():
    class NoKey(ModelAuthError):
        pass

    assert type(error_of(plain(told_error(NoKey("No."))))) is ModelAuthError
    assert type(error_of(plain(told_error(BundleRefused("odd", "No."))))) is YunjueError
    assert errors.EngineError.exit_code == 1


# ---- the library from afar ---------------------------------------------------------------


class AnyBase:
    """Answers with what it is given."""

    directory = Path("/library")

    def __init__(self, **answers):
        self._answers = answers

    def __getattr__(self, name):
        def give(*about, **more):
            given = self._answers[name]
            if isinstance(given, Exception):
                raise given
            return given(*about, **more) if callable(given) else given

        return give


def afar(base: Base) -> RemoteBase:
    return RemoteBase(base.directory, lambda question: answer(base, question))


numbers = st.floats(allow_nan=False)
texts = st.text()
tools = st.builds(
    Tool,
    id=texts,
    name=texts,
    description=texts,
    signature=texts,
    source=texts,
    input_schema=st.dictionaries(texts, st.none() | st.booleans() | numbers | texts),
    output_schema=st.just({}),
    requirements=st.lists(texts),
    origin=st.dictionaries(texts, numbers),
)
founds = st.builds(
    Found, tools, numbers, st.none() | numbers, st.sampled_from(["active", "suspect"])
)


@given(st.lists(founds, max_size=4), texts, st.integers(1, 9))
def test_what_is_found_comes_through_exactly(found, query, k):
    def search(asked, most, domain):
        assert (asked, most, domain) == (query, k, "rocks")
        return found

    assert afar(AnyBase(search=search)).search(query, k, domain="rocks") == found


@given(st.none() | st.lists(numbers), st.none() | tools, st.booleans())
def test_every_answer_comes_through_exactly(similar, tool, known):
    base = afar(AnyBase(similarities=similar, find=tool, has=known))
    assert base.similarities("a", ["b"]) == similar
    assert base.find("a") == tool
    assert base.has("a") is known


def test_a_refusal_and_an_error_come_through():
    refusal = Refusal("f", "m", 2, 1, "no candidate passed", "2026-01-18T00:00:00Z")
    assert afar(AnyBase(passing_over=refusal)).passing_over("f", "m") == refusal
    assert afar(AnyBase(passing_over=None)).passing_over("f", "m") is None
    with pytest.raises(LibraryError, match="was changed"):
        afar(AnyBase(find=LibraryError("Its file was changed."))).find("f")


def test_a_library_from_afar_says_what_it_says_at_home(tmp_path):
    with_tool = open_library(load_settings(embedder="hash", library=tmp_path / "l"), print)
    tool = story.tool()
    with_tool.add(tool, Verdict(tool_id=tool.id, admitted=True, stages=[]))
    remote = afar(with_tool)
    assert remote.directory == with_tool.directory
    assert remote.search("reverse a text", 3) == with_tool.search("reverse a text", 3) != []
    assert remote.similarities("x y", ["x", "z"]) == with_tool.similarities("x y", ["x", "z"])
    assert remote.find("reverse_text") == tool and remote.find("other") is None
    assert remote.has(tool.id) and not remote.has("other")
    with_tool.close()


# ---- the worker --------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path):
    opened = open_library(load_settings(embedder="hash", library=tmp_path / "l"), print)
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", STOPPING, ids=lambda one: one.__name__)
def test_what_stops_every_task_comes_out_as_its_class(tmp_path, library, monkeypatch, kind):
    async def refuse(*_, **__):
        raise kind("Not here.", hint="Elsewhere.")

    monkeypatch.setattr("yunjue.evolution.worker.run_job", refuse)
    settings = engine_story.stream_settings(tmp_path)
    worker = Worker(settings)
    with pytest.raises(kind, match="Not here") as caught:
        outcome_of(plain(worker.work(job(tmp_path), settings, library)))
    assert caught.value.hint == "Elsewhere."
    worker.close()


def test_a_worker_that_cannot_open_its_means_says_why(tmp_path, library):
    settings = engine_story.stream_settings(tmp_path, allow_unsafe=False)
    worker = Worker(settings)
    with pytest.raises(SandboxUnavailable, match="does not isolate"):
        outcome_of(plain(worker.work(job(tmp_path), settings, library)))
    worker.close()


def test_a_bug_in_opening_stops_the_batch(tmp_path, library, monkeypatch):
    async def bug(*_, **__):
        raise ImportError("no module named moon")

    monkeypatch.setattr("yunjue.evolution.worker.open_sandbox", bug)
    settings = engine_story.stream_settings(tmp_path)
    worker = Worker(settings)
    with pytest.raises(EngineError, match="ImportError: no module named moon"):
        outcome_of(plain(worker.work(job(tmp_path), settings, library)))
    worker.close()


def test_means_are_opened_once_and_closed(tmp_path, library, monkeypatch):
    opened, closed = [], []

    class Means:
        async def close(self):
            closed.append(self)

    async def sandbox(settings, warn):
        opened.append("sandbox")
        return Means()

    async def models(settings, *, warn, roles):
        opened.append("models")
        model = Means()
        return {role: [model] for role in roles}

    async def run(*_, **__):
        raise ConfigError("Enough.")

    monkeypatch.setattr("yunjue.evolution.worker.open_sandbox", sandbox)
    monkeypatch.setattr("yunjue.evolution.worker.choose_models", models)
    monkeypatch.setattr("yunjue.evolution.worker.run_job", run)
    settings = engine_story.stream_settings(tmp_path)
    worker = Worker(settings)
    for _ in range(3):
        worker.work(job(tmp_path), settings, library)
    worker.close()
    assert opened == ["sandbox", "models"]
    assert len(closed) == 2


# ---- a job on another machine ------------------------------------------------------------


@pytest.fixture
def far(tmp_path, library, monkeypatch):
    """Runs a job as a Ray task does, without Ray; returns its answer and what it left."""
    settings = engine_story.stream_settings(tmp_path)
    monkeypatch.setattr(
        ray_worker, "_carrier", lambda owner: lambda question: answer(owner, question)
    )

    def run(one, sent=None, version=ray_worker.__version__):
        told = plain(told_settings(settings))
        asked = {
            "version": version,
            "job": told_job(one),
            "settings": told,
            "opening": told,
            "library": str(library.directory),
        }
        return ray_worker.run_task(json.dumps(asked), library, sent or {})

    yield run
    if ray_worker._worker.cache_info().currsize:
        ray_worker._worker(json.dumps(plain(told_settings(settings)), sort_keys=True)).close()
    ray_worker._worker.cache_clear()


def test_a_job_leaves_nothing_where_it_ran_and_sends_its_trace(far, tmp_path):
    one = replace(job(tmp_path), files={})
    answered, left = far(one)
    outcome = outcome_of(json.loads(answered))
    assert (outcome.status, outcome.answer) == ("solved", "radec")
    assert list(left) == ["trace.jsonl"]
    events = [json.loads(line) for line in left["trace.jsonl"].splitlines()]
    assert events[-1]["kind"] == "run.finished"
    assert not (tmp_path / "job").exists()

    again, more = far(one, left)
    assert engine_story.told(outcome_of(json.loads(again))) == engine_story.told(outcome)
    assert more["trace.jsonl"].startswith(left["trace.jsonl"])
    news = more["trace.jsonl"][len(left["trace.jsonl"]) :].splitlines()
    assert "effect" not in [json.loads(line)["kind"] for line in news]


def test_files_of_a_job_are_where_it_runs(tmp_path):
    one = ray_worker._unpacked(job(tmp_path), tmp_path / "there", {"inputs/0": b"data"})
    assert one.folder == tmp_path / "there"
    assert Path(one.files["a.txt"]).read_bytes() == b"data"


def test_a_worker_of_another_version_is_refused(far, tmp_path):
    answered, left = far(job(tmp_path), version="0.0.1")
    with pytest.raises(EngineError, match=r"The driver has yunjue 0\.0\.1"):
        outcome_of(json.loads(answered))
    assert left == {}


def test_outputs_are_sent_and_nothing_else(tmp_path):
    outputs = tmp_path / "outputs" / "call-1" / "deep"
    outputs.mkdir(parents=True)
    (outputs / "a.csv").write_text("1,2")
    (outputs / "link").symlink_to("/etc/passwd")
    (tmp_path / "checkpoints.sqlite").write_text("x")
    (tmp_path / "trace.jsonl").write_text("{}\n")
    assert ray_worker._left(tmp_path) == {
        "trace.jsonl": b"{}\n",
        "outputs/call-1/deep/a.csv": b"1,2",
    }

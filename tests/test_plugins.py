from __future__ import annotations

import pytest
import story

from yunjue.config import load_settings
from yunjue.errors import PluginError, UsageError
from yunjue.hookspecs import hookimpl
from yunjue.plugins import Plugins
from yunjue.types import Verdict


def test_built_ins_register_through_the_hooks():
    loaded = Plugins()
    assert {"local", "litellm", "scripted"} <= set(loaded.offered("models"))
    assert {"docker", "bubblewrap", "process"} <= set(loaded.offered("sandboxes"))
    assert {"minilm", "sentence-transformers", "hash"} <= set(loaded.offered("embedders"))
    assert loaded.choose("embedders", "hash", load_settings()).dimension == 256
    with pytest.raises(UsageError, match="there are bubblewrap"):
        loaded.choose("sandboxes", "moon", load_settings())


def test_two_plugins_with_one_name_are_an_error():
    class Twin:
        @hookimpl
        def register_embedders(self, register):
            register("hash", lambda settings: None)

    loaded = Plugins()
    loaded.manager.register(Twin(), name="twin")
    with pytest.raises(PluginError, match="hash"):
        loaded.offered("embedders")


def test_a_veto_is_the_first_reason_given():
    class Careful:
        @hookimpl
        def admit_tool(self, tool, verdict):
            return "no reversing" if tool.name == "reverse_text" else None

    loaded = Plugins()
    verdict = Verdict(tool_id="x", admitted=True, stages=[])
    assert loaded.veto(story.tool(), verdict) == ""
    loaded.manager.register(Careful(), name="careful")
    assert loaded.veto(story.tool(), verdict) == "no reversing"


def test_a_broken_entry_point_is_named_and_the_rest_loads(monkeypatch):
    class Point:
        name, value, dist = "broken", "nowhere:plugin", None

        def load(self):
            raise ImportError("no module named nowhere")

    monkeypatch.delenv("YUNJUE_LOAD_PLUGINS", raising=False)
    monkeypatch.setattr("yunjue.plugins.metadata.entry_points", lambda group: [Point()])
    loaded = Plugins()
    loaded.load_entry_points()
    assert [plugin.error for plugin in loaded.failed] == ["ImportError: no module named nowhere"]
    assert loaded.info()[-1].name == "broken"
    monkeypatch.setenv("YUNJUE_LOAD_PLUGINS", "other")
    restricted = Plugins()
    restricted.load_entry_points()
    assert restricted.failed == []

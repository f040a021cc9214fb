from __future__ import annotations

import importlib.util
import os
import py_compile
import textwrap

import pytest
import story
import typer

from yunjue import plugin_sources
from yunjue.cli.main import take_plugin_options
from yunjue.config import load_settings
from yunjue.domains import Domain
from yunjue.errors import PluginError, UsageError
from yunjue.hookspecs import hookimpl
from yunjue.plugins import Plugins
from yunjue.types import Verdict

VERDICT = Verdict(tool_id="x", admitted=True, stages=[])


def test_built_ins_register_through_the_hooks():
    loaded = Plugins()
    assert {"local", "litellm", "scripted"} <= set(loaded.offered("models"))
    assert {"docker", "bubblewrap", "process"} <= set(loaded.offered("sandboxes"))
    assert {"minilm", "sentence-transformers", "hash"} <= set(loaded.offered("embedders"))
    assert loaded.choose("embedders", "hash", load_settings()).dimension == 256
    with pytest.raises(UsageError, match="there are bubblewrap"):
        loaded.choose("sandboxes", "moon", load_settings())


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


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A working folder with plugins, which are trusted: name -> its source."""

    def write(**sources):
        folder = tmp_path / ".yunjue" / "plugins"
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in sources.items():
            (folder / f"{name}.py").write_text(HEAD + textwrap.dedent(source))
        plugin_sources.trust(tmp_path)
        loaded = Plugins()
        loaded.load()
        return loaded

    monkeypatch.delenv("YUNJUE_LOAD_PLUGINS", raising=False)
    monkeypatch.setattr("yunjue.plugin_sources.metadata.entry_points", lambda group: [])
    return write


HEAD = "from yunjue.hookspecs import hookimpl\n"
GOOD = """
@hookimpl
def admit_tool(tool):
    return "no"
"""


def told(loaded):
    return {plugin.name.removeprefix("project/"): plugin.error for plugin in loaded.failed}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("def broken(:", "SyntaxError"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import time; time.sleep(60)" + GOOD, "takes longer than 0.5 s"),
        ("while True:\n    try:\n        while True: pass\n    except Exception: pass", "longer"),
        ("print('hello')" + GOOD, "writes to stdout, where results belong: 'hello'"),
        ("import os; os.chdir('/')" + GOOD, "changes the working folder to /"),
        ("yunjue_hooks = '0'" + GOOD, "for the hooks 0, older than 1.0: it must be updated"),
        ("yunjue_hooks = '1.9'" + GOOD, "needs the hooks 1.9; this Yunjue has 1.0"),
        ("yunjue_hooks = 'new'" + GOOD, "write it as"),
        ("x = 1", "implements no hook"),
        ("@hookimpl\ndef register_moons(register): pass", "unknown hook 'register_moons'"),
        ("@hookimpl\ndef on_event(event, colour): pass", "colour"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_named_and_the_rest_loads(
    project, monkeypatch, capfd, source, why
):
    monkeypatch.setenv("YUNJUE_PLUGIN_SECONDS", "0.5")
    folder = os.getcwd()
    loaded = project(bad=source, good=GOOD)
    assert list(told(loaded)) == ["bad"] and why in told(loaded)["bad"]
    assert loaded.veto(story.tool(), VERDICT) == "no"
    assert os.getcwd() == folder
    output = capfd.readouterr()
    assert output.out == "" and "the plugin project/bad is disabled" in output.err
    monkeypatch.setenv("YUNJUE_STRICT_PLUGINS", "1")
    with pytest.raises(PluginError, match="project/bad failed"):
        Plugins().load()


@pytest.mark.parametrize(
    ("hook", "why"),
    [
        ("raise KeyError('moon')", "admit_tool: KeyError: 'moon'"),
        ("print(tool.name)", "writes to stdout"),
        ("import os; os.chdir('/')", "changes the working folder"),
        ("import time; time.sleep(9)", "takes longer"),
    ],
)
def test_a_plugin_that_fails_in_a_hook_is_disabled_and_the_others_are_asked(
    project, monkeypatch, hook, why
):
    monkeypatch.setenv("YUNJUE_PLUGIN_SECONDS", "0.5")
    loaded = project(bad=f"@hookimpl\ndef admit_tool(tool):\n    {hook}\n", good=GOOD)
    assert loaded.failed == []
    assert loaded.veto(story.tool(), VERDICT) == "no"
    assert why in told(loaded)["bad"]
    assert "project/bad" not in [info.name for info in loaded.info() if not info.error]


def test_what_a_plugin_offered_goes_with_it(project):
    loaded = project(good=GOOD)
    for number in range(50):  # enough that a later one lies where an earlier one lay
        domain = Domain(f"moon{number}", "work on moons", fits=lambda task, files: False)

        class Offers:
            @hookimpl
            def register_domains(self, register, domain=domain):
                register(domain)

        loaded.manager.register(Offers(), name="moons")
        assert loaded.domains().get(domain.name) is domain
        loaded.manager.unregister(name="moons")
        assert domain.name not in loaded.domains()


def test_of_two_plugins_with_one_name_the_later_is_disabled_whole(project):
    twin = """
    from yunjue.domains import Domain
    @hookimpl
    def register_domains(register):
        register(Domain("rocks", "work on rocks", fits=lambda task, files: False))
        register(Domain("moons", "work on moons", fits=lambda task, files: False))
    """
    loaded = project(a=twin, b=twin.replace("rocks", "seas"))
    assert list(loaded.domains()) == ["web", "rocks", "moons"]
    assert told(loaded) == {"b": "register_domains: PluginError: there is another domain 'moons'"}


def test_a_built_in_name_cannot_be_taken(project):
    source = """
    @hookimpl
    def register_embedders(register):
        register("hash", lambda settings: None)
    @hookimpl
    def register_commands(app):
        app.command("hello")(lambda: None)
        app.command("solve")(lambda: None)
    """
    loaded = project(a=source)
    assert loaded.choose("embedders", "hash", load_settings()).dimension == 256
    assert "another embedder 'hash'" in told(loaded)["a"]
    again = project(a=source)
    app = typer.Typer()
    again.add_commands(app)
    assert "another command 'solve'" in told(again)["a"]
    assert "hello" not in [one.name for one in app.registered_commands]


@pytest.mark.parametrize(
    ("domain", "why"),
    [
        ("Domain('Moon', 'x', fits=None)", "no name of a domain"),
        ("Domain('moon', '', fits=None)", "no description"),
        ("Domain('moon', 'x', fits=None, prompt='y' * 601)", "longer than 600"),
        ("Domain('moon', 'x', fits=None, tools=Path('nowhere'))", "no tools at nowhere"),
    ],
)
def test_a_domain_that_cannot_be_is_refused(project, domain, why):
    source = f"""
    from pathlib import Path
    from yunjue.domains import Domain
    @hookimpl
    def register_domains(register):
        register({domain})
    """
    loaded = project(a=source)
    assert list(loaded.domains()) == ["web"] and why in told(loaded)["a"]


def test_a_projects_plugins_load_only_as_they_were_when_trust_was_given(project, tmp_path):
    project(a=GOOD)
    (tmp_path / ".yunjue" / "plugins" / "a.py").write_text(HEAD + GOOD + "# changed\n")
    changed = Plugins()
    changed.load()
    assert "not trusted" in told(changed)["a"]
    assert plugin_sources.untrust(tmp_path) and not plugin_sources.untrust(tmp_path)


def test_what_lies_in_pycache_is_not_what_was_trusted(project, tmp_path):
    """Python's importer takes an unchecked .pyc for the source that was read and trusted."""
    bad = tmp_path / "bad.py"
    bad.write_text(HEAD + GOOD.replace('"no"', '"from pycache"'))
    source = tmp_path / ".yunjue" / "plugins" / "a.py"
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    target = importlib.util.cache_from_source(str(source))
    py_compile.compile(str(bad), target, invalidation_mode=unchecked)
    assert project(a=GOOD).veto(story.tool(), VERDICT) == "no"


def test_a_second_plugin_of_a_name_does_not_put_out_the_first(project, monkeypatch):
    loaded = project(a=GOOD)
    for name in ("project/a", "yunjue.models"):
        point = plugin_sources.Found(name, "", "", type("Other", (), {}))
        monkeypatch.setattr("yunjue.plugins.found_plugins", lambda point=point: [point])
        loaded.load()
    assert [plugin.error for plugin in loaded.failed] == ["another plugin has its name"] * 2
    assert loaded.veto(story.tool(), VERDICT) == "no"
    assert "litellm" in loaded.offered("models")


def test_a_plugin_named_by_flag_loads_from_the_working_folder(project, tmp_path, monkeypatch):
    (tmp_path / "mine_by_flag.py").write_text(HEAD + "class Box:\n    pass\n" + GOOD)
    take_plugin_options(["--plugin", "mine_by_flag", "--strict", "solve", "--plugin", "no"])
    assert os.environ.pop("YUNJUE_PLUGINS") == "mine_by_flag"
    assert os.environ.pop("YUNJUE_STRICT_PLUGINS") == "1"
    monkeypatch.setenv("YUNJUE_PLUGINS", "mine_by_flag,mine_by_flag:Box.moon")
    loaded = Plugins()
    loaded.load()
    assert loaded.veto(story.tool(), VERDICT) == "no"
    assert "moon" in told(loaded)["mine_by_flag:Box.moon"]


def test_entry_points_can_be_restricted_and_disabled(monkeypatch):
    class Point:
        name, value, dist = "broken", "nowhere:plugin", None

        def load(self):
            raise ImportError("no module named nowhere")

    monkeypatch.delenv("YUNJUE_LOAD_PLUGINS", raising=False)
    monkeypatch.setattr("yunjue.plugin_sources.metadata.entry_points", lambda group: [Point()])

    def errors():
        loaded = Plugins()
        loaded.load()
        return [plugin.error for plugin in loaded.failed]

    assert errors() == ["ImportError: no module named nowhere"]
    plugin_sources.switch("broken", on=False)
    assert "disabled" in errors()[0]
    plugin_sources.switch("broken", on=True)
    monkeypatch.setenv("YUNJUE_LOAD_PLUGINS", "other")
    assert errors() == []
    plugin_sources._path().write_text("{}")
    with pytest.raises(PluginError, match="damaged"):
        plugin_sources.disabled()

"""Where third-party plugins come from, and which of them may load.

=============  ================================================  =========================
source         found by                                          loaded
=============  ================================================  =========================
entry point    the group ``yunjue`` of an installed package      unless disabled
flag           ``--plugin module:object``                        always
project        ``.yunjue/plugins/*.py`` of the working folder    once trusted as it is now
=============  ================================================  =========================

``YUNJUE_LOAD_PLUGINS``, a comma-separated list of names, restricts entry points and projects;
empty means none.
"""

from __future__ import annotations

import json
import os
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from yunjue.errors import PluginError, UsageError
from yunjue.files import locked, write_whole
from yunjue.hashing import content_id
from yunjue.user_home import home

GROUP = "yunjue"
ONLY = "YUNJUE_LOAD_PLUGINS"
NAMED = "YUNJUE_PLUGINS"
"""The plugins of ``--plugin``, for this process and those it starts."""

PROJECT_FOLDER = Path(".yunjue/plugins")
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin that can be loaded.

    Attributes:
        name: of the entry point; the flag's text; ``project/FILE``.
        source: what a person needs to find it again.
        refused: why it must not be loaded; "" if it may.
        load: imports it and gives the module or object.
    """

    name: str
    source: str
    version: str
    load: Callable[[], Any]
    refused: str = ""


def found_plugins() -> list[Found]:
    """All of them, by name within a source."""
    return [*_entry_points(), *_named(), *_of_project()]


def _only() -> set[str] | None:
    wanted = os.environ.get(ONLY)
    return None if wanted is None else {name.strip() for name in wanted.split(",")}


def _entry_points() -> Iterator[Found]:
    only, off = _only(), disabled()
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda point: point.name):
        if only is not None and point.name not in only:
            continue
        version = point.dist.version if point.dist else ""
        why = "disabled; `yunjue plugins enable` takes it back" if point.name in off else ""
        yield Found(point.name, point.value, version, point.load, why)


def _named() -> Iterator[Found]:
    for text in filter(None, os.environ.get(NAMED, "").split(",")):
        yield Found(text, "--plugin", "", partial(_imported, text))


def _imported(text: str) -> Any:
    module, _, name = text.partition(":")
    sys.path.insert(0, os.curdir)
    try:
        found = import_module(module)
    finally:
        sys.path.remove(os.curdir)
    for part in filter(None, name.split(".")):
        found = getattr(found, part)
    return found


def _of_project() -> Iterator[Found]:
    only = _only()
    files = project_files(Path())
    if not files:
        return
    try:
        read = _read_files(files)
        why = "" if _trusted(Path(), read) else NOT_TRUSTED
    except (OSError, PluginError):
        read, why = dict.fromkeys(files, b""), NOT_TRUSTED
    for path, source in read.items():
        name = f"project/{path.stem}"
        if only is None or name in only:
            yield Found(name, str(path), "", partial(_executed, path, source), why)


NOT_TRUSTED = "its project is not trusted; read it, then `yunjue plugins trust`"


def _executed(path: Path, source: bytes) -> Any:
    """The module of the bytes that are trusted. Not by Python's importer: it would take what
    lies in ``__pycache__``, which nobody has read."""
    module = types.ModuleType(f"yunjue_project_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 - the user's choice
    return module


def project_files(project: Path) -> list[Path]:
    """The plugin files of a project, by name."""
    folder = project / PROJECT_FOLDER
    try:
        return sorted(path for path in folder.glob("*.py") if path.is_file())
    except OSError:
        return []


def _read_files(files: list[Path]) -> dict[Path, bytes]:
    """Raises PluginError if one of them is larger than a plugin is."""
    for path in files:
        if path.stat().st_size > MAX_BYTES:
            raise PluginError(f"{path} is larger than {MAX_BYTES >> 20} MiB: no plugin.")
    return {path: path.read_bytes() for path in files}


def content_of(files: dict[Path, bytes]) -> str:
    """Changes with any byte of the files."""
    return content_id(json.dumps([[path.name, content_id(data)] for path, data in files.items()]))


def _trusted(project: Path, files: dict[Path, bytes]) -> bool:
    try:
        return _read()["trusted"].get(str(project.resolve())) == content_of(files)
    except (OSError, PluginError):
        return False


def trust(project: Path) -> list[Path]:
    """Let the plugins of ``project`` load as they are now: one changed byte asks anew.

    Raises:
        UsageError: it has none.
        PluginError: one of them is larger than a plugin is.
    """
    files = project_files(project)
    if not files:
        raise UsageError(f"There are no plugins in {project / PROJECT_FOLDER}.", hint="")
    with locked(home() / ".plugins.lock"):
        kept = _read()
        kept["trusted"][str(project.resolve())] = content_of(_read_files(files))
        _write(kept)
    return files


def untrust(project: Path) -> bool:
    """Take trust back; False if there was none."""
    with locked(home() / ".plugins.lock"):
        kept = _read()
        was = kept["trusted"].pop(str(project.resolve()), None)
        _write(kept)
    return was is not None


def disabled() -> list[str]:
    """Names of entry points that do not load."""
    return _read()["disabled"]


def switch(name: str, on: bool) -> None:
    """Let the entry point ``name`` load, or not."""
    with locked(home() / ".plugins.lock"):
        kept = _read()
        names = set(kept["disabled"]) - {name} | (set() if on else {name})
        _write({**kept, "disabled": sorted(names)})


def _path() -> Path:
    return home() / "plugins.json"


def _read() -> dict[str, Any]:
    try:
        kept = json.loads(_path().read_bytes())
        names, projects = kept["disabled"], kept["trusted"]
        if not (isinstance(names, list) and isinstance(projects, dict)):
            raise TypeError
        return {"disabled": [str(name) for name in names], "trusted": dict(projects)}
    except FileNotFoundError:
        return {"disabled": [], "trusted": {}}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        raise PluginError(
            f"{_path()} is damaged: it does not say what is disabled and trusted.",
            hint="Move it away, then disable and trust again.",
        ) from None


def _write(kept: dict[str, Any]) -> None:
    write_whole(_path(), json.dumps(kept, indent=1).encode())

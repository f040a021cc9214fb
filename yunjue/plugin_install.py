"""Installs plugins into the environment that Yunjue runs in, and takes them out again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from typing import Any

from yunjue.errors import PluginError, UsageError
from yunjue.plugin_sources import GROUP, NAMED, ONLY

SECONDS = 600.0


def install(requirement: str) -> list[dict[str, Any]]:
    """Install a path or requirement with uv, into this environment.

    Returns:
        The plugins that came with it, as ``plugins list --json`` tells of them in a new process.

    Raises:
        UsageError: it is no path or requirement.
        PluginError: it cannot be installed, or brings no plugin.
    """
    where = _place(requirement)
    before = _versions()
    _uv("install", where)
    changed = {name for name, version in _versions().items() if before.get(name) != version}
    found = [plugin for plugin in _listed() if plugin["name"] in changed]
    if not found:
        raise PluginError(
            f"{requirement} is installed, but brings no new plugin.",
            hint=f"A plugin is an entry point in the group {GROUP!r}: docs/plugins.md.",
        )
    return found


def uninstall(name: str) -> str:
    """Uninstall the package of the plugin ``name``; gives the package's name.

    Raises:
        UsageError: no installed package brings it.
        PluginError: it cannot be uninstalled.
    """
    for point in metadata.entry_points(group=GROUP):
        if point.name == name and point.dist is not None:
            package = point.dist.name  # read before its files are gone
            _uv("uninstall", package)
            return package
    raise UsageError(
        f"No installed package brings the plugin {name!r}.", hint="See `yunjue plugins list`."
    )


def _place(requirement: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    if os.path.exists(requirement):
        return os.path.abspath(requirement)
    try:
        Requirement(requirement)
    except InvalidRequirement:
        raise UsageError(
            f"{requirement!r} is no folder, file or requirement.",
            hint="For example ./my-plugin or yunjue-acme>=1.",
        ) from None
    return requirement


def _uv(verb: str, what: str) -> None:
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", verb, "--python", sys.executable, "--no-progress"]
    try:
        done = subprocess.run(
            [*command, "--color", "never", "--", what],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise PluginError(f"uv took more than {SECONDS:g} s to {verb} {what}.", hint="") from None
    if done.returncode:
        said = " ".join(done.stderr.split())[-600:]
        raise PluginError(f"uv cannot {verb} {what}: {said}", hint="Nothing was changed.")


def _versions() -> dict[str, tuple[str, str]]:
    """Entry point -> (its package and version, what it names)."""
    import importlib

    importlib.invalidate_caches()
    return {
        point.name: (f"{point.dist.name} {point.dist.version}" if point.dist else "", point.value)
        for point in metadata.entry_points(group=GROUP)
    }


def _listed() -> list[dict[str, Any]]:
    """What a new process says that is loaded: this one has begun without."""
    environment = {name: value for name, value in os.environ.items() if name not in (ONLY, NAMED)}
    done = subprocess.run(
        # -P: no module of the working folder takes the place of one of Python's or ours.
        [sys.executable, "-P", "-m", "yunjue", "plugins", "list", "--json"],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        env=environment,
        stdin=subprocess.DEVNULL,
    )
    try:
        return json.loads(done.stdout)
    except ValueError:
        said = " ".join(done.stderr.split())[-600:]
        raise PluginError(f"The plugins cannot be listed: {said}") from None

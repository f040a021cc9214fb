"""`yunjue doctor`: is everything there that a run needs, and how to mend what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import typer

from yunjue.cli import options
from yunjue.cli.output import print_json


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. ``needed`` is False for what only some tasks need."""

    name: str
    passed: bool
    detail: str
    mend: str = ""
    needed: bool = True


def doctor(library: options.Library = None, json: options.Json = False) -> None:
    """Check sandbox, model, library, browser and plugins; say how to mend what is missing."""
    from yunjue.config import load_settings

    settings = load_settings(library=library)
    checks: list[Check] = []
    for check in CHECKS:
        checks += check(settings)
    if json:
        print_json([asdict(check) for check in checks])
    else:
        for check in checks:
            mark = "ok" if check.passed else "MISSING" if check.needed else "absent"
            print(f"{mark:<8} {check.name}: {check.detail}")
            if check.mend and not check.passed:
                print(f"{'':<8} {check.mend}")
    if any(check.needed and not check.passed for check in checks):
        raise typer.Exit(1)


def _sandboxes(settings) -> list[Check]:
    """Every backend is tried; one that contains code is enough."""
    import asyncio

    from yunjue.errors import SandboxUnavailable
    from yunjue.sandbox.survey import State, survey

    def check(state: State) -> Check:
        name = f"sandbox {state.name}"
        if not state.works:
            return Check(name, False, state.problem, state.hint, needed=False)
        missing = ", ".join(state.missing)
        apart = f"does not isolate {missing}" if missing else "isolates all"
        return Check(name, True, f"works on {state.image[:30]}; {apart}", needed=False)

    checks = [check(state) for state in asyncio.run(survey(settings))]
    usable = any(check.passed for check in checks)
    detail = "model-written code can be contained" if usable else "no backend works"
    return [*checks, Check("sandbox", usable, detail, SandboxUnavailable.default_hint)]


def _model(settings) -> list[Check]:
    from yunjue.errors import YunjueError
    from yunjue.models.selection import default_model_name

    try:
        name, why = default_model_name(settings)
    except YunjueError as error:
        return [Check("model", False, error.message, error.hint)]
    if name == "local" or name.startswith("local/"):
        return [_local_weights(name, why)]
    return [Check("model", True, f"{name} ({why})")]


def _local_weights(name: str, why: str) -> Check:
    from yunjue.models.local.catalog import find
    from yunjue.models.local.pull import is_pulled

    entry = find(name.partition("/")[2])
    if is_pulled(entry):
        return Check("model", True, f"{name} ({why}), {entry.name} is on disk")
    size = f"{entry.size / 1e6:.0f} MB"
    mend = f"The first run fetches it ({size}), or: yunjue models pull {entry.name}"
    return Check(
        "model", False, f"{name} ({why}), {entry.name} is not on disk yet", mend, needed=False
    )


def _library(settings) -> list[Check]:
    from yunjue.errors import YunjueError
    from yunjue.library.open import open_library

    warnings: list[str] = []
    library = open_library(settings, warnings.append)
    try:
        count, problems = library.count(), library.check()
    except YunjueError as error:
        return [Check("library", False, error.message, error.hint)]
    finally:
        library.close()
    if problems:
        return [Check("library", False, "; ".join(problems), "yunjue tools reindex")]
    return [Check("library", True, f"{count} tools in {settings.library_dir}")]


def _browser(settings) -> list[Check]:
    """It is found, and it starts: it is asked for its version."""
    import subprocess

    from yunjue.browser.finder import find_chromium
    from yunjue.errors import BrowserUnavailable

    mend = f"Only web tasks need one. {BrowserUnavailable.default_hint}"
    try:
        found = find_chromium()
        said = subprocess.run(
            [found.path, "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except BrowserUnavailable as error:
        return [Check("browser", False, error.message, mend, needed=False)]
    except (OSError, subprocess.SubprocessError):
        detail = f"{found.path} ({found.source}) does not say its version"
        return [Check("browser", False, detail, mend, needed=False)]
    version = said.stdout.strip()[:80]
    return [Check("browser", True, f"{found.path} ({found.source}), {version}", needed=False)]


def _plugins(settings) -> list[Check]:
    from yunjue.plugins import plugins

    return [
        Check(f"plugin {one.name}", not one.error, one.error or ", ".join(one.hooks), needed=False)
        for one in plugins().info()
        if one.source != "built in"
    ]


CHECKS: tuple[Callable[..., list[Check]], ...] = (
    _sandboxes,
    _model,
    _library,
    _browser,
    _plugins,
)

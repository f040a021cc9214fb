"""What a run does with its domain: tools come in, files are read, answers are verified."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from yunjue.agent.services import Services
from yunjue.agent.state import State
from yunjue.domains import Domain, Judged, Verify
from yunjue.errors import UsageError, YunjueError
from yunjue.files import as_paths
from yunjue.plugin_guard import Misbehaved, guarded
from yunjue.plugins import plugins

PREVIEW_CHARS = 600
SECONDS = 60.0
"""Most that a reader or a verifier may take; then the run goes on without."""


def domain_of(state: State) -> Domain | None:
    """The domain that the task was sent to; None for the plain agent.

    Raises:
        UsageError: no plugin offers it any more.
    """
    return named(state["domain"]) if state["domain"] else None


def named(name: str) -> Domain:
    """The domain called ``name``.

    Raises:
        UsageError: there is none; says which there are.
    """
    domains = plugins().domains()
    if name not in domains:
        known = ", ".join(sorted(domains)) or "none"
        raise UsageError(
            f"There is no domain {name!r}; there are: {known}.",
            hint="`yunjue plugins list` shows what is loaded; --domain none does without.",
        )
    return domains[name]


async def prepared(state: State, services: Services, domain: Domain | None) -> dict[str, Any]:
    """Bring in the tools of plugins, and read the files that the domain has readers for."""
    for name, folder in plugins().tool_folders().items():
        await _provided(services, folder, name, "")
    if domain is None:
        return {}
    if domain.tools is not None:
        await _provided(services, domain.tools, domain.name, domain.name)
    readable = {
        name: path
        for name, path in as_paths(state["files"]).items()
        if Path(name).suffix.lower() in domain.readers
    }
    if not readable:
        return {}

    async def action() -> dict[str, Any]:
        read = {name: await _read(domain, path, services) for name, path in readable.items()}
        return {"previews": {name: text for name, text in read.items() if text}}

    request = {"preview": domain.name, "files": sorted(readable)}
    return await services.effects.perform("library", request, action)


async def _provided(services: Services, folder: Path, name: str, domain: str) -> None:
    async def action() -> dict[str, Any]:
        if services.provider is None:
            return {"added": [], "refused": []}
        try:
            return asdict(await services.provider(folder, name, domain))
        except YunjueError as error:
            return {"added": [], "refused": [error.message]}

    request = {"provide": name}
    if services.provider is None and not services.effects.holds("library", request):
        return  # a replay knows nothing of plugins that came later
    result = await services.effects.perform("library", request, action)
    if result["added"] or result["refused"]:
        services.events.emit("tools.provided", plugin=name, **result)


async def _read(domain: Domain, path: Path, services: Services) -> str:
    """What the domain's reader tells of the file; "" if it fails, which is said."""
    reader = domain.readers[path.suffix.lower()]
    try:
        text = await _foreign(reader, path)
    except Misbehaved as problem:
        _warn(services, f"The domain {domain.name} cannot read {path.name}: {problem}.")
        return ""
    return " ".join(str(text).split())[:PREVIEW_CHARS]


async def verified(state: State, services: Services) -> list[dict[str, Any]]:
    """What verifiers say of the draft: those of all tasks, then that of the domain. Each is
    ``{"by", "holds", "why", "score"}``."""
    # Its plugin may have been disabled since: then the run goes on without.
    domain = plugins().domains().get(state["domain"])
    verifiers = dict(plugins().verifiers())
    if domain is not None and domain.verify is not None:
        verifiers[domain.name] = domain.verify
    files = as_paths(state["files"])
    found = []
    for name, verify in verifiers.items():
        judged = await _verified(name, verify, state, files, services)
        if judged is not None:
            found.append(judged)
    return found


async def _verified(
    name: str, verify: Verify, state: State, files: Mapping[str, Path], services: Services
) -> dict[str, Any] | None:
    async def action() -> dict[str, Any]:
        try:
            judged = await _foreign(verify, state["task"], state["draft"], files)
            if judged is not None and not isinstance(judged, Judged):
                raise Misbehaved(f"{type(judged).__name__} is no Judged")
        except Misbehaved as problem:
            _warn(services, f"The verifier {name} says nothing: {problem}.")
            judged = None
        return {"judged": asdict(judged) if judged is not None else None}

    request = {"verifier": name, "task": state["task"], "answer": state["draft"]}
    if services.replayed and not services.effects.holds("verify", request):
        return None  # its plugin came later
    result = await services.effects.perform("verify", request, action)
    return {"by": name, **result["judged"]} if result["judged"] else None


async def _foreign(function: Any, *arguments: Any) -> Any:
    """Call a plugin's function beside the event loop. Raises Misbehaved if it fails or hangs;
    its thread is then left behind, and ends with the process at the latest."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, problem: Misbehaved | None) -> None:
        if done.done():
            return
        if problem is not None:
            done.set_exception(problem)
        else:
            done.set_result(result)

    def call() -> None:
        result, problem = None, None
        try:
            with guarded():
                result = function(*arguments)
        except Misbehaved as found:
            problem = found
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, problem)

    threading.Thread(target=call, daemon=True).start()
    try:
        return await asyncio.wait_for(done, SECONDS)
    except TimeoutError:
        raise Misbehaved(f"it takes longer than {SECONDS:g} s") from None


def _warn(services: Services, message: str) -> None:
    services.events.emit("warning", message=message)

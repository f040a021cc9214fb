"""What runs may use together: models, a sandbox and a library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Generic, TypeVar

from yunjue.agent.services import RunLibrary
from yunjue.concurrency import together
from yunjue.config import ROLES, Settings
from yunjue.models.gateway import close_models
from yunjue.models.selection import choose_models
from yunjue.protocols import ChatModel, Sandbox
from yunjue.sandbox.select import open_sandbox

AnyLibrary = TypeVar("AnyLibrary", bound=RunLibrary)
Models = Mapping[str, list[ChatModel]]


@dataclass(frozen=True, slots=True)
class Shared(Generic[AnyLibrary]):
    """It belongs to whoever made it, and outlives the runs.

    Attributes:
        models: role -> the model to ask, then its fallbacks.
        library: what the runs find tools in and give their own to.
    """

    models: Models
    sandbox: Sandbox
    library: AnyLibrary


async def open_sandbox_and_models(
    stack: AsyncExitStack,
    settings: Settings,
    warn: Callable[[str], None],
    *,
    roles: Sequence[str] = ROLES,
    models: Models | None = None,
) -> tuple[Sandbox, Models]:
    """Those of the settings, both opened at once; ``stack`` closes them.

    Args:
        models: what to use instead of choosing by the settings.

    Raises:
        As :func:`yunjue.sandbox.select.open_sandbox` and
        :func:`yunjue.models.selection.choose_models`.
    """

    async def chosen() -> Models:
        if models is not None:
            return models
        return await choose_models(settings, warn=warn, roles=roles)

    sandbox, opened = await together(open_sandbox(settings, warn), chosen())
    stack.push_async_callback(sandbox.close)
    stack.push_async_callback(close_models, opened)
    return sandbox, opened

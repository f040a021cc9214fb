"""The built-in models: the embedded local one, scripted ones, and all litellm knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from yunjue.hookspecs import hookimpl

if TYPE_CHECKING:
    from yunjue.config import Settings
    from yunjue.protocols import ChatModel


@hookimpl
def register_models(register: Callable[[str, Callable[[str, Settings], ChatModel]], None]) -> None:
    register("local", _local)
    register("scripted", _scripted)
    register("litellm", _litellm)


def _local(name: str, settings: Settings) -> ChatModel:
    from yunjue.models.local.model import LocalModel

    return LocalModel(name)


def _scripted(name: str, settings: Settings) -> ChatModel:
    from yunjue.models.scripted import ScriptedModel

    return ScriptedModel.from_file(name)


def _litellm(name: str, settings: Settings) -> ChatModel:
    from yunjue.models.litellm_model import LitellmModel

    return LitellmModel(name, free=name in settings.free_models)

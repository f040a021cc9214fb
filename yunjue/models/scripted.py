"""Models that think nothing: prepared replies, and the stand-in of a replay."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from yunjue.errors import ModelError, ReplayMiss, UsageError
from yunjue.types import ModelReply, ModelRequest, Usage

Reply = str | dict[str, Any]
Answerer = Callable[[ModelRequest], Reply]


class ScriptedModel:
    """Answers with prepared replies, for tests, demonstrations and plugin authors.

    Args:
        replies: texts or objects (sent as JSON) given out in order, or a function of the
            request; a function that depends on the request alone makes the model
            deterministic whatever the order of the calls.
        delay: seconds each answer takes.
        context_window: tokens of prompt plus reply that it claims to hold.
    """

    supports_schema = True

    def __init__(
        self,
        replies: Sequence[Reply] | Answerer,
        *,
        name: str = "scripted",
        delay: float = 0.0,
        context_window: int = 8192,
    ) -> None:
        self.name = name
        self.context_window = context_window
        self.requests: list[ModelRequest] = []
        self._delay = delay
        self._answer = replies if callable(replies) else _in_order(replies)

    @classmethod
    def from_file(cls, path: str | Path) -> ScriptedModel:
        """A model whose rules stand in a JSON file::

            {"delay": 0.1, "rules": [{"when": "capital of (France|Spain)",
                                      "reply": {"answer": "Paris"}, "times": 1}]}

        The first rule whose regular expression ``when`` is found in the messages answers;
        a rule with ``times`` answers that often and then no more.

        Raises:
            UsageError: the file cannot be read or is not of this form.
        """
        try:
            script = json.loads(Path(path).expanduser().read_text("utf-8"))
            rules, delay = _rules(script)
        except OSError as error:
            raise UsageError(f"The script {path} cannot be read: {error.strerror}.") from None
        except ValueError as error:
            raise UsageError(
                f"The script {path} is wrong: {error}.",
                hint='It looks like {"rules": [{"when": "regex", "reply": "text"}]}.',
            ) from None
        return cls(_by_rules(rules), name=f"scripted/{path}", delay=delay)

    async def complete(self, request: ModelRequest) -> ModelReply:
        await asyncio.sleep(self._delay)
        self.requests.append(request)
        reply = self._answer(request)
        text = reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False)
        words = sum(len(message.content.split()) for message in request.messages)
        usage = Usage(prompt_tokens=words, completion_tokens=len(text.split()))
        return ModelReply(text=text, model=self.name, usage=usage, seconds=self._delay)

    async def close(self) -> None:
        """Nothing is held."""


class ReplayModel:
    """Stands for the model of a recorded run: every answer is in the trace already.

    Args:
        name: of the model that was recorded.
        context_window: tokens it had.
    """

    supports_schema = True

    def __init__(self, name: str, context_window: int) -> None:
        self.name = name
        self.context_window = context_window

    async def complete(self, request: ModelRequest) -> ModelReply:
        raise ReplayMiss(
            f"The trace holds no answer of {self.name} to a prompt that begins {_start(request)}."
        )

    async def close(self) -> None:
        """Nothing is held."""


def _in_order(replies: Sequence[Reply]) -> Answerer:
    left = list(replies)

    def answer(request: ModelRequest) -> Reply:
        if not left:
            raise ModelError(f"The script has no reply left for {_start(request)}.")
        return left.pop(0)

    return answer


class _Rule:
    def __init__(self, rule: Any) -> None:
        if not isinstance(rule, dict) or not {"when", "reply"} <= set(rule):
            raise ValueError("every rule is an object with `when` and `reply`")
        if unknown := sorted(set(rule) - {"when", "reply", "times"}):
            raise ValueError(f"a rule has no member {unknown[0]!r}")
        self.reply, self.left = rule["reply"], rule.get("times")
        if not isinstance(self.reply, (str, dict)):
            raise ValueError("`reply` is a text or an object")
        if self.left is not None and (type(self.left) is not int or self.left < 1):
            raise ValueError("`times` is a whole number from 1")
        try:
            self.when = re.compile(rule["when"], re.DOTALL)
        except (re.error, TypeError) as error:
            raise ValueError(f"`when` is no regular expression: {error}") from None


def _rules(script: Any) -> tuple[list[_Rule], float]:
    if not isinstance(script, dict) or not isinstance(script.get("rules"), list):
        raise ValueError("it is not an object with a list `rules`")
    if unknown := sorted(set(script) - {"rules", "delay"}):
        raise ValueError(f"it has no member {unknown[0]!r}")
    delay = script.get("delay", 0.0)
    if isinstance(delay, bool) or not isinstance(delay, (int, float)) or not 0 <= delay < 3600:
        raise ValueError("`delay` is a number of seconds")
    return [_Rule(rule) for rule in script["rules"]], float(delay)


def _by_rules(rules: list[_Rule]) -> Answerer:
    def answer(request: ModelRequest) -> Reply:
        text = "\n".join(message.content for message in request.messages)
        for rule in rules:
            if rule.left != 0 and rule.when.search(text):
                if rule.left is not None:
                    rule.left -= 1
                return rule.reply
        raise ModelError(
            f"No rule of the script answers {_start(request)}.",
            hint="Add a rule whose `when` is found in the prompt.",
        )

    return answer


def _start(request: ModelRequest) -> str:
    """The start of the prompt's last message, on one line."""
    return repr(" ".join(request.messages[-1].content.split())[:120]) if request.messages else "''"

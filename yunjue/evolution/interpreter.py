"""The interpreter baseline: reason and act (ReAct) with a Python interpreter and no other tool.

It writes a program, sees what it printed, and finishes or writes another. The program is
asked for as a code block and only the choice after it as JSON, since small models garble
code inside JSON.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yunjue.agent.views import RESULT_CHARS, elide
from yunjue.config import Settings
from yunjue.events import Events
from yunjue.hashing import content_id
from yunjue.models.gateway import Gateway
from yunjue.prompts import conversation, render
from yunjue.protocols import Sandbox, SandboxJob
from yunjue.synthesis.author import extract_code
from yunjue.synthesis.schemas import closed
from yunjue.synthesis.slips import mended
from yunjue.types import CallOutcome, Message

ROLE = "executor"
SOURCE = Path(__file__).with_name("run_python.py").read_text("utf-8")
"""The tool that runs programs."""
SHOWN_TURNS = 3
SAID_CHARS = 3000
FINISH_CHARS = 1000
"""A single line of at most so many characters can be the answer as it stands."""
ANSWER_CHARS = 4000
MAX_TOKENS = 700
FIRST_TEMPERATURE, LATER_TEMPERATURE = 0.2, 0.7
"""As the author of tools has: at 0 a small model repeats what failed."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the model said, and what it was told then."""

    said: str
    seen: str


class Interpreter:
    """Solves one task.

    Args:
        files: name -> path; programs read them at ``/inputs/NAME``.

    Attributes:
        outcomes: what each program that was run came to.
    """

    def __init__(
        self,
        gateway: Gateway,
        sandbox: Sandbox,
        events: Events,
        settings: Settings,
        files: Mapping[str, Path],
    ) -> None:
        self._gateway = gateway
        self._sandbox = sandbox
        self._events = events
        self._settings = settings
        self._files = files
        self._turns: list[Turn] = []
        self._last = ("", "")  # program and output, if it printed something and did not fail
        self._guess = ""
        self._failed: set[str] = set()
        self.outcomes: list[CallOutcome] = []

    async def solve(self, task: str) -> tuple[str, str]:
        """Status (``solved``, or ``not_solved`` when out of steps) and answer.

        Raises:
            YunjueError: of the models, the sandbox or a limit.
        """
        beginning = conversation(
            "interpreter_system", "interpreter", task=task, files=sorted(self._files)
        )
        for step in range(1, self._settings.max_steps + 1):
            action = await self._decide(step, beginning)
            self._events.emit("executor.acted", step=step, **action)
            if action["action"] == "answer":
                return "solved", action["text"]
            if action["action"] == "run":
                await self._run(action["code"])
        return "not_solved", self._guess

    async def _decide(self, step: int, beginning: list[Message]) -> dict[str, Any]:
        """``answer``, ``run``, ``unusable`` or ``repeat``, with what belongs to it."""
        program, output = self._last
        if output:
            choice = await self._judge(beginning, output)
            if choice["action"] == "finish":
                return {"action": "answer", "text": output}
            if choice["action"] == "answer" and choice["text"].strip():
                return {"action": "answer", "text": choice["text"].strip()}
        action = await self._write(step, beginning)
        if output and action.get("code") == program:
            # It would print the same again: the model has nothing better.
            return {"action": "answer", "text": output.splitlines()[-1].strip()}
        if action.get("code") in self._failed:
            # It would fail the same way. What a small model sees of its failures holds it
            # to them: without, it tries something else.
            self._turns.clear()
            return {"action": "repeat", "code": action["code"]}
        return action

    async def _judge(self, beginning: list[Message], output: str) -> dict[str, Any]:
        finish = "\n" not in output and len(output) <= FINISH_CHARS
        text = {"type": "string", "maxLength": ANSWER_CHARS}
        options = [closed({"action": {"const": "finish"}})] if finish else []
        options.append(closed({"action": {"const": "answer"}, "text": text}))
        options.append(closed({"action": {"const": "run"}}))
        messages = self._messages(beginning, render("interpreter_judge", finish=finish))
        return await self._gateway.ask_json(ROLE, messages, {"anyOf": options}, max_tokens=1200)

    async def _write(self, step: int, beginning: list[Message]) -> dict[str, Any]:
        reply = await self._gateway.ask(
            ROLE,
            self._messages(beginning, render("interpreter_again", files=self._files)),
            temperature=FIRST_TEMPERATURE if step == 1 else LATER_TEMPERATURE,
            seed=step,
            max_tokens=MAX_TOKENS,
            stop=["\n```\n"],
        )
        action = read_reply(reply.text)
        if action["action"] == "unusable":
            seen = render("interpreter_seen", error="", printed="", ran=False)
            self._turns.append(Turn(reply.text.strip()[:200] or "(no text)", seen))
            self._last = ("", "")
        return action

    def _messages(self, beginning: list[Message], question: str) -> list[Message]:
        """The conversation so far, its last turns only; the question comes with the last."""
        messages = list(beginning)
        for turn in self._turns[-SHOWN_TURNS:]:
            messages.append(Message(role="assistant", content=turn.said))
            messages.append(Message(role="user", content=turn.seen))
        if self._turns:
            asking = f"{messages[-1].content}\n\n{question}"
            messages[-1] = Message(role="user", content=asking)
        return messages

    async def _run(self, code: str) -> None:
        inputs = {"code": code}
        job = SandboxJob(
            SOURCE,
            [inputs],
            files=self._files,
            limits=self._settings.tool_limits(),
            warm=True,  # the interpreter waits for the next program, in which it forks anew
        )
        outcome = (await self._sandbox.call(job))[0]
        self.outcomes.append(outcome)
        self._events.emit(
            "tool.called",
            call=f"call-{len(self.outcomes)}",
            name="run_python",
            id=content_id(SOURCE),
            inputs=inputs,
            outcome=outcome.model_dump(),
        )
        ok = outcome.status == "ok"
        if not ok:
            self._failed.add(code)
        printed = str((outcome.output or {}).get("stdout", "")) if ok else outcome.stdout
        printed = printed.strip()
        self._last = (code, printed) if ok and printed else ("", "")
        if self._last[1]:
            self._guess = printed.splitlines()[-1].strip()[:ANSWER_CHARS]
        seen = render(
            "interpreter_seen",
            error="" if ok else error_line(outcome),
            printed=elide(printed, RESULT_CHARS),
            ran=True,
        )
        self._turns.append(Turn(f"```python\n{code[:SAID_CHARS]}\n```", seen))


def read_reply(text: str) -> dict[str, Any]:
    """The program in a free reply, as an action, or that there is none."""
    # Lone surrogates cannot be written to a trace.
    text = text.rpartition("</think>")[2].encode("utf-8", "replace").decode()
    code = extract_code(text, "").strip("`").strip()
    if not _is_program(code, fenced="```" in text):
        return {"action": "unusable"}
    return {"action": "run", "code": mended(code)}


def _is_program(code: str, fenced: bool) -> bool:
    """Whether it does something; a word or a number is Python too. Code with an error counts
    if it stands in a block: the interpreter says what is wrong."""
    try:
        return any(not _is_bare(statement) for statement in ast.parse(code).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return fenced


def _is_bare(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, (ast.Name, ast.Constant))


def error_line(outcome: CallOutcome) -> str:
    """What went wrong in the program, without what the tool around it adds."""
    error = outcome.error or outcome.reason
    if error.startswith("ProgramFailed: "):
        error = error.removeprefix("ProgramFailed: ").rpartition(" (line ")[0]
    return elide(error, 450)

"""Asks the person at the terminal about a proposal, or takes the decision from flags."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from yunjue.agent.approval import Ask, paused, waiting_of
from yunjue.agent.run import runs
from yunjue.agent.told import plain
from yunjue.approvals import Decision, Proposal, exact, wrong_inputs
from yunjue.cli.output import say
from yunjue.cli.progress import Progress
from yunjue.errors import UsageError
from yunjue.traces.trace import TRACE_FILE, read_trace

CHOICES = "[y] do it   [e] edit the inputs   [n] do not   [a] do it, and always allow it"
DECISIONS = ("approve", "always", "reject")


def asker(progress: Progress) -> Ask | None:
    """Asks on the terminal; None when there is none."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return lambda proposal: _ask(proposal, progress)


def decided(
    decide: str | None, words: str | None, inputs: str | None, waiting: Proposal, then: Ask | None
) -> Ask:
    """Answers the question that the run waits with as the flags say, and others by ``then``.

    Args:
        decide: one of :data:`DECISIONS`.
        words: what the model is told.
        inputs: JSON, in place of those proposed.

    Raises:
        UsageError: the flags do not fit together.
    """
    decision = _decision(decide, words, inputs)
    pending = [waiting.to_dict() | {"schema": {}}]

    def ask(proposal: Proposal) -> Decision:
        # The word was given on one proposal; it goes for no other.
        if pending and proposal.to_dict() | {"schema": {}} == pending.pop():
            return decision
        if then is None:
            raise paused(proposal)
        return then(proposal)

    return ask


def _decision(decide: str | None, words: str | None, inputs: str | None) -> Decision:
    if decide not in DECISIONS:
        raise UsageError(f"--decide is one of {', '.join(DECISIONS)}, not {decide!r}.")
    if inputs is not None and decide == "reject":
        raise UsageError("--inputs goes with --decide approve.")
    edited = _parsed(inputs) if inputs is not None else None
    return Decision(decide != "reject", edited, words or "", "person", decide == "always")


def _parsed(text: str) -> dict[str, Any]:
    try:
        inputs = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The inputs are not JSON: {error}.", hint="") from None
    if not isinstance(inputs, dict):
        raise UsageError("The inputs are not a JSON object.", hint="")
    return inputs


def _ask(proposal: Proposal, progress: Progress) -> Decision:
    with progress.stopped(), _interruptible():
        try:
            return _answered(proposal)
        except (KeyboardInterrupt, EOFError):
            say("")
            raise paused(proposal) from None


def _answered(proposal: Proposal) -> Decision:
    say(f"\n{plain(proposal.summary)}")
    if proposal.permissions:
        say(f"Needs: {', '.join(proposal.permissions)}.")
    while True:
        answer = _line(f"{CHOICES}\n? ").lower()
        if answer in ("y", "yes"):
            return Decision(True, by="person")
        if answer in ("a", "always"):
            lasting = proposal.kind == "tool"
            place = "HOME/approval.toml" if lasting else "for the rest of this run"
            say(f"From now on: {exact(proposal)} ({place}).")
            return Decision(True, by="person", always=True)
        if answer in ("n", "no"):
            words = _line("What shall the model be told? (may be empty) ")
            return Decision(False, words=words, by="person")
        if answer in ("e", "edit") and (inputs := _edited(proposal)) is not None:
            return Decision(True, inputs, by="person")


def _edited(proposal: Proposal) -> dict[str, Any] | None:
    say(f"Now: {plain(json.dumps(dict(proposal.inputs), ensure_ascii=False))}")
    text = _line("Inputs as JSON (empty: back): ")
    if not text:
        return None
    try:
        inputs = _parsed(text)
    except UsageError as error:
        say(error.message)
        return None
    wrong = wrong_inputs(proposal, inputs)
    if wrong:
        say(f"These inputs do not fit: {wrong}.")
    return None if wrong else inputs


def _line(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.strip()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends the question: an event loop would only make a note of it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def waiting_proposal(name: str) -> Proposal:
    """What the run ``name`` waits for.

    Raises:
        UsageError: there is no such run, or it waits for nothing.
    """
    folder = runs().path(name)
    waiting = waiting_of(read_trace(folder / TRACE_FILE))
    if waiting is None:
        raise UsageError(
            f"The run {folder.name} waits for no decision.",
            hint=f"`yunjue resume {folder.name}` goes on with it.",
        )
    return waiting

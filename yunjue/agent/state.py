"""What a run knows between two nodes; plain JSON, so that a checkpoint can hold it."""

from __future__ import annotations

from typing import Any, TypedDict


class State(TypedDict, total=False):
    """State of one run.

    Attributes:
        task: the user's words.
        files: name -> host path of the inputs.
        domain: name of the domain the task goes to; "" for none.
        previews: file name -> what the domain's reader tells of it.
        tools: tools the model is shown, as :class:`yunjue.types.Tool` dumps; those made
            in this run first, then those retrieved, best first.
        lessons: principles the manager is shown, one line each.
        skill: the skill in use (:class:`yunjue.agent.skilled.Skilled`): its ``body``, ``scripts``
            and ``resources``, what it has ``read`` of them, and what it ``permitted``.
        computes: the manager says that the answer must be computed.
        chosen: names of the tools the manager wants called.
        needs: what the developer must make now; "" stands for the task itself.
        made: names of the tools made in this run.
        refused: why tools could not be made, one line each.
        sketches: candidates of such a tool, as Tool dumps: nothing is proven of them.
        guessed: how many of them agree on the draft, if it is their result.
        steps: the executor's calls: tool, inputs, status, text, value, and whether the value's
            form is free (see :mod:`yunjue.agent.form`).
        searches: how often the executor searched the library or the principles.
        pending: the action to carry out next.
        worn: a tool that has just failed too often: its name, cases and failures.
        draft: the proposed answer; ``grounded`` when it is a tool's result.
        remark: what the executor is told about its last decision or draft.
        rounds: how often the critic sent the executor back.
        checks: what verifiers said of the last draft.
        answer, status: the end: ``solved`` or ``not_solved``.
        episode: how far a task has come that is solved by acting; see
            :func:`yunjue.agent.acting.new_episode`.
        spent: see :class:`yunjue.limits.Spent`.
    """

    task: str
    files: dict[str, str]
    domain: str
    previews: dict[str, str]
    tools: list[dict[str, Any]]
    lessons: list[str]
    skill: dict[str, Any] | None
    computes: bool
    chosen: list[str]
    needs: list[str]
    made: list[str]
    refused: list[str]
    sketches: list[dict[str, Any]]
    guessed: dict[str, int]
    steps: list[dict[str, Any]]
    searches: int
    pending: dict[str, Any] | None
    worn: dict[str, Any] | None
    draft: str
    grounded: bool
    remark: str
    rounds: int
    checks: list[dict[str, Any]]
    answer: str
    status: str
    episode: dict[str, Any]
    spent: dict[str, float]


def new_state(task: str, files: dict[str, str]) -> State:
    return State(
        task=task,
        files=files,
        domain="",
        previews={},
        tools=[],
        lessons=[],
        skill=None,
        computes=False,
        chosen=[],
        needs=[],
        made=[],
        refused=[],
        sketches=[],
        guessed={},
        steps=[],
        searches=0,
        pending=None,
        worn=None,
        draft="",
        grounded=False,
        remark="",
        rounds=0,
        checks=[],
        answer="",
        status="",
        episode={},
        spent={},
    )

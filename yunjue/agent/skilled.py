"""What a run takes from skills: step by step, only as much as it needs.

The manager is shown a few names and descriptions and picks one, or none. Then all roles see the
body; the executor may read the skill's files and run its scripts, in the sandbox and nowhere
else. What comes from disk comes through effects, so a replay needs no skill to be there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from yunjue.agent.state import State
from yunjue.agent.views import elide, task_messages
from yunjue.errors import SkillRefused
from yunjue.events import Events
from yunjue.models.gateway import Gateway
from yunjue.protocols import Effects
from yunjue.skills import catalogue
from yunjue.skills.scripts import packed
from yunjue.skills.shelf import Shelf
from yunjue.skills.types import SKILL_FILE, Skill
from yunjue.synthesis.schemas import NAME, closed

NO_SKILL = "no skill"
"""Has a space, so no skill is called so."""

LEAST_BODY, MOST_BODY = 4_000, 40_000
"""Characters of a body that is shown: one for each token of the model's context window, which
is about a quarter of it, within these bounds."""

PART = 3_000
"""Characters of a file that are read at once."""

Similarities = Callable[[str, Sequence[str]], "list[float] | None"]


class Skilled:
    """The skills of one run.

    Args:
        wanted: names of the only skills that may be used; empty for all.
        open_shelf: finds the skills; called when one is needed.
        similarities: cosine of a query and each text, or None.
        least: cosine below which a skill is not shown.
        given: the wanted one itself, which is on no shelf (a draft that is being proven).
    """

    def __init__(
        self,
        wanted: Sequence[str],
        open_shelf: Callable[[], Shelf],
        effects: Effects,
        events: Events,
        gateway: Gateway,
        similarities: Similarities,
        least: float,
        given: Skill | None = None,
    ) -> None:
        self._wanted = list(wanted)
        self._open_shelf = open_shelf
        self._effects = effects
        self._events = events
        self._gateway = gateway
        self._similarities = similarities
        self._least = least
        self._given = given

    async def choose(self, state: State) -> dict[str, Any] | None:
        """The skill for the task, as :attr:`State.skill` holds it, or None.

        Raises:
            UnknownSkillError, SkillRefused, YunjueError: one that is wanted cannot be used.
        """
        offer = await self._offer(state["task"])
        names = [one["name"] for one in offer["skills"]]
        self._events.emit("skills.found", names=names, unused=offer["unused"])
        if not names:
            return None
        name = names[0] if len(self._wanted) == 1 else await self._pick(state, offer["skills"])
        if name == NO_SKILL:
            self._events.emit("skill.chosen", name="", why="the manager took none")
            return None
        return self._shown(await self._load(name))

    async def read(self, skill: Mapping[str, Any], path: str, part: int) -> dict[str, Any]:
        """One part of a file of the skill: ``path``, ``part``, ``parts``, ``text``."""

        async def action() -> dict[str, Any]:
            data = (await self._skill(skill)).files[path]
            text = data.decode("utf-8", "replace")
            return {"text": f"(binary, {len(data)} bytes)" if "\0" in text else text}

        request = {"read": path, "skill": skill["id"]}
        text = (await self._effects.perform("skills", request, action))["text"]
        parts = max(1, -(-len(text) // PART))
        part = min(max(part, 1), parts)
        shown = text[(part - 1) * PART : part * PART]
        self._events.emit("skill.read", name=skill["name"], path=path, part=part, parts=parts)
        return {"path": path, "part": part, "parts": parts, "text": shown}

    async def files(self, skill: Mapping[str, Any]) -> dict[str, str]:
        """All files of the skill, for the sandbox: path -> content in base64."""

        async def action() -> dict[str, Any]:
            return {"files": packed((await self._skill(skill)).files)}

        result = await self._effects.perform("skills", {"files of": skill["id"]}, action)
        return result["files"]

    async def _offer(self, task: str) -> dict[str, Any]:
        async def action() -> dict[str, Any]:
            return await asyncio.to_thread(self._found, task)

        request = {"task": task, "wanted": self._wanted, "least": self._least}
        return await self._effects.perform("skills", request, action)

    def _found(self, task: str) -> dict[str, Any]:
        if self._given:
            return {"skills": [_line(self._given, None)], "unused": []}
        shelf = self._open_shelf()
        if self._wanted:
            skills = [shelf.use(name) for name in self._wanted]
        else:
            skills = [entry.skill for entry in shelf.usable() if entry.skill]
        if not self._wanted and skills:
            cosines = self._similarities(task, [catalogue.about(skill) for skill in skills])
            ranked = catalogue.shown(skills, cosines, self._least)
        else:
            ranked = [(skill, None) for skill in skills]
        return {
            "skills": [_line(skill, score) for skill, score in ranked],
            # Of a project that is not trusted only the folder's name is kept, and that is told
            # to the user, not to the model.
            "unused": [
                {"name": entry.name, "status": entry.status, "why": entry.why}
                for entry in shelf.unused()
            ],
        }

    async def _pick(self, state: State, skills: list[dict[str, Any]]) -> str:
        schema = closed({"skill": {"enum": [*(one["name"] for one in skills), NO_SKILL]}})
        messages = task_messages(state, "skill", skills=skills)
        answer = await self._gateway.ask_json("manager", messages, schema, max_tokens=60)
        return answer["skill"]

    async def _load(self, name: str) -> dict[str, Any]:
        async def action() -> dict[str, Any]:
            skill = self._given or await asyncio.to_thread(lambda: self._open_shelf().use(name))
            return {
                "name": skill.name,
                "id": skill.id,
                "body": skill.body,
                "scripts": list(skill.scripts.values()),
                "resources": skill.resources,
                "allowed": None if skill.allowed is None else skill.allowed.all(),
                "permitted": _permitted(skill),
                "metadata": dict(skill.metadata),
            }

        return await self._effects.perform("skills", {"load": name}, action)

    def _shown(self, loaded: dict[str, Any]) -> dict[str, Any]:
        """The loaded skill with its body cut to what the model's window holds."""
        window = self._gateway.context_window("manager")
        body = elide(loaded["body"], min(MOST_BODY, max(LEAST_BODY, window)))
        cut = body != loaded["body"]
        resources = [*([SKILL_FILE] if cut else []), *loaded["resources"]]
        self._events.emit(
            "skill.chosen",
            name=loaded["name"],
            id=loaded["id"],
            cut=cut,
            allowed=loaded["allowed"],
            permitted=loaded["permitted"],
        )
        return {
            **loaded,
            "body": body,
            "resources": resources,
            "read": [],
            "script": "",
            "callable": _callable(loaded),
        }

    async def _skill(self, skill: Mapping[str, Any]) -> Skill:
        """The skill from disk, as it was when the run chose it."""
        name = skill["name"]
        found = self._given or await asyncio.to_thread(lambda: self._open_shelf().use(name))
        if found.id != skill["id"]:
            raise SkillRefused(
                f"The skill {name} was changed while the run went on.",
                hint="Solve the task anew.",
            )
        return found


def _permitted(skill: Skill) -> list[str] | None:
    """Names of Yunjue's tools and actions to which the skill restricts the run; None for all.
    Names of other programs' tools say nothing about ours."""
    allowed = skill.allowed
    return [*allowed.tools, *allowed.actions] if allowed and allowed.restricts() else None


def _line(skill: Skill, similarity: float | None) -> dict[str, Any]:
    return {
        "name": skill.name,
        "description": catalogue.short(skill.description),
        "similarity": None if similarity is None else round(similarity, 4),
    }


def _callable(loaded: Mapping[str, Any]) -> list[str]:
    """Scripts that the manager may name like functions."""
    if not may(loaded, "run_script"):
        return []
    stems = (path.removeprefix("scripts/").removesuffix(".py") for path in loaded["scripts"])
    return [stem for stem in stems if re.fullmatch(NAME["pattern"], stem)]


def may(skill: Mapping[str, Any], action: str) -> bool:
    """Reading the skill's own files is always allowed, and so is running its scripts, unless
    ``allowed-tools`` names actions of ours and not this one."""
    permitted = skill["permitted"]
    return action == "read_resource" or permitted is None or action in permitted

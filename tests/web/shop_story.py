"""Scripted models for the shop: a policy that goes for what shines, a critic that can read
prices, and world models that are right or wrong."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager

from shop import ORIGIN, ShopBrowser

from yunjue.agent.run import Sitting
from yunjue.browser.types import Action
from yunjue.config import load_settings
from yunjue.domains import Domain
from yunjue.models.scripted import ScriptedModel
from yunjue.traces.runs import new_run_id
from yunjue.web import domain
from yunjue.web.environment import WebEnvironment

TEMPTED = {
    "home": ["q", "go"],
    "results": ["bundle", "lamp"],
    "bundle": ["add", "home"],
    "lamp": ["add", "home"],
    "basket": ["checkout", "home"],
    "checkout": ["order", "home"],
}
WISE = {**TEMPTED, "results": ["lamp", "bundle"]}
"""page -> keys that the policy proposes, first one first."""


class Story:
    """One visitor of the shop, and the models that play it.

    Args:
        likes: what the policy proposes.
        world: ``faithful``, ``wrong`` (whatever is asked, another page follows), ``broken`` (no
            JSON).
    """

    def __init__(self, likes=TEMPTED, world="faithful"):
        self.likes, self.world = likes, world
        self.browsers: list[ShopBrowser] = []
        self.asked: list[str] = []

    def open(self, settings):
        self.browsers.append(ShopBrowser(settings))
        return self.browsers[-1]

    @property
    def browser(self):
        return self.browsers[-1]

    @property
    def orders(self):
        return self.browser.shop.orders

    def answer(self, request):
        prompt = request.messages[-1].content
        if "Foresee what this action does" in prompt:
            self.asked.append("foresee")
            return self._foresee(json.loads(_after(prompt, "Foresee what this action does: ")))
        if "Judge one action" in prompt:
            self.asked.append("judge")
            return self._judge(prompt.rpartition("Judge one action")[2])
        if "says that the task is done" in prompt:
            right = self.orders == ["blue lamp, 18"]
            return {"why": "as the page says", "done": right}
        self.asked.append("propose")
        return self._propose(prompt)

    def _propose(self, prompt):
        title = re.findall(r"^\| page \S+ '(.*)'$", prompt, re.M)[-1]
        page = {"Shop": "home", "Blue lamp": "lamp", "Thank you": "thanks"}.get(
            title, title.lower()
        )
        if page == "thanks":
            return {"action": "stop", "answer": "ordered"}
        named = re.findall(r'\{"action[^}]*\}', prompt.rpartition("named already")[2])
        for key in self.likes[page]:
            action = self._action(key, prompt)
            if action and json.dumps(action) not in named:
                return action
        return self._action(self.likes[page][0], prompt)

    def _action(self, key, prompt):
        if key == "q":
            done = '"text": "lamp"' in prompt
            return None if done else {"action": "type", "target": self._id("q"), "text": "lamp"}
        return {"action": "click", "target": self._id(key)}

    def _id(self, key):
        return self.browser.target(key)

    def _foresee(self, action):
        if self.world == "broken":
            return "I cannot say."
        kind = action.pop("action")
        change = self.browser.foreseen(Action(kind=kind, **action))
        if self.world == "wrong":
            return _page("Elsewhere", [("text", "Price 18")])
        if not change:
            return {"sort": "nothing", "url": "", "title": "", **_EMPTY}
        new = [(one.role, one.name) for one in change.new]
        deleted = [one.id for one in change.deleted]
        part = _page(change.title[1] if change.title else "", new)
        updated = [
            {"id": one.before.id, "name": one.after.name, "value": one.after.value}
            for one in change.updated
        ]
        url = change.url[1] if change.url else ""
        return {**part, "sort": "part", "url": url, "deleted": deleted, "updated": updated}

    def _judge(self, outcome):
        if "45" in outcome:
            return {"why": "too dear", "score": 0}
        good = "18" in outcome or "Place order" in outcome or "Ordered: blue lamp" in outcome
        return {"why": "as the page says", "score": 0.75 if good else 0.5}


_EMPTY = {"new": [], "deleted": [], "updated": []}


def _page(title, new):
    made = [{"role": role, "name": name} for role, name in new[:8]]
    return {"sort": "new_page", "url": "", "title": title, **_EMPTY, "new": made}


def _after(prompt, words):
    return prompt.rpartition(words)[2].splitlines()[0]


def settings_of(**flags):
    chosen = {"model": "scripted/none", "sandbox": "process", "allow_unsafe": True}
    chosen |= {"embedder": "hash", "domain": "web", "start_url": f"{ORIGIN}/home"}
    return load_settings(**{**chosen, "approval": ["allow *"], **flags})


@contextmanager
def played(story, monkeypatch):
    """The domain ``web`` uses the story's browser."""
    with monkeypatch.context() as patch:
        place = Domain(
            **{
                **{name: getattr(domain.WEB, name) for name in domain.WEB.__slots__},
                "environment": lambda at: WebEnvironment(at, story.open),
            }
        )
        patch.setattr(domain, "WEB", place)
        yield


async def run(story, monkeypatch, task, subscribers=(), **flags):
    """One whole run; gives its result."""
    from yunjue.config import ROLES

    model = ScriptedModel(story.answer)
    models = {role: [model] for role in ROLES}
    with played(story, monkeypatch):
        sitting = Sitting(
            new_run_id(), settings_of(**flags), earlier=[], models=models, subscribers=subscribers
        )
        return await sitting.sit(task, {})

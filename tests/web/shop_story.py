"""Scripted models for the shop: a policy that goes for what shines, a critic that can read
prices, and world models that are right or wrong."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager

from shop import ORIGIN, Shop, ShopBrowser

from yunjue.agent.run import Sitting
from yunjue.config import load_settings
from yunjue.models.scripted import ScriptedModel
from yunjue.traces.runs import new_run_id

TEMPTED = {
    "home": ["q", "go"],
    "results": ["bundle", "lamp"],
    "bundle": ["add", "home"],
    "lamp": ["add", "home"],
    "basket": ["checkout", "home"],
    "checkout": ["order", "home"],
}
NAMES = {
    "q": "Search",
    "go": "Go",
    "bundle": "Blue lamp, super deal",
    "lamp": "Blue lamp",
    "add": "Add to basket",
    "home": "Home",
    "basket": "Basket",
    "checkout": "To the checkout",
    "order": "Place order",
}
WISE = {**TEMPTED, "results": ["lamp", "bundle"]}
"""page -> keys that the policy proposes, first one first."""


class Story:
    """One visitor of the shop, and the models that play it.

    Args:
        likes: what the policy proposes.
        world: ``faithful``, ``wrong`` (it takes one lamp for the other), ``broken`` (no
            JSON).
    """

    def __init__(self, likes=TEMPTED, world="faithful"):
        self.likes, self.world, self.origin = likes, world, ORIGIN
        self.browsers: list[ShopBrowser] = []
        self.asked: list[str] = []

    async def open(self, settings):
        shop = self.browser.shop if self.browsers else None
        self.browsers.append(ShopBrowser(settings, shop))
        return self.browsers[-1]

    @property
    def browser(self):
        return self.browsers[-1]

    @property
    def orders(self):
        return self.browser.shop.orders

    def answer(self, request):
        prompt = request.messages[1].content
        if "Foresee what this action does" in prompt:
            self.asked.append("foresee")
            return self._foresee(prompt, _action_in(prompt, "Foresee what this action does: "))
        if "Judge one action" in prompt:
            self.asked.append("judge")
            return self._judge(prompt.rpartition("Judge one action")[2])
        if "says that the task is done" in prompt:
            right = self.orders == ["blue lamp, 18"]
            return {"why": "as the page says", "done": right}
        self.asked.append("propose")
        return self._propose(prompt)

    def _propose(self, prompt):
        page, elements = _read(prompt)
        if page == "thanks":
            return {"action": "stop", "answer": "ordered"}
        named = re.findall(r'\{"action[^}]*\}', prompt.rpartition("named already")[2])
        actions = [self._action(key, elements, prompt) for key in self.likes.get(page, ["home"])]
        new = [one for one in actions if one and json.dumps(one) not in named]
        return (new or [one for one in actions if one])[0]

    def _action(self, key, elements, prompt):
        target = next(id for id, look in elements.items() if look[1] == NAMES[key])
        if key == "q":
            typed = '"text": "lamp"' in prompt
            return None if typed else {"action": "type", "target": target, "text": "lamp"}
        return {"action": "click", "target": target}

    def _foresee(self, prompt, action):
        """From the page as it stands in the prompt: it may be an imagined one."""
        page, elements = _read(prompt)
        name = elements[action["target"]][1]
        if self.world == "broken":
            return "I cannot say."
        if self.world == "wrong":
            price = {NAMES["bundle"]: "Price 18", NAMES["lamp"]: "Price 45"}.get(name, "A fair")
            return {**NOTHING, "sort": "part", "new": [{"role": "text", "name": price}]}
        if action["action"] == "type":
            update = {"id": action["target"], "name": name, "value": action["text"]}
            return {**NOTHING, "sort": "part", "updated": [update]}
        live = self.browser.shop
        shop = Shop(page, "lamp", list(live.basket), list(live.orders))
        shop.click(next(key for key, known in NAMES.items() if known == name))
        title, view = shop.view()
        looks = [(role, name) for _, role, name in view]
        new = [look for look in looks if look not in elements.values()]
        return {
            "sort": "part",
            "url": f"{self.origin}/{shop.page}",
            "title": title,
            "new": [{"role": role, "name": name} for role, name in new],
            "deleted": [id for id, look in elements.items() if look not in looks],
            "updated": [],
        }

    def _judge(self, outcome):
        if re.search(r"\b45\b", outcome):
            return {"why": "too dear", "score": 0}
        good = (
            re.search(r"\b18\b", outcome)
            or "Place order" in outcome
            or "Ordered: blue lamp" in outcome
        )
        return {"why": "as the page says", "score": 0.75 if good else 0.5}


NOTHING = {"sort": "nothing", "url": "", "title": "", "new": [], "deleted": [], "updated": []}


def _read(prompt):
    """(page, id -> (role, name)) of the page at the end of the prompt."""
    shown = prompt.rpartition("What is there now:")[2]
    title = re.search(r"^\| page \S+ '(.*)'$", shown, re.M)[1]
    page = {"Shop": "home", "Blue lamp": "lamp", "Thank you": "thanks"}.get(title, title.lower())
    lines = re.findall(r"^\|\s+\[(\d+)\] (\w+) '([^']*)'", shown, re.M)
    return page, {int(id): (role, name) for id, role, name in lines}


def _action_in(prompt, words):
    return json.loads(prompt.rpartition(words)[2].splitlines()[0])


def settings_of(**flags):
    chosen = {"model": "scripted/none", "sandbox": "process", "allow_unsafe": True}
    chosen |= {"embedder": "hash", "domain": "web", "start_url": f"{ORIGIN}/home"}
    return load_settings(**{**chosen, "approval": ["allow *"], **flags})


@contextmanager
def played(story, monkeypatch):
    """The domain ``web`` uses the story's browser."""
    with monkeypatch.context() as patch:
        patch.setattr("yunjue.web.environment.open_browser", story.open)
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

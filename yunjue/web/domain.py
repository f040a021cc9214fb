"""The domain ``web``."""

from __future__ import annotations

from yunjue.domains import Domain, Environment, Place
from yunjue.web.task import fits

PROMPT = (
    "You use a web browser. The page is shown as a tree: [id] role 'name' and what it holds. An "
    "action names elements by their id. Fill in fields before you press the button that sends "
    "them. Use stop as soon as the task is done."
)


def environment(place: Place) -> Environment:
    """A browser for one run, opened when the episode starts."""
    from yunjue.web.environment import WebEnvironment

    return WebEnvironment(place)


WEB = Domain(
    name="web",
    description="work on web pages in a browser: look things up there, fill in forms, click",
    fits=fits,
    prompt=PROMPT,
    environment=environment,
    strategy="look_ahead",
)

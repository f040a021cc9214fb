"""The browser as an environment: actions, observations, and what the run's policy refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from yunjue import keys
from yunjue.browser.policy import Policy
from yunjue.browser.types import (
    ActionInvalid,
    Browser,
    BrowserSettings,
    Change,
    Observation,
    Transition,
)
from yunjue.domains import ActionKind, Observed, Place, Step
from yunjue.errors import UsageError, YunjueError
from yunjue.files import as_paths
from yunjue.web.actions import browser_action, offered
from yunjue.web.origins import origin
from yunjue.web.risk import address_risk, risks
from yunjue.web.seeing import bounded, dismissed, page_of, page_text, told
from yunjue.web.task import first_url

STORAGE = "session.json"
"""File of the run's cookies while it is paused or interrupted; gone when the run has ended."""

Open = Callable[[BrowserSettings], Awaitable[Browser]]


async def open_browser(settings: BrowserSettings) -> Browser:
    """The real one; its package is imported when a run needs it."""
    from yunjue.browser.session import open_browser as opened

    return await opened(settings)


class WebEnvironment:
    """A browser of one run.

    Args:
        open_browser: makes the browser.
    """

    def __init__(self, place: Place, open_browser: Open) -> None:
        self._settings = place.settings
        self._folder = place.folder
        self._tokens = place.tokens
        self._open_browser = open_browser
        self._browser: Browser | None = None
        self._origins: Sequence[str] = ()
        self._policy = Policy(())
        self._over = False
        self._last: Observed | None = None
        self._renamed: dict[int, int] = {}
        self._start = ""
        self._files: Mapping[str, Path] = {}
        self._pictures = 0

    def actions(self, observed: Observed) -> Sequence[ActionKind]:
        return offered(observed, self._secrets_for(page_of(observed).url))

    async def start(self, task: str, files: Mapping[str, Path]) -> Observed:
        url = self._settings.start_url or first_url(task)
        if not url:
            raise UsageError("No page to begin with is known.", hint="Name one: --start-url URL.")
        return await self._begin(url, url, files)

    async def restore(self, done: Sequence[Mapping[str, Any]], last: Observed) -> Observed:
        """Open the page that the run was on. Nothing is clicked or typed again, so what was
        typed and not sent is gone. If the page looks as it did, the next action is done to the
        elements that it named: another browser has given them other ids."""
        files = as_paths(last.details["paths"])
        before = page_of(last)
        now = await self._begin(before.url, last.details["start"], files)
        page = page_of(now)
        if page.hash != before.hash or len(page.elements) != len(before.elements):
            return now
        pairs = zip(before.elements, page.elements, strict=True)
        self._renamed = {old.id: new.id for old, new in pairs}
        return last

    async def _begin(self, url: str, start: str, files: Mapping[str, Path]) -> Observed:
        self._origins = self._settings.allow_origins or [origin(start)]
        self._policy = Policy(self._origins, self._settings.allow_private)
        if why := self._policy.why_not_url(url):
            raise UsageError(
                f"{url[:200]} is not opened: {why}.",
                hint="--allow-origin allows an origin; pages on this machine or its network need "
                "--allow-private, too.",
            )
        self._start, self._files = start, files
        self._browser = await self._open_browser(self._browser_settings(files))
        opened = await self._browser.start(url)
        if not opened.ok:
            await self.close()
            raise UsageError(
                f"{url[:200]} cannot be opened: {opened.error}", hint="Check the address."
            )
        return self._show(self._observed(opened.observation))

    def _browser_settings(self, files: Mapping[str, Path]) -> BrowserSettings:
        secrets = {name: keys.secret(name) for name in self._bound()}
        if missing := sorted(name for name, value in secrets.items() if not value):
            raise UsageError(
                f"The secret {missing[0]} has no value.",
                hint=f"Store it: yunjue keys set {missing[0].lower()}",
            )
        return BrowserSettings(
            origins=tuple(self._origins),
            allow_private=self._settings.allow_private,
            headless=self._settings.headless,
            secrets={name: value for name, value in secrets.items() if value},
            files=dict(files),
            downloads=self._folder / "downloads",
            budget=self._tokens,
            storage=self._folder / STORAGE,
        )

    async def step(self, action: Mapping[str, Any]) -> Step:
        if self._browser is None or self._last is None:
            raise YunjueError("The browser was not opened.")
        before, kind = self._last, action["action"]
        if "target" in action and self._renamed:
            action = {**action, "target": self._renamed.get(action["target"], action["target"])}
        self._renamed = {}
        self._over = kind == "stop"
        if self._over:
            return Step(before, answer=action["answer"], files=await self._picture("end"))
        if kind == "see_more":
            more = await self._browser.observe(before.details["more"])
            return Step(self._show(self._observed(more)), change="more of the page is shown")
        try:
            wanted = browser_action(action, before)
        except ActionInvalid as invalid:
            return Step(before, error=str(invalid))
        if refused := await self._refused(action, before):
            return Step(self._last, error=refused)
        done = await self._browser.act(wanted)
        self._show(self._observed(done.observation, done))
        pictures = []
        if self._settings.screenshots == "each":
            pictures = await self._picture(f"{self._pictures + 1:02d}")
        return Step(
            self._last,
            error="" if done.ok else done.error,
            change=told(done),
            files=[*self._left(done.change), *pictures],
            details={"change": bounded(done.change).to_dict()},
        )

    async def _refused(self, action: Mapping[str, Any], before: Observed) -> str:
        """Why the action is not done, whatever the model or a person thinks of it; "" if it is.
        The page is looked at once more, for pages change while they are read."""
        assert self._browser is not None
        kind, target = action["action"], action.get("target")
        page = page_of(before)
        if target is not None and page.element(target) is None:
            return f"There is no element [{target}] among those that are shown."
        if kind in ("goto", "new_tab") and (why := self._policy.why_not_url(action["url"])):
            return f"This task may not go there: {why}."
        now = await self._browser.observe()
        if kind == "type_secret" and (why := self._secret_refused(action, page, now)):
            return why
        seen = self._observed(now)
        found = self.risk(action, seen) if kind != "accept_dialog" else ""
        if found and found != self.risk(action, before):
            self._show(seen)
            return f"The page has changed: now {found}. Look at it again."
        return ""

    def _secret_refused(
        self, action: Mapping[str, Any], page: Observation, now: Observation
    ) -> str:
        """Secrets go only into fields of the page itself, in the origin they are bound to."""
        element = page.element(action["target"])
        bound = self._bound().get(action["secret"])
        if bound is None or origin(now.url) != origin(bound):
            return f"The secret {action['secret']} is not for pages of {origin(now.url)}."
        if element is None or element.frame != 0:
            return "Secrets are not typed into frames."
        return ""

    def risk(self, action: Mapping[str, Any], observed: Observed) -> str:
        kind, found = action["action"], observed.details["risks"]
        target = action.get("target")
        if kind == "click":
            return found["click"].get(str(target), "")
        if kind == "press":
            return self._press_risk(action["key"], found)
        if kind in ("goto", "new_tab"):
            return address_risk(action["url"])
        if kind == "type_secret":
            return found["secret"].get(str(target), "")
        if kind == "upload":
            return f"the page is given the file {action['file']}"
        if kind == "accept_dialog":
            return f"says yes to the dialog {observed.details['dialog']['message'][:120]!r}"
        return ""

    @staticmethod
    def _press_risk(key: str, found: Mapping[str, Any]) -> str:
        last = key.rpartition("+")[2].casefold()
        focused = str(found["focused"])
        if last in ("enter", "numpadenter", "return"):
            return found["enter"].get(focused, "")
        return found["click"].get(focused, "") if last in ("space", "") or key == " " else ""

    async def close(self) -> None:
        if self._browser is not None:
            await self._browser.close()
            self._browser = None
        if self._over:
            (self._folder / STORAGE).unlink(missing_ok=True)

    def _show(self, observed: Observed) -> Observed:
        """Remember what the model sees now."""
        self._last = observed
        return observed

    def _observed(self, page: Observation, done: Transition | None = None) -> Observed:
        """What the model and strategies get: of the page, only what is shown."""
        shown = page.shown()
        kept = replace(page, elements=shown, cursor=0, more=None, text="", tabs=page.tabs[-20:])
        return Observed(
            text=page_text(page),
            state=page.hash if not page.cursor else f"{page.hash}+{page.cursor}",
            details={
                "page": kept.to_dict(),
                "more": page.more,
                "risks": risks(page).to_dict(),
                "dialog": dismissed(done),
                "files": sorted(self._files),
                "paths": {name: str(path) for name, path in self._files.items()},
                "start": self._start,
                "moved": page.url != self._start,
                "origins": sum(2 if one == "*" or "*." in one else 1 for one in self._origins),
            },
        )

    def _bound(self) -> dict[str, str]:
        """name -> origin of the secrets that may be typed."""
        return {
            name: bound
            for name, _, bound in (text.partition("=") for text in self._settings.web_secrets)
        }

    def _secrets_for(self, url: str) -> list[str]:
        return [name for name, bound in self._bound().items() if origin(bound) == origin(url)]

    async def _picture(self, name: str) -> list[str]:
        """Keep a screenshot; that a page cannot be drawn ends no run."""
        assert self._browser is not None
        file = self._folder / f"{name}.png"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            await self._browser.screenshot(file)
        except YunjueError:
            return []
        self._pictures += 1
        return [file.name]

    def _left(self, change: Change) -> list[str]:
        return [
            str(Path(one.path).relative_to(self._folder)) for one in change.downloads if one.path
        ]

"""The browser as an environment: actions, observations, and what the run's policy refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from yunjue import keys
from yunjue.browser.actions import action_schema
from yunjue.browser.types import (
    Action,
    ActionInvalid,
    Browser,
    BrowserSettings,
    Change,
    Observation,
    Transition,
)
from yunjue.domains import ActionKind, Observed, Place, Step
from yunjue.errors import UsageError, YunjueError
from yunjue.web.origins import allowed, origin
from yunjue.web.risk import address_risk, risks
from yunjue.web.task import first_url

KINDS = ("click", "type", "select", "press", "scroll", "hover", "back", "forward", "goto")
KINDS += ("new_tab", "close_tab", "switch_tab", "upload", "wait", "extract", "stop")
DESCRIPTIONS = {
    "click": "an element",
    "type": "into a field; what it held is replaced",
    "type_secret": "into a field, by the secret's name",
    "select": "an option of a list",
    "press": "a key, such as Enter, Escape, ArrowDown",
    "scroll": "the page",
    "hover": "over an element",
    "back": "to the page before",
    "forward": "again",
    "goto": "an absolute address",
    "new_tab": "with an address",
    "close_tab": "",
    "switch_tab": "",
    "upload": "a file of the task",
    "wait": "some seconds",
    "extract": "the text of the page",
    "see_more": "of the page, what follows below",
    "accept_dialog": "do it again and say yes to the dialog",
    "stop": "when the task is done; answer: what was asked for, else done",
}
OPTIONAL = {"new_tab": ("url",)}
"""Arguments that a browser takes and need not have, and that are asked for here."""
READ_CHARS = 4000
"""Of the text that ``extract`` gives."""
CHANGE_LINES = 12
MOST_CHANGED = 200
"""Elements of each sort that the record of a change keeps."""

Open = Callable[[BrowserSettings], Browser]


def open_browser(settings: BrowserSettings) -> Browser:
    """The real one; its package is imported when a run needs it."""
    from yunjue.browser.session import open_browser as opened

    return opened(settings)


class WebEnvironment:
    """A browser of one run.

    Args:
        open_browser: makes the browser.
    """

    def __init__(self, place: Place, open_browser: Open = open_browser) -> None:
        self._settings = place.settings
        self._folder = place.folder
        self._tokens = place.tokens
        self._open_browser = open_browser
        self._browser: Browser | None = None
        self._origins: Sequence[str] = ()
        self._last: Observed | None = None
        self._start = ""
        self._files: Mapping[str, Path] = {}
        self._pictures = 0

    def actions(self, observed: Observed) -> Sequence[ActionKind]:
        page = page_of(observed)
        schema = action_schema(
            page,
            KINDS,
            secrets=self._secrets_for(page.url),
            files=observed.details["files"],
        )
        kinds = [made for one in schema["anyOf"] if (made := _kind(one))]
        if observed.details["more"] is not None:
            kinds.insert(-1, ActionKind("see_more", DESCRIPTIONS["see_more"]))
        if observed.details["dialog"]:
            kinds.insert(-1, ActionKind("accept_dialog", DESCRIPTIONS["accept_dialog"]))
        return kinds

    async def start(self, task: str, files: Mapping[str, Path]) -> Observed:
        url = self._settings.start_url or first_url(task)
        if not url:
            raise UsageError("No page to begin with is known.", hint="Name one: --start-url URL.")
        return await self._begin(url, url, files)

    async def restore(self, done: Sequence[Mapping[str, Any]], last: Observed) -> Observed:
        """Open the page that the run was on. Nothing is clicked or typed again, so what was
        typed and not sent is gone; the model sees the page as it is now."""
        files = {name: Path(path) for name, path in last.details["paths"].items()}
        return await self._begin(page_of(last).url, last.details["start"], files)

    async def _begin(self, url: str, start: str, files: Mapping[str, Path]) -> Observed:
        self._origins = self._settings.allow_origins or [origin(start)]
        if not allowed(url, self._origins):
            raise UsageError(
                f"{url[:200]} lies in none of the allowed origins: {', '.join(self._origins)}.",
                hint="Allow it with --allow-origin.",
            )
        self._start, self._files = start, files
        self._browser = self._open_browser(self._browser_settings(files))
        opened = await self._browser.start(url)
        if not opened.ok:
            await self.close()
            raise UsageError(
                f"{url[:200]} cannot be opened: {opened.error}",
                hint="Pages on this machine or its network need --allow-private.",
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
        )

    async def step(self, action: Mapping[str, Any]) -> Step:
        if self._browser is None or self._last is None:
            raise YunjueError("The browser was not opened.")
        before, kind = self._last, action["action"]
        if kind == "stop":
            return Step(before, answer=action["answer"], files=await self._picture("end"))
        if kind == "see_more":
            more = await self._browser.observe(before.details["more"])
            return Step(self._show(self._observed(more)), change="more of the page is shown")
        try:
            wanted = _browser_action(action, before)
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
            change=_told(done),
            files=[*self._left(done.change), *pictures],
            details={"change": _bounded(done.change).to_dict()},
        )

    async def _refused(self, action: Mapping[str, Any], before: Observed) -> str:
        """Why the action is not done, whatever the model or a person thinks of it; "" if it is.
        The page is looked at once more, for pages change while they are read."""
        assert self._browser is not None
        kind, target = action["action"], action.get("target")
        page = page_of(before)
        if target is not None and page.element(target) is None:
            return f"There is no element [{target}] among those that are shown."
        if kind in ("goto", "new_tab") and not allowed(action["url"], self._origins):
            return (
                f"{action['url'][:200]} is not in the origins that this task may reach: "
                f"{', '.join(self._origins)}."
            )
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

    def _show(self, observed: Observed) -> Observed:
        """Remember what the model sees now."""
        self._last = observed
        return observed

    def _observed(self, page: Observation, done: Transition | None = None) -> Observed:
        """What the model and strategies get: of the page, only what is shown."""
        shown = page.shown()
        kept = replace(page, elements=shown, cursor=0, more=None, text="", tabs=page.tabs[-20:])
        return Observed(
            text=_text(page),
            state=page.hash if not page.cursor else f"{page.hash}+{page.cursor}",
            details={
                "page": kept.to_dict(),
                "more": page.more,
                "risks": risks(page).to_dict(),
                "dialog": _dismissed(done),
                "files": sorted(self._files),
                "paths": {name: str(path) for name, path in self._files.items()},
                "start": self._start,
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


def page_of(observed: Observed) -> Observation:
    """The page as it was shown: the elements the model could read, and no others."""
    return Observation.from_dict(observed.details["page"])


def _kind(schema: Mapping[str, Any]) -> ActionKind | None:
    """The action that a browser's schema describes, without what it need not have."""
    properties = schema["properties"]
    name = properties["kind"]["const"]
    wanted = [*schema["required"], *OPTIONAL.get(name, ())]
    if name == "type" and "secret" in wanted:
        name = "type_secret"
    arguments = {one: _plain(properties[one]) for one in wanted if one != "kind"}
    return ActionKind(name, DESCRIPTIONS[name], arguments)


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in schema.items() if name != "description"}
    if plain.get("type") == "string":
        plain["maxLength"] = min(plain.get("maxLength", 2000), 2000)
    return plain


def _browser_action(action: Mapping[str, Any], before: Observed) -> Action:
    values = {name: value for name, value in action.items() if name != "action"}
    kind = action["action"]
    if kind == "accept_dialog":
        return Action.from_dict({**before.details["dialog"]["again"], "dialog": "accept"})
    return Action.from_dict({"kind": "type" if kind == "type_secret" else kind, **values})


def _dismissed(done: Transition | None) -> dict[str, Any] | None:
    """The dialog that the last action opened and that was answered with no."""
    if done is None:
        return None
    asked = [one for one in done.change.dialogs if one.outcome == "dismissed"]
    if not asked or done.action.kind not in ("click", "press") or asked[0].kind == "alert":
        return None
    return {"message": asked[0].message, "again": done.action.to_dict()}


def _text(page: Observation) -> str:
    lines = [f"page {page.url} {page.title!r}"]
    if len(page.tabs) > 1:
        lines += [
            f"tab {tab.id}{' (in front)' if tab.id == page.tab else ''}: {tab.url}"
            for tab in page.tabs
        ]
    if page.problem:
        lines.append(f"PROBLEM: {page.problem}")
    lines.append(page.text)
    if page.more is not None:
        lines.append("(more follows: see_more)")
    return "\n".join(lines)


def _told(done: Transition) -> str:
    if done.text:
        return f"read: {done.text[:READ_CHARS]}"
    return "\n".join(done.change.lines(CHANGE_LINES))


def _bounded(change: Change) -> Change:
    return replace(
        change,
        new=change.new[:MOST_CHANGED],
        deleted=change.deleted[:MOST_CHANGED],
        updated=change.updated[:MOST_CHANGED],
        text_added=change.text_added[:MOST_CHANGED],
        text_removed=change.text_removed[:MOST_CHANGED],
    )

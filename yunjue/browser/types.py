"""The nouns of the browser layer: actions, elements, observations, and what changed.

All are immutable plain data that go to JSON and back without loss.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Protocol

Kind = Literal[
    "click",
    "type",
    "select",
    "press",
    "scroll",
    "hover",
    "back",
    "forward",
    "goto",
    "new_tab",
    "close_tab",
    "switch_tab",
    "upload",
    "wait",
    "extract",
    "stop",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do in the browser. :data:`yunjue.browser.actions.FIELDS` says which
    fields each kind takes; the rest stay None.

    Attributes:
        target: id of an element, as the observation shows it.
        text: what to type; it takes the place of what the field holds.
        secret: name of a secret to type instead of ``text``.
        value: an option of a list, by its text or value; a multiple list gets it added, or
            taken away if it was chosen.
        key: a key as Playwright names it, such as ``Enter`` or ``Control+A``.
        direction: ``up``, ``down``, ``left`` or ``right``.
        url: an absolute address.
        tab: id of a tab, as the observation shows it.
        file: name of a file that the run was given.
        seconds: how long to wait.
        answer: what the task asked for.
        dialog: ``accept`` or ``dismiss``: what to do with dialogs that this action opens.
        reply: the text for a prompt that is accepted.
    """

    kind: Kind
    target: int | None = None
    text: str | None = None
    secret: str | None = None
    value: str | None = None
    key: str | None = None
    direction: Literal["up", "down", "left", "right"] | None = None
    url: str | None = None
    tab: int | None = None
    file: str | None = None
    seconds: float | None = None
    answer: str | None = None
    dialog: Literal["accept", "dismiss"] | None = None
    reply: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON without the fields that are None."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, data: object) -> Action:
        """Read and check what :meth:`to_dict` or a model wrote.

        Raises:
            ActionInvalid: with what is wrong, as a model can mend it.
        """
        from yunjue.browser.actions import read_action

        return read_action(data)


class ActionInvalid(ValueError):
    """An action that cannot be done as it stands; the text is for the model that wrote it."""


@dataclass(frozen=True, slots=True)
class Element:
    """One line of the accessibility tree.

    Attributes:
        id: of the element in the page, kept as long as the element lives; never given again.
        role: as ARIA names it; ``text`` for text that stands for itself.
        name: the accessible name, or the text; cut to a bound.
        value: what a field holds or an option list has chosen; a password shows as dots.
        states: such as ``checked``, ``disabled``, ``expanded``, ``focused``, in a fixed order.
        depth: how deep it stands among the elements listed; 0 is outermost.
        actions: kinds of action that make sense on it; empty for what is only read.
        options: the texts of an option list.
        href: where a link leads, without the page's own origin.
        frame: number of the frame it stands in; 0 is the page itself.
    """

    id: int
    role: str
    name: str = ""
    value: str = ""
    states: tuple[str, ...] = ()
    depth: int = 0
    actions: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    href: str = ""
    frame: int = 0

    def line(self) -> str:
        """``[id] role 'name' property ...`` without indentation."""
        from yunjue.browser.render import line

        return line(self)

    def to_dict(self) -> dict[str, Any]:
        return _compact(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Element:
        return cls(**{name: _tuple(value) for name, value in data.items()})


@dataclass(frozen=True, slots=True)
class Tab:
    """An open tab; ``id`` is never given again."""

    id: int
    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a run sees of the browser at one moment.

    Attributes:
        url, title: of the tab in front.
        tabs: all that are open, oldest first.
        tab: id of the one in front.
        elements: the whole tree in reading order, up to a bound (``cut`` says so).
        text: the lines from ``cursor`` on that fit into the budget.
        cursor: index into ``elements`` of the first line of ``text``.
        more: the cursor to observe with for the lines that follow; None if none do.
        document: says which page was loaded; another one after every navigation.
        hash: of url, title and elements without their ids: equal for pages that look equal.
        cut: whether the page holds more elements than are listed.
        problem: why nothing could be read, such as a page that does not answer.
    """

    url: str
    title: str = ""
    tabs: tuple[Tab, ...] = ()
    tab: int = 0
    elements: tuple[Element, ...] = ()
    text: str = ""
    cursor: int = 0
    more: int | None = None
    document: str = ""
    hash: str = ""
    cut: bool = False
    problem: str = ""

    def element(self, id: int) -> Element | None:
        """The element with this id, if it is listed."""
        return next((one for one in self.elements if one.id == id), None)

    def shown(self) -> tuple[Element, ...]:
        """The elements that ``text`` shows."""
        return self.elements[self.cursor : self.more]

    def find(self, text: str, role: str = "") -> list[Element]:
        """Elements whose name or value holds ``text`` (whatever its case), best first: equal
        names, then those that can be acted on, then the order of the page."""
        wanted = text.casefold()
        found = [
            one
            for one in self.elements
            if (not role or one.role == role)
            and (wanted in one.name.casefold() or wanted in one.value.casefold())
        ]
        return sorted(found, key=lambda one: (one.name.casefold() != wanted, not one.actions))

    def to_dict(self) -> dict[str, Any]:
        data = _compact(self)
        data["elements"] = [one.to_dict() for one in self.elements]
        data["tabs"] = [asdict(one) for one in self.tabs]
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Observation:
        made = dict(data)
        made["elements"] = tuple(Element.from_dict(one) for one in data.get("elements", ()))
        made["tabs"] = tuple(Tab(**one) for one in data.get("tabs", ()))
        return cls(**made)


@dataclass(frozen=True, slots=True)
class Dialog:
    """A dialog that a page opened, and what was done with it: ``accepted`` or ``dismissed``."""

    kind: str
    message: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file that a page sent. ``path`` is None if it was not kept; ``problem`` says why."""

    name: str
    path: str | None = None
    size: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """One element before and after."""

    before: Element
    after: Element


@dataclass(frozen=True, slots=True)
class Change:
    """What is different after an action.

    Attributes:
        new, deleted: elements that are there only after, only before.
        updated: elements whose role, name, value, states or options differ.
        text_added, text_removed: texts of ``role="text"`` elements that came and went.
        url, title: (before, after) if they differ.
        tabs_opened, tabs_closed: tabs.
        tab: (before, after) ids of the tab in front if they differ.
        dialogs: those the page opened.
        downloads: files that it sent.
        refused: requests that the policy kept back, each with the reason.
    """

    new: tuple[Element, ...] = ()
    deleted: tuple[Element, ...] = ()
    updated: tuple[Update, ...] = ()
    text_added: tuple[str, ...] = ()
    text_removed: tuple[str, ...] = ()
    url: tuple[str, str] | None = None
    title: tuple[str, str] | None = None
    tabs_opened: tuple[Tab, ...] = ()
    tabs_closed: tuple[Tab, ...] = ()
    tab: tuple[int, int] | None = None
    dialogs: tuple[Dialog, ...] = ()
    downloads: tuple[Download, ...] = ()
    refused: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return any(getattr(self, one.name) for one in fields(self))

    def lines(self, most: int = 40) -> list[str]:
        """The change in words, at most ``most`` lines of it."""
        from yunjue.browser.render import change_lines

        return change_lines(self, most)

    def to_dict(self) -> dict[str, Any]:
        data = _compact(self)
        for name in ("new", "deleted"):
            if name in data:
                data[name] = [one.to_dict() for one in getattr(self, name)]
        if self.updated:
            data["updated"] = [
                {"before": one.before.to_dict(), "after": one.after.to_dict()}
                for one in self.updated
            ]
        for name in ("tabs_opened", "tabs_closed", "dialogs", "downloads"):
            if name in data:
                data[name] = [asdict(one) for one in getattr(self, name)]
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Change:
        readers = {
            "new": Element.from_dict,
            "deleted": Element.from_dict,
            "updated": lambda one: Update(
                Element.from_dict(one["before"]), Element.from_dict(one["after"])
            ),
            "tabs_opened": lambda one: Tab(**one),
            "tabs_closed": lambda one: Tab(**one),
            "dialogs": lambda one: Dialog(**one),
            "downloads": lambda one: Download(**one),
        }
        return cls(
            **{
                name: tuple(map(readers.get(name, lambda one: one), value))
                for name, value in data.items()
            }
        )


@dataclass(frozen=True, slots=True)
class Transition:
    """An action and what followed.

    Attributes:
        ok: whether it was done.
        error: why not, as a model can mend it.
        text: what ``extract`` read; the answer of ``stop``.
        observation: after the action, also if it failed.
    """

    action: Action
    ok: bool
    error: str
    change: Change
    observation: Observation
    text: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "action": self.action.to_dict(),
            "ok": self.ok,
            "error": self.error,
            "change": self.change.to_dict(),
            "observation": self.observation.to_dict(),
            "text": self.text,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Transition:
        return cls(
            Action(**data["action"]),
            data["ok"],
            data["error"],
            Change.from_dict(data["change"]),
            Observation.from_dict(data["observation"]),
            data["text"],
        )


@dataclass(frozen=True, slots=True)
class BrowserSettings:
    """How a run's browser behaves.

    Attributes:
        origins: what the run may reach: ``https://example.com``, ``http://127.0.0.1:8000``,
            ``https://*.example.com`` (every name below), or ``*`` (every public host).
        allow_private: whether addresses that are not public (loopback, private networks,
            link-local) may be reached; the allow-list holds for them, too.
        secrets: name -> value, for ``type`` with a name. Values never come back.
        files: name -> path of what may be uploaded.
        downloads: folder for files that pages send; None keeps none.
        most_download_bytes: a larger one is cancelled.
        timeout: seconds an action or the reading of a page may take.
        load_timeout: seconds a page may take to load.
        budget: tokens of an observation's text, counted as characters / 4.
        most_elements: elements of an observation; what follows is cut.
        viewport: width and height in CSS pixels.
        executable: the Chromium to use; None finds one.
    """

    origins: tuple[str, ...] = ()
    allow_private: bool = False
    headless: bool = True
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    files: dict[str, Path] = field(default_factory=dict)
    downloads: Path | None = None
    most_download_bytes: int = 64 << 20
    timeout: float = 5.0
    load_timeout: float = 15.0
    budget: int = 2000
    most_elements: int = 20_000
    viewport: tuple[int, int] = (1280, 800)
    executable: str | None = None


class Browser(Protocol):
    """A browser of one run, made by :func:`yunjue.browser.session.open_browser`."""

    async def start(self, url: str) -> Transition:
        """Open a page in the first tab. ``ok`` is False if it is refused or does not load."""
        ...

    async def observe(self, cursor: int | None = None) -> Observation:
        """Read the tab in front; ``cursor`` is ``more`` of an earlier observation."""
        ...

    async def act(self, action: Action) -> Transition:
        """Do it and say what followed. What a model can mend is in ``error``, never raised.

        Raises:
            BrowserError: the browser itself is gone and cannot be brought back.
        """
        ...

    async def screenshot(self, path: Path) -> None:
        """Write what the tab in front shows as PNG.

        Raises:
            BrowserError: the page does not let itself be drawn.
        """
        ...

    async def close(self) -> None:
        """End the browser and all it started; may be called twice."""
        ...


def _compact(value: Any) -> dict[str, Any]:
    """The fields that differ from their defaults, tuples as lists; not deep."""
    data = {}
    for one in fields(value):
        found = getattr(value, one.name)
        if found != one.default:
            data[one.name] = list(found) if isinstance(found, tuple) else found
    return data


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value

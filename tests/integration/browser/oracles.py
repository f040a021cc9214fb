"""Scripted solutions of MiniWoB++ tasks. They use observations and actions alone, and show
that the browser layer can do what the tasks ask for; they say nothing of intelligence."""

from __future__ import annotations

import operator
import re
from collections.abc import Awaitable, Callable

from wob import Episode, Failed

Oracle = Callable[[Episode], Awaitable[None]]
ORACLES: dict[str, Oracle] = {}


def oracle(*tasks: str) -> Callable[[Oracle], Oracle]:
    def register(solve: Oracle) -> Oracle:
        ORACLES.update(dict.fromkeys(tasks, solve))
        return solve

    return register


def quoted(text: str) -> list[str]:
    return re.findall(r'"([^"]*)"', text)


def ordinal(text: str) -> int:
    """The index that "1st", "2nd", ... in the text means."""
    return int(re.search(r"(\d+)(?:st|nd|rd|th)", text)[1]) - 1


@oracle("click-test")
async def only_button(e):
    await e.click("button")


@oracle("click-test-2", "click-test-transfer")
async def button_one(e):
    await e.click("button", "ONE")


@oracle("click-button", "unicode-test")
async def named_button(e):
    await e.click("button", quoted(e.query)[0])


@oracle("click-button-sequence")
async def two_buttons(e):
    await e.click("button", "ONE")
    await e.click("button", "TWO")


@oracle("click-checkboxes", "click-checkboxes-large", "click-checkboxes-transfer")
async def checkboxes(e):
    wanted = re.match(r"Select (.*) and click Submit", e.query)[1]
    for name in [] if wanted == "nothing" else wanted.split(", "):
        await e.click("checkbox", name)
    await e.submit()


@oracle("click-option")
async def radio(e):
    await e.click("radio", re.match(r"Select (.*) and click", e.query)[1])
    await e.submit()


@oracle("click-collapsible")
async def section(e):
    await e.click("tab", has="Section")
    await e.submit()


@oracle("click-collapsible-2", "click-tab-2", "click-tab-2-easy")
async def link_in_sections(e):
    wanted = quoted(e.query)[0]
    count = len(e.all("tab"))
    for index in range(count + 1):
        if found := e.all(name=wanted, action="click"):
            await e.do("click", found[0])
            return
        if index < count:
            tab = e.all("tab")[index]
            if "expanded" not in tab.states:
                await e.do("click", tab)
            await e.do("wait", seconds=0.3)
    raise Failed(f"no link {wanted}")


@oracle("click-tab")
async def tab(e):
    await e.click("tab", re.search(r"Tab #\d", e.query)[0])


@oracle("click-dialog")
async def close_dialog(e):
    await e.click("button", "Close")


@oracle("click-dialog-2")
async def dialog_button(e):
    name = quoted(e.query)[0]
    await e.click("button", "Close" if name == "x" else name)


@oracle("click-link")
async def link(e):
    await e.click(name=quoted(e.query)[0], action="click")


@oracle("click-menu")
async def menu(e):
    *upper, last = re.match(r"Select (.*)", e.query)[1].split(">")
    for name in upper:
        await e.do("hover", e.one("menuitem", name))
        await e.do("wait", seconds=0.4)
    await e.click("menuitem", last)


@oracle("click-scroll-list")
async def scroll_list(e):
    for name in re.match(r"Select (.*) from the", e.query)[1].split(", "):
        await e.do("select", e.one("listbox"), value=name)
    await e.submit()


@oracle("choose-list")
async def choose_list(e):
    name = re.match(r"Select (.*) from the list", e.query)[1]
    await e.do("select", e.one("combobox"), value=name)
    await e.submit()


@oracle("click-widget")
async def widget(e):
    kind = quoted(e.query)[0]
    role = {"text": "textbox", "textarea": "textbox"}.get(kind, kind)
    fits = [one for one in e.all(role) if ("multiline" in one.states) == (kind == "textarea")]
    await e.do("click", fits[0])


@oracle(
    "email-inbox",
    "email-inbox-delete",
    "email-inbox-forward",
    "email-inbox-important",
    "email-inbox-reply",
)
async def email(e):
    query = e.query
    await e.click(name=re.search(r"email by (\w+)", query)[1])
    if "trash" in query:
        await e.click(has="trash", action="click")
    elif "star" in query:
        await e.click(has="star", action="click")
    elif "reply" in query:
        await e.click(name="Reply")
        await e.do("type", e.one("textbox", nth=-1), text=quoted(query)[0])
        await e.click(has="send", action="click")
    else:
        await e.click(name="Forward")
        await e.type(re.search(r"to (\w+)\.", query)[1])
        await e.click(has="send", action="click")


@oracle("enter-date")
async def date(e):
    month, day, year = re.search(r"(\d+)/(\d+)/(\d+)", e.query).groups()
    await e.type(f"{year}-{month}-{day}")
    await e.submit()


@oracle("enter-time")
async def time(e):
    hour, minute, half = re.search(r"(\d+):(\d+) ([AP]M)", e.query).groups()
    await e.type(f"{int(hour) % 12 + 12 * (half == 'PM'):02}:{minute}")
    await e.submit()


@oracle("enter-password")
async def password(e):
    await e.type(quoted(e.query)[0], nth=0)
    await e.type(quoted(e.query)[0], nth=1)
    await e.submit()


@oracle("enter-text", "enter-text-dynamic")
async def enter_text(e):
    await e.type(quoted(e.query)[0])
    await e.submit()


@oracle("enter-text-2")
async def enter_case(e):
    text = quoted(e.query)[0]
    await e.type(text.upper() if "upper" in e.query else text.lower())
    await e.submit()


@oracle("text-transform")
async def transformed(e):
    await e.type(e.all("text")[1].name.replace(" ", ""))
    await e.submit()


@oracle("focus-text")
async def focus(e):
    await e.click("textbox")


@oracle("focus-text-2")
async def focus_nth(e):
    await e.do("click", e.all("textbox")[ordinal(e.query)])


@oracle("find-word")
async def word(e):
    words = e.all("text")[1].name.split()
    await e.type(words[ordinal(e.query)].strip(".,"))
    await e.submit()


@oracle("form-sequence-2")
async def form_radio(e):
    await e.do("click", e.all("radio")[ordinal(e.query)])
    fields = e.all("textbox")
    await e.do(
        "type",
        fields[ordinal(e.query.split(" and ")[1])],
        text=re.findall(r'"(-?\d+)"', e.query)[0],
    )
    await e.submit()


@oracle("form-sequence-3")
async def form_dropdown(e):
    value, button = re.search(r'Choose (.*) from the dropdown.*"(.*)"', e.query).groups()
    await e.do("select", e.one("combobox"), value=value)
    await e.click("button", button)


@oracle("grid-coordinate")
async def grid(e):
    x, y = map(int, re.search(r"\((-?\d+),(-?\d+)\)", e.query).groups())
    circles = [one for one in e.all("graphic", has="circle")]
    places = {one.id: tuple(map(int, one.name.split(" at ")[1].split(","))) for one in circles}
    columns = sorted({place[0] for place in places.values()})
    rows = sorted({place[1] for place in places.values()}, reverse=True)
    wanted = (columns[x + 2], rows[y + 2])
    await e.do("click", next(one for one in circles if places[one.id] == wanted))


@oracle("guess-number")
async def guess(e):
    low, high = 0, 9
    while low <= high:
        middle = (low + high) // 2
        await e.type(str(middle))
        await e.submit()
        told = " ".join(one.name for one in e.all("text"))
        if "higher" in told:
            low = middle + 1
        elif "lower" in told:
            high = middle - 1
        else:
            return


@oracle("login-user", "login-user-popup")
async def login(e):
    for nth, text in enumerate(quoted(e.query)[:2]):
        await e.type(text, nth=nth)
        if found := e.all(name="Cancel", action="click"):  # a popup that gets in the way
            await e.do("click", found[0])
            await e.type(text, nth=nth)
    await e.click(
        "button", re.search(r"press (\w+)", e.query)[1] if e.all("button", "Login") else "OK"
    )


@oracle("multi-layouts", "multi-orderings")
async def movies(e):
    genre, director, year = re.search(
        r"Search for (.*) movies directed by (.*) from year (\d+)", e.query
    ).groups()
    words = {"genre": genre, "director": director, "year": year, "date": year}
    parts = [one for one in e.seen.elements[1:] if one.name or "type" in one.actions]
    # A label stands before its field, or, if the first thing is a field, after it.
    step = 1 if "type" in parts[0].actions else -1
    for at, one in enumerate(parts):
        if "type" in one.actions:
            label = (one.name or parts[at + step].name).casefold()
            text = next(text for word, text in words.items() if word in label)
            await e.do("type", one, text=text)
    await e.do("click", [one for one in e.all(action="click") if "type" not in one.actions][-1])


@oracle("navigate-tree")
async def tree(e):
    wanted, tried = quoted(e.query)[0], set()
    while True:
        items = [one for one in e.all(action="click") if one.name]
        if found := [one for one in items if one.name == wanted]:
            await e.do("click", found[0])
            return
        left = [one for one in items if one.id not in tried]
        if not left:
            raise Failed(f"no {wanted}")
        tried.add(left[0].id)
        await e.do("click", left[0])


def table(e) -> dict[str, str]:
    cells = [one.name for one in e.all("cell")]
    return dict(zip(cells[::2], cells[1::2], strict=True))


@oracle("read-table")
async def read_table(e):
    await e.type(table(e)[re.search(r"value of (.*) into", e.query)[1]])
    await e.submit()


@oracle("read-table-2")
async def read_two(e):
    known = table(e)
    labels = [one.name.rstrip(":") for one in e.all("text") if one.name.endswith(":")]
    for nth, label in enumerate(labels):
        await e.type(known[label], nth=nth)
    await e.submit()


@oracle("scroll-text")
async def last_word(e):
    text = (await e.do("extract", e.one("textbox"))).text
    await e.type(text.split()[-1].strip("."), nth=1)
    await e.submit()


@oracle("scroll-text-2")
async def scroll_ends(e):
    way = "up" if "to the top" in e.query else "down"
    for _ in range(30):
        try:
            await e.do("scroll", e.one("textbox"), direction=way)
        except Failed:
            break
    await e.submit()


@oracle("search-engine")
async def search(e):
    nth = ordinal(e.query)
    await e.type(quoted(e.query)[0])
    await e.click("button", "Search")
    for _ in range(nth // 3):
        await e.click(name=">")
    links = [one for one in e.all(action="click") if one.role in ("link", "clickable")]
    results = [one for one in links if not re.fullmatch(r"[<>\d]+", one.name)]
    await e.do("click", results[nth % 3])


SIGNS = {"+": operator.add, "-": operator.sub, "x": operator.mul, "*": operator.mul}


@oracle("simple-arithmetic")
async def arithmetic(e):
    a, sign, b = re.search(r"(\d+) ?([-+x*]) ?(\d+)", e.all("text")[1].name).groups()
    await e.type(str(SIGNS[sign](int(a), int(b))))
    await e.submit()


@oracle("simple-algebra")
async def algebra(e):
    left, right = e.all("text")[1].name.split(" = ")
    target = int(right)
    x = next(
        x
        for x in range(-2000, 2000)
        if evaluate(left.replace("x", str(x) if x >= 0 else f"(0-{-x})")) == target
    )
    await e.type(str(x))
    await e.submit()


def evaluate(text: str) -> int:
    a, sign, b = re.match(r"(\(0-\d+\)|-?\d+) ([-+]) (\(0-\d+\)|-?\d+)", text).groups()
    value = lambda s: -int(s[3:-1]) if s.startswith("(") else int(s)  # noqa: E731
    return SIGNS[sign](value(a), value(b))


@oracle("social-media")
async def social(e):
    user, button = re.search(r'user (@\w+), click on the "(.*)" button', e.query).groups()
    items = list(e.seen.elements)
    at = next(i for i, one in enumerate(items) if one.role == "text" and user in one.name and i > 0)
    word = {"Share via DM": "share", "Retweet": "retweet"}.get(button, button.lower())
    for one in items[at:]:
        if word in one.name.lower() and one.actions:
            await e.do("click", one)
            return
    more = next(one for one in items[at:] if "more" in one.name.lower() and one.actions)
    await e.do("click", more)
    await e.do("click", next(one for one in e.all() if one.name.startswith(button)))


@oracle("social-media-all", "social-media-some")
async def social_all(e):
    count, user = re.search(r"on (all|\d+) posts? by (@\w+)", e.query).groups()
    word = quoted(e.query)[0].lower()
    whose, wanted = "", []
    for one in e.seen.elements[1:]:
        if one.role == "text" and "@" in one.name:
            whose = re.search(r"@\w+", one.name)[0]
        elif whose == user and word in one.name.lower() and one.actions:
            wanted.append(one)
            whose = ""
    for one in wanted[: None if count == "all" else int(count)]:
        await e.do("click", one)
    await e.submit()


@oracle("use-autocomplete")
async def autocomplete(e):
    start, *end = quoted(e.query)
    await e.type(start)
    await e.do("wait", seconds=0.6)
    options = [one for one in e.all(action="click") if one.name]
    fits = [
        one
        for one in options
        if one.name.startswith(start) and (not end or one.name.endswith(end[0]))
    ]
    if not fits:
        raise Failed(f"nothing offered: {e.seen.text}")
    await e.do("click", fits[0])
    await e.submit()


async def slide(e, wanted: int) -> None:
    handle = e.one(has="slider-handle")
    for _ in range(40):
        now = int(next(one.name for one in e.all("text") if re.fullmatch(r"-?\d+", one.name)))
        if now == wanted:
            return
        key = "ArrowRight" if now < wanted else "ArrowLeft"
        await e.do("press", handle, key=key)


@oracle("use-slider")
async def slider(e):
    await slide(e, int(re.search(r"Select (-?\d+)", e.query)[1]))
    await e.submit()


@oracle("form-sequence")
async def form_slider(e):
    await slide(e, int(re.search(r"Select (-?\d+)", e.query)[1]))
    await e.do("click", e.all("checkbox")[ordinal(e.query)])
    await e.submit()


@oracle("use-spinner")
async def spinner(e):
    await e.do("type", e.one("spinbutton"), text=re.search(r"Select (-?\d+)", e.query)[1])
    await e.submit()


@oracle("copy-paste", "copy-paste-2")
async def copy(e):
    areas = [one for one in e.all("textbox") if one.value]
    source = areas[ordinal(e.query) if "text area" in e.query else 0]
    to = next(one for one in e.all("textbox") if not one.value)
    for key in ("Control+A", "Control+C"):
        await e.do("press", source, key=key)
    await e.do("press", to, key="Control+V")
    await e.submit()


@oracle("choose-date-easy")
async def calendar(e):
    day = re.search(r"\d+/(\d+)/\d+", e.query)[1]
    await e.click("textbox")
    await e.do("wait", seconds=0.4)
    await e.click(name=str(int(day)), action="click")
    await e.submit()

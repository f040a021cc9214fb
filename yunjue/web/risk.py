"""Which actions cannot be taken back: those a person is asked about.

Judged is what the page shows: roles, names, and the form or dialog an element stands in. A page
that calls its "buy" button "next" is not found out; what bounds such pages is the list of
origins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from yunjue.browser.types import Element, Observation
from yunjue.web.words import (
    LOGIN_BUTTON,
    MESSAGE_FIELD,
    PERSONAL_FIELD,
    CREDENTIAL_FIELD,
    TELLING_ADDRESS,
    deed,
    folded,
)

GROUPS = ("form", "dialog", "alertdialog")
FIELDS = ("textbox", "searchbox", "combobox", "spinbutton", "listbox")

SHOWN = 60


@dataclass(frozen=True, slots=True)
class Risks:
    """Why a person should be asked, for the elements of one observation.

    Attributes:
        click: id of an element -> why, of clicking it.
        enter: the same of pressing Enter in it.
        secret: the same of typing a secret into it.
        focused: id of the element that has the keyboard, if any.
    """

    click: dict[int, str]
    enter: dict[int, str]
    secret: dict[int, str]
    focused: int | None = None

    def to_dict(self) -> dict[str, object]:
        """JSON; its keys are texts."""
        named = {
            name: {str(id): why for id, why in getattr(self, name).items()}
            for name in ("click", "enter", "secret")
        }
        return {**named, "focused": self.focused}


def risks(observation: Observation) -> Risks:
    """The risks of all that can be acted on."""
    elements = observation.elements
    groups = _groups(elements)
    click: dict[int, str] = {}
    enter: dict[int, str] = {}
    secret: dict[int, str] = {}
    members: dict[int, list[Element]] = {}
    for element in elements:
        members.setdefault(groups[element.id], []).append(element)
    for element in elements:
        group = members[groups[element.id]]
        if "click" in element.actions and (why := _click(element, group, bool(groups[element.id]))):
            click[element.id] = why
        if "type" in element.actions and not CREDENTIAL_FIELD.search(folded(element.name)):
            secret[element.id] = f"types a secret into {_shown(element)}"
    for element in elements:
        if why := _enter(element, members[groups[element.id]], click):
            enter[element.id] = why
    focused = next((one.id for one in elements if "focused" in one.states), None)
    return Risks(click, enter, secret, focused)


def address_risk(url: str) -> str:
    """Why a person should be asked before an address is opened; "" for no reason."""
    parts = urlsplit(url)
    words = re.sub(r"[^a-z0-9]+", " ", f"{parts.path} {parts.query}".casefold())
    found = TELLING_ADDRESS.search(words)
    return f"the address says {found.group(0)!r}" if found else ""


def _groups(elements: Sequence[Element]) -> dict[int, int]:
    """id of each element -> id of the form or dialog around it; 0 for the page itself."""
    found: dict[int, int] = {}
    around: list[Element] = []
    for element in elements:
        while around and around[-1].depth >= element.depth:
            around.pop()
        if element.role in GROUPS:
            around.append(element)
        found[element.id] = around[-1].id if around else 0
    return found


def _click(element: Element, group: Sequence[Element], grouped: bool) -> str:
    shown = _shown(element)
    if what := deed(element.name):
        if element.role == "link" and not _begins_with_deed(element.name):
            what = ""
        if what and element.role not in ("checkbox", "radio", *FIELDS):
            return f"{shown} {what}"
    if element.role == "link" and element.href and (why := address_risk(element.href)):
        return f"{shown}: {why}"
    if element.role not in ("button", "image", "generic", "menuitem"):
        return ""
    if grouped:
        titles = [one.name for one in group if one.role in (*GROUPS, "heading")]
        # "OK" in a dialog means what the dialog says.
        if (what := next(filter(None, map(deed, titles)), "")) and not _backs_out(element.name):
            return f"{shown} in {titles[0][:SHOWN]!r} {what}"
    return _personal(element, group, grouped)


def _personal(element: Element, group: Sequence[Element], grouped: bool) -> str:
    """Why a button gives away what was filled in, or ""."""
    if _backs_out(element.name) or not (grouped or _submits(element.name)):
        return ""
    filled = [one for one in group if one.role in FIELDS and one.value]
    personal = [one.name for one in filled if PERSONAL_FIELD.search(folded(one.name))]
    if not personal or (LOGIN_BUTTON.search(folded(element.name)) and len(personal) <= 2):
        return ""  # to log in is what the user gave the secrets for
    named = ", ".join(name[:SHOWN] for name in personal[:4])
    return f"{_shown(element)} submits personal data ({named})"


def _enter(element: Element, group: Sequence[Element], click: dict[int, str]) -> str:
    """Enter in a field presses the form's button; on a button, that one."""
    if element.id in click:
        return click[element.id]
    if element.role not in FIELDS:
        return ""
    if MESSAGE_FIELD.search(folded(element.name)) and element.value:
        return f"Enter in {_shown(element)} may send it"
    return next((click[one.id] for one in group if one.role == "button" and one.id in click), "")


def _begins_with_deed(name: str) -> bool:
    """Links name many things that they only lead to; those that do something begin with it."""
    return bool(deed(" ".join(name.split()[:2])))


_BACK = re.compile(
    r"(?<!\w)(?:cancel|close|back|no|abbrechen|zurück|schließen|nein|annuler|retour|non|cancelar"
    r"|volver|annulla|indietro|annuleren|terug|anuluj|iptal|avbryt|отмена|назад)(?!\w)|取消|返回|戻る|취소"
)
_SUBMITS = re.compile(
    r"(?<!\w)(?:submit|register|sign\s?up|continue|next|save|create|join|absenden|registrieren"
    r"|weiter|speichern|valider|continuer|inscription|continuar|registrarse|guardar|continua"
    r"|registrati|salva|verder|opslaan|dalej|kaydet|spara|далее|сохранить)(?!\w)|提交|注册|登録|次へ|제출|가입"
)


def _backs_out(name: str) -> bool:
    return bool(_BACK.search(folded(name))) and not deed(name)


def _submits(name: str) -> bool:
    return bool(_SUBMITS.search(folded(name)))


def _shown(element: Element) -> str:
    return f"{element.role} {element.name[:SHOWN]!r}"

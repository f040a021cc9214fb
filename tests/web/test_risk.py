"""Which actions wait for a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.browser.types import Element, Observation
from yunjue.foreign import MARK, block, inline
from yunjue.web.origins import origin
from yunjue.web.risk import address_risk, risks
from yunjue.web.words import deed


def page(*elements):
    return Observation("https://a.test/", elements=elements)


def button(name, role="button", id=9, depth=0, **fields):
    return Element(id, role, name, depth=depth, actions=("click",), **fields)


@pytest.mark.parametrize(
    "name",
    [
        *("Buy now", "Place your order", "PAY €20", "Jetzt zahlungspflichtig bestellen", "Acheter"),
        *("Comprar", "Ordina ora", "Kup teraz", "satın al", "Оплатить", "立即购买", "注文する"),
        *("구매하기", "شراء", "Send", "Absenden", "Publier", "发送", "Delete account", "Löschen"),
        *("Supprimer", "削除", "Ｂｕｙ", "de\u200blete", "Cancel order", "Confirm"),
    ],
)
def test_what_a_button_says_in_many_languages(name):
    assert deed(name)
    assert 9 in risks(page(button(name))).click


@pytest.mark.parametrize(
    "name",
    [
        *("Search", "Next", "Add to basket", "Sign in", "Sign up", "Order history", "Suivant"),
        *("Apply filter", "Cancel", "Borderless", "Weiter", "返回", "Go", "Books"),
    ],
)
def test_what_can_be_taken_back_is_not_asked_about(name):
    assert risks(page(button(name))).click == {}


def test_ok_means_what_its_dialog_says():
    dialog = Element(1, "dialog", "Delete 3 files?")
    found = risks(page(dialog, button("OK", depth=1), button("Cancel", id=10, depth=1)))
    assert list(found.click) == [9]


def form(button_name, *fields):
    shown = [
        Element(20 + n, "textbox", name, value, depth=1, actions=("type",))
        for n, (name, value) in enumerate(fields)
    ]
    return page(Element(1, "form", ""), *shown, button(button_name, depth=1))


def test_personal_data_is_not_submitted_unasked():
    filled = form("Submit", ("E-mail", "a@b.c"), ("Colour", "red"))
    assert "personal data (E-mail)" in risks(filled).click[9]
    assert risks(filled).enter[21] == risks(filled).click[9]
    assert risks(form("Submit", ("E-mail", ""))).click == {}
    assert risks(form("Submit", ("Colour", "red"))).click == {}
    assert risks(form("", ("电话", "123"))).click  # a button without a name


def test_to_log_in_is_what_secrets_are_given_for():
    assert risks(form("Log in", ("User name", "me"), ("Password", "••••"))).click == {}
    assert risks(form("Register", ("User name", "me"), ("Password", "••••"))).click


def test_enter_sends_a_message():
    chat = Element(3, "textbox", "Message", "hello", actions=("type",))
    assert 3 in risks(page(chat)).enter


def test_links_lead_and_addresses_may_act():
    assert risks(page(button("How to buy a house", role="link"))).click == {}
    assert risks(page(button("Buy", role="link"))).click
    assert address_risk("https://a.test/post/7/delete") and address_risk("https://a.test/?do=buy")
    assert address_risk("https://a.test/deleted-scenes") == ""


def test_a_secret_in_a_field_that_wants_none():
    comment = Element(3, "textbox", "Comment", actions=("type",))
    word = Element(4, "textbox", "Password", actions=("type",))
    assert list(risks(page(comment, word)).secret) == [3]


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://A.test:443/x?y#z", "https://a.test"),
        ("http://user@a.test:80/", "http://a.test"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://a.test.:8443", "https://a.test:8443"),
        *(
            (url, "")
            for url in ("javascript:1", "file:///x", "//a.test", "https://", "x", "http://[")
        ),
    ],
)
def test_origins(url, own):
    assert origin(url) == own


@given(st.text())
def test_no_text_leaves_its_block(text):
    lines = block(text).splitlines()
    assert lines and all(line.startswith(MARK) for line in lines)
    assert "\n" not in inline(text, 50) and len(inline(text, 50)) <= 50


@given(st.text(alphabet="<|>/[]sINTim_endSY ", max_size=40))
def test_no_text_holds_a_turn_of_a_chat(text):
    shown = block(text + "<|im_end|>[INST]</s>")
    assert not any(token in shown for token in ("<|", "|>", "[INST]", "</s>", "<s>"))

"""Which addresses a run's browser may ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.browser.policy import Policy, origin_of
from yunjue.errors import ConfigError


@pytest.mark.parametrize(
    ("origins", "url", "allowed"),
    [
        (["https://a.example"], "https://a.example/x?y#z", True),
        (["https://a.example/"], "https://A.Example.:443/", True),
        (["https://a.example"], "http://a.example/", False),
        (["https://a.example"], "https://a.example:8443/", False),
        (["https://a.example"], "https://a.example.evil.example/", False),
        (["https://a.example"], "https://sub.a.example/", False),
        (["https://*.a.example"], "https://sub.a.example/", True),
        (["https://*.a.example"], "https://a.example/", False),
        (["https://a.example"], "https://evil.example\\@a.example/", False),
        (["https://a.example"], "https://a.example@evil.example/", False),
        (["*"], "https://anything.example/", True),
        (["*"], "https://anything.example:22/", False),
        (["*"], "http://10.0.0.1/", False),
        (["*"], "http://localhost/", False),
        (["http://10.0.0.1"], "http://10.0.0.1/", False),
        (["http://[::1]:8000"], "http://[::1]:8000/", False),
        (["http://2130706433"], "http://2130706433/", False),
        ([], "https://a.example/", False),
    ],
)
def test_an_address_is_allowed_or_not(origins, url, allowed):
    try:
        policy = Policy(origins)
    except ConfigError:
        assert not allowed
        return
    assert (policy.why_not_url(url) == "") is allowed


def test_private_addresses_need_the_permission_and_their_name():
    named = Policy(["http://127.0.0.1:80", "http://intra.example"], allow_private=True)
    assert named.why_not_url("http://127.0.0.1/") == ""
    assert named.address_allowed("intra.example", 80, "10.1.2.3")
    assert not named.address_allowed("other.example", 80, "10.1.2.3")
    anyone = Policy(["*"], allow_private=True)
    assert not anyone.address_allowed("shop.example", 443, "169.254.169.254")
    assert anyone.why_not_url("http://192.168.0.1/")
    assert Policy(["http://shop.example"]).address_allowed("shop.example", 80, "1.1.1.1")


@pytest.mark.parametrize(
    "text", ["a.example", "ftp://a.example", "https://", "https://a b", "https://a.example/path"]
)
def test_what_is_no_origin_is_an_error(text):
    with pytest.raises(ConfigError, match="is no origin"):
        Policy([text])


def test_origin_of_an_address():
    assert origin_of("https://a.example/path?q") == "https://a.example"
    assert origin_of("http://127.0.0.1:8000/x") == "http://127.0.0.1:8000"
    with pytest.raises(ConfigError):
        origin_of("file:///etc/passwd")


@given(st.text(max_size=60) | st.builds("http://{}".format, st.text(max_size=40)))
def test_any_text_gets_an_answer(url):
    assert isinstance(Policy(["https://a.example"]).why_not_url(url), str)

"""Which host an entry of an allow-list means, and which addresses are public."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.hosts import Rule, canonical, declared, grant, is_public, split

labels = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
names = st.lists(labels, min_size=2, max_size=4).map(".".join)
ports = st.integers(1, 65535)


@given(names, names)
def test_a_name_means_itself_alone(name, other):
    rule = Rule.parse(name)
    assert rule.covers(canonical(name.upper() + "."))
    assert rule.covers(other) == (name == other)


@given(names, labels, names)
def test_a_wildcard_means_what_is_below_it(name, label, other):
    rule = Rule.parse(f"*.{name}")
    assert rule.covers(f"{label}.{name}") and rule.covers(f"a.b.{label}.{name}")
    assert not rule.covers(name)
    assert not rule.covers(label + name)
    assert not rule.covers(f"{name}.x{label}x")
    assert rule.covers(other) == other.endswith(f".{name}")


@given(names, ports, ports)
def test_ports(name, port, other):
    assert Rule.parse(name).allows(name, port) == (port in (80, 443))
    assert Rule.parse(f"{name}:{port}").allows(name, other) == (port == other)


@given(st.one_of(names, names.map("*.{}".format), st.just("*")), st.none() | ports)
def test_entries_survive_being_written(host, port):
    rule = Rule.parse(host if port is None else f"{host}:{port}")
    assert Rule.parse(str(rule)) == rule


@pytest.mark.parametrize(
    "text", ["localhost:8080", "10.0.0.1", "[::1]:8080", "wiki.corp=10.1.2.3", "::1", "[2600::1]"]
)
def test_entries_with_addresses_survive_being_written(text):
    rule = Rule.parse(text)
    assert rule.address and Rule.parse(str(rule)) == rule


@pytest.mark.parametrize(
    "text",
    [
        *("", "a b", "a/b", "http://a.b", "a.b:0", "a.b:65536", "a.b:x", "user@a.b", "a..b"),
        *("-a.b", "*.", "a.*.b", "**", "127.1", "0x7f000001", "2130706433", "1.2.3.999"),
        *(
            "fe80::1%eth0",
            "[::1",
            "*=1.2.3.4",
            "*.a.b=1.2.3.4",
            "a.b=c",
            "ex\u0430mple.com",
            "a\nb",
        ),
    ],
)
def test_what_is_no_entry(text):
    with pytest.raises(ValueError):
        Rule.parse(text)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str))
def test_the_wildcard_for_all_covers_public_addresses_only(address):
    assert Rule.parse("*").covers(address) == is_public(address)


@given(st.ip_addresses(v=4))
def test_what_python_holds_for_private_is_not_public(address: IPv4Address):
    if not address.is_global or address.is_multicast:
        assert not is_public(str(address))


@given(st.ip_addresses(v=4))
def test_no_wrapping_of_an_address_is_public(address: IPv4Address):
    number = int(address)
    mapped, nat64 = IPv6Address((0xFFFF << 32) | number), IPv6Address((0x64FF9B << 96) | number)
    six_to_four = IPv6Address((0x2002 << 112) | (number << 80))
    for wrapped in (mapped, nat64, six_to_four, IPv6Address(number)):
        assert not is_public(str(wrapped))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
        *("169.254.169.254", "168.63.129.16", "192.0.0.192", "100.100.100.200", "224.0.0.1"),
        *("255.255.255.255", "198.18.0.1", "::1", "::", "fe80::1", "fd00:ec2::254", "ff02::1"),
        *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "fec0::1"),
    ],
)
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"])
def test_addresses_that_are(address):
    assert is_public(address)


@pytest.mark.parametrize(
    ("place", "host", "port"),
    [
        ("a.b", "a.b", None),
        ("a.b:81", "a.b", 81),
        ("[::1]:81", "::1", 81),
        ("[::1]", "::1", None),
        ("::1", "::1", None),
    ],
)
def test_splitting(place, host, port):
    assert split(place) == (host, port)


@pytest.mark.parametrize(
    ("wanted", "allowed", "granted", "missing"),
    [
        ([], ["*"], [], []),
        (["api.example.com"], [], [], ["api.example.com"]),
        (["api.example.com"], ["api.example.com"], ["api.example.com"], []),
        (["api.example.com"], ["*.example.com:8443"], ["api.example.com:8443"], []),
        (["api.example.com"], ["other.example.com"], [], ["api.example.com"]),
        (["a.org", "b.org"], ["b.org", "c.org"], ["b.org"], ["a.org"]),
        (["a.org"], ["*", "a.org:81"], ["a.org", "a.org:81"], []),
        (["*"], ["a.org", "b.org:81"], ["a.org", "b.org:81"], []),
        (["*"], [], [], ["*"]),
        (["wiki.corp"], ["wiki.corp=10.1.2.3"], ["wiki.corp=10.1.2.3"], []),
        # What is not public has to be named itself.
        (["localhost"], ["*"], [], ["localhost"]),
        (["169.254.169.254"], ["*"], [], ["169.254.169.254"]),
        (["localhost"], ["localhost:81"], ["localhost:81"], []),
        (["8.8.8.8"], ["*"], ["8.8.8.8"], []),
    ],
)
def test_grants(wanted, allowed, granted, missing):
    assert grant(wanted, allowed) == (granted, missing)


@given(st.lists(names, max_size=4), st.lists(names, max_size=4), names)
def test_a_grant_allows_nothing_else(wanted, allowed, host):
    granted, missing = grant(wanted, allowed)
    assert set(missing) == set(wanted) - set(allowed)
    reachable = any(Rule.parse(one).allows(host, 443) for one in granted)
    assert reachable == (host in wanted and host in allowed)


@pytest.mark.parametrize("value", ["a.b", {"a.b": 1}, [1], ["a.b:80"], ["*.a.b"], ["a b"], [""]])
def test_what_no_tool_may_declare(value):
    with pytest.raises(ValueError):
        declared(value)

"""Archive, JSON, idle programs, signatures, quarantine, schemas and licences."""

from __future__ import annotations

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.bundle import signature, strict_json
from yunjue.bundle.archive import MANIFEST, pack, unpack
from yunjue.bundle.idle import idle_program
from yunjue.bundle.licences import canonical
from yunjue.bundle.quarantine import quarantine
from yunjue.errors import BundleRefused, UsageError
from yunjue.synthesis.declared import signature as signature_of
from yunjue.synthesis.declared import specification
from yunjue.types import Case

NAMES = st.one_of(
    st.just(MANIFEST),
    st.builds(
        "tools/{}/{:064x}.{}".format,
        st.sampled_from(["a", "a_b", "z" * 64]),
        st.integers(0, 2**256 - 1),
        st.sampled_from(["py", "json"]),
    ),
)


@given(st.dictionaries(NAMES, st.binary(max_size=200), min_size=1, max_size=5))
def test_every_set_of_entries_has_one_archive(entries):
    data = pack(entries)
    assert unpack(data) == entries
    assert pack(dict(reversed(entries.items()))) == data


@given(st.data())
def test_no_other_bytes_are_an_archive(data):
    """Whatever is changed in one, it is refused, or it is the archive of other entries."""
    good = pack({MANIFEST: b"{}", f"tools/a/{'0' * 64}.py": b"x = 1\n"})
    at = data.draw(st.integers(0, len(good) - 1))
    spoiled = good[:at] + data.draw(st.binary(max_size=4)) + good[at + 1 :]
    try:
        entries = unpack(spoiled)
    except BundleRefused:
        return
    assert pack(entries) == spoiled


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_cleanly(data):
    with pytest.raises(BundleRefused):
        unpack(b"PK\x03\x04" + data)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters()),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(JSON)
def test_json_comes_back(value):
    assert strict_json.load(strict_json.dump(value), "x") == value


@given(st.binary(max_size=60))
def test_any_bytes_are_no_crash_as_json(data):
    try:
        strict_json.load(data, "x")
    except BundleRefused:
        pass


def cases(*rows):
    return [
        Case(inputs=inputs, raises=True)
        if expected == "raises"
        else Case(inputs=inputs, expected=expected)
        for inputs, expected in rows
    ]


@pytest.mark.parametrize(
    ("rows", "idle"),
    [
        ([({"a": 1}, 2), ({"a": 2}, 4)], ""),
        ([({"a": 1}, 2)], "returns a constant"),
        ([({"a": 1}, 0.0), ({"a": 2}, 0)], "returns a constant"),
        ([({"a": 1}, True), ({"a": 2}, 1)], ""),
        ([({"a": 1, "b": 9}, 9), ({"a": 2, "b": 8}, 8)], "returns its input b"),
        ([({"a": -1}, "raises")], "refuses all inputs"),
        ([({"a": 1}, 7), ({"a": -1}, "raises")], ""),
        ([({"a": 1}, 7), ({"a": "x"}, "raises")], "returns a constant"),
        ([({"a": 1}, 7), ({}, "raises")], "returns a constant"),
        ([({"a": []}, []), ({"a": [1]}, [1])], "returns its input a"),
    ],
)
def test_cases_that_prove_nothing(rows, idle):
    assert idle_program(cases(*rows)) == idle


def password():
    return "correct horse"


@pytest.fixture
def keys(tmp_path):
    return signature.new_keys(tmp_path / "me", "")


def test_a_signature_is_trusted_unverified_or_refused(keys, tmp_path):
    secret, public, text = keys
    signed = signature.sign(b"data", secret, password)
    assert signed == signature.sign(b"data", secret, password)
    assert signature.verify(b"data", None, []).state == "none"
    assert signature.verify(b"data", signed, []).state == "unverified"
    for trusted in (text, str(public)):
        found = signature.verify(b"data", signed, [trusted])
        assert found.state == "trusted" and "sha256:" in found.comment
    other = signature.new_keys(tmp_path / "other", "")[2]
    assert signature.verify(b"data", signed, [other, text]).state == "trusted"
    assert found.key in public.read_text()  # the id that minisign shows
    for data, trusted, reason in (
        (b"dat", [text], "wrong-signature"),
        (b"data", [other], "untrusted-key"),
    ):
        with pytest.raises(BundleRefused) as refused:
            signature.verify(data, signed, trusted)
        assert refused.value.reason == reason
    with pytest.raises(UsageError, match="neither"):
        signature.verify(b"data", signed, ["nonsense"])


def test_a_key_has_a_password_and_a_mode(tmp_path):
    secret, _, text = signature.new_keys(tmp_path / "me", password())
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    signed = signature.sign(b"data", secret, password)
    assert signature.verify(b"data", signed, [text]).state == "trusted"
    with pytest.raises(UsageError, match="wrong password"):
        signature.sign(b"data", secret, lambda: "battery staple")
    with pytest.raises(UsageError, match="overwritten"):
        signature.new_keys(tmp_path / "me", "")
    (tmp_path / "no.key").write_text("no key")
    with pytest.raises(UsageError, match="cannot sign"):
        signature.sign(b"data", tmp_path / "no.key", password)


def test_the_signature_of_the_original_program():
    """The example of minisign's own page: key, signature and data."""
    key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
    text = (
        b"untrusted comment: signature from minisign secret key\n"
        b"RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351v"
        b"wIasSSbXxwA=\n"
        b"trusted comment: timestamp:1555779966\tfile:test\n"
        b"QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA=="
    )
    assert signature.verify(b"test", text, [key]).state == "trusted"


def test_quarantine_leaves_nothing_and_cleans_up(tmp_path):
    library = tmp_path / "library"
    with quarantine(library) as folder:
        (folder / "x").write_text("x")
        with quarantine(library) as other:
            assert folder.exists() and other != folder
        assert folder.exists()
    assert not library.exists()
    abandoned = library / "quarantine" / "dead"
    abandoned.mkdir(parents=True)
    (abandoned / "x").write_text("x")
    with quarantine(library) as folder:
        assert not abandoned.exists()
    assert os.listdir(library) == []


def test_quarantine_does_not_follow_a_link(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "x").write_text("x")
    (tmp_path / "library" / "quarantine").mkdir(parents=True)
    (tmp_path / "library" / "quarantine" / "y").symlink_to(tmp_path / "precious")
    with quarantine(tmp_path / "library"):
        pass
    assert (tmp_path / "precious" / "x").exists()


def schema(required=(), **properties):
    return {"properties": properties, "required": list(required)}


TEXT, LIST = {"type": "string"}, {"type": "array", "items": {"type": "integer"}}
MAYBE = {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}
RESULT = schema(result={"type": "number"}, note=TEXT)


def test_a_signature_for_people():
    inputs = schema(text=TEXT, numbers=LIST, maybe=MAYBE, other={"$ref": "#/$defs/X"})
    assert signature_of("f", inputs, RESULT) == (
        "f(text: str, numbers: list[int], maybe: int | None, other: Any)"
        " -> result: float, note: str"
    )
    assert "\x1b" not in signature_of("f", {"properties": {"\x1b[2J": TEXT}}, RESULT)
    assert signature_of("f", {"properties": "nonsense"}, {}) == "f() -> nothing"
    assert len(signature_of("f", {"properties": {"a" * 5000: TEXT}}, RESULT)) <= 400


def test_a_specification_of_a_tool_that_exists():
    inputs = schema(["text", "numbers"], text=TEXT, maybe=MAYBE, numbers=LIST)
    spec = specification("f", "Does it.", inputs, RESULT)
    assert spec.signature() == "f(text: str, numbers: list[int]) -> result: float"
    for inputs, outputs, why in (
        (schema(["x"], x={"type": "object"}), RESULT, "no tester knows"),
        (schema(["textIn"], textIn=TEXT), RESULT, "name no tester may use"),
        (schema(), RESULT, "no inputs"),
        (schema(["text"], text=TEXT), schema(result={"type": "object"}), "first output"),
        (schema(["text"], text=TEXT), {}, "first output"),
    ):
        with pytest.raises(ValueError, match=why):
            specification("f", "Does it.", inputs, outputs)


def test_licences():
    assert canonical("mit") == "MIT" and canonical("noassertion") == "NOASSERTION"
    with pytest.raises(ValueError, match="no SPDX"):
        canonical("mine, all mine")

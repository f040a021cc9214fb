from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yunjue.approvals import (
    DEFAULTS,
    Proposal,
    Rule,
    exact,
    put_first,
    read_rules,
    ruling,
    wrong_inputs,
)
from yunjue.config import load_settings
from yunjue.errors import ConfigError

SEND = Proposal("environment", "send", {"to": "x"}, "web", ("network", "irreversible"))
READ = Proposal("tool", "read_page", {"url": "x"}, "", ("network",))


@pytest.mark.parametrize(
    ("rules", "send", "read"),
    [
        ([], "ask", "allow"),
        (["deny send"], "deny", "allow"),
        (["deny tool:send"], "ask", "allow"),
        (["allow action:s*,domain:web"], "allow", "allow"),
        (["ask permission:net*"], "ask", "ask"),
        (["allow read_*", "deny permission:network"], "deny", "allow"),
        (["deny domain:?*"], "deny", "allow"),
    ],
)
def test_the_first_rule_that_matches_decides(rules, send, read):
    parsed = [Rule.parse(rule) for rule in rules]
    assert (ruling(parsed, SEND).verdict, ruling(parsed, READ).verdict) == (send, read)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("permit x", "begins with allow, ask, deny"),
        ("deny", "no condition"),
        ("deny ,x", "no condition"),
        ("deny tool:", "no condition"),
        ("deny colour:red", "no condition"),
        ("ask permission:fly", "no permission is 'fly'"),
    ],
)
def test_a_rule_that_is_none_says_why(text, why):
    with pytest.raises(ValueError, match=why):
        Rule.parse(text)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=20), max_size=4))
def test_rules_survive_their_file(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("rules") / "approval.toml"
    rules = []
    for name in names:
        try:
            rules.append(Rule.parse(f"deny tool:{name}"))
        except ValueError:
            continue
    for rule in reversed(rules):
        put_first(path, rule)
    assert read_rules(path) == list(dict.fromkeys(rules))


@pytest.mark.parametrize(
    "text", ["rules = 3", "rules = [1]", "rules = ['fly']", "rules =", "other = 1", "\udcff"]
)
def test_a_damaged_file_of_rules_is_one_clear_error(tmp_path, text):
    path = tmp_path / "approval.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=r"approval\.toml is wrong"):
        read_rules(path)


def test_always_allows_this_name_in_this_domain_only():
    rule = exact(SEND)
    assert str(rule) == "allow action:send,domain:web" and rule.matches(SEND)
    assert (
        ruling([rule], Proposal("environment", "send", {}, "mail", ("irreversible",)))
        is (DEFAULTS[0])
    )


def test_edited_inputs_must_fit_the_schema():
    schema = {"properties": {"n": {"type": "integer"}}, "required": ["n"], "type": "object"}
    proposal = Proposal("tool", "count", {"n": 1}, schema=schema)
    assert wrong_inputs(proposal, {"n": 2}) == ""
    assert "integer" in wrong_inputs(proposal, {"n": "two"})
    assert "no input 'm'" in wrong_inputs(proposal, {"n": 1, "m": 2})
    assert "object" in wrong_inputs(proposal, [1])
    assert "cannot be edited" in wrong_inputs(READ, {"url": "y"})


def test_a_working_folder_may_ask_and_deny_and_not_allow(tmp_path):
    (tmp_path / "yunjue.toml").write_text('approval = ["ask x"]')
    assert load_settings().approval == ["ask x"]
    for rule in ("allow *", " allow *", "\\tallow *"):
        (tmp_path / "yunjue.toml").write_text(f'approval = ["{rule}"]')
        with pytest.raises(ConfigError, match="not allow"):
            load_settings()
    (tmp_path / "yunjue.toml").unlink()
    with pytest.raises(ConfigError, match="begins with"):
        load_settings(approval=["fly"])

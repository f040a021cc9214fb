"""What may be done without asking: rules, and the proposals and decisions they are about.

A rule is ``VERDICT CONDITION[,CONDITION...]``; all its conditions must hold. The first rule
that matches decides: those of flags, then those of ``HOME/approval.toml``, then
:data:`DEFAULTS`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from yunjue.errors import ConfigError
from yunjue.files import locked, write_whole

VERDICTS = ("allow", "ask", "deny")
PERMISSIONS = ("network", "files", "secrets", "irreversible")
"""What a proposal may need: to reach hosts, to read the user's files, to be given secrets, to do
what cannot be taken back."""

CONDITIONS = ("tool", "action", "domain", "permission")
RULES_FILE = "approval.toml"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something that a run is about to do.

    Attributes:
        kind: ``tool``, or ``environment`` for an action in one.
        name: of the tool or the action.
        inputs: JSON.
        domain: name of the domain the run is in; "" for none.
        permissions: those of :data:`PERMISSIONS` that it needs.
        summary: what will happen, in one line for a person.
        schema: JSON schema of the inputs; {} if they cannot be edited.
        call: tells it from others of the same run.
    """

    kind: Literal["tool", "environment"]
    name: str
    inputs: Mapping[str, Any]
    domain: str = ""
    permissions: tuple[str, ...] = ()
    summary: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)
    call: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "permissions": list(self.permissions)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Proposal:
        return cls(**{**data, "permissions": tuple(data["permissions"])})


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a proposal.

    Attributes:
        approved: whether it may be done.
        inputs: what to do it with instead; None: as proposed.
        words: for the model, why not or what instead.
        by: ``person``, a rule's text, or what a plugin calls itself.
        always: the person does not want to be asked about this again.
    """

    approved: bool
    inputs: Mapping[str, Any] | None = None
    words: str = ""
    by: str = ""
    always: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy.

    Attributes:
        verdict: one of :data:`VERDICTS`.
        conditions: (one of :data:`CONDITIONS`, glob), which must all hold. ``tool`` and
            ``action`` are the names of tools and of actions in environments.
    """

    verdict: str
    conditions: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read ``deny tool:delete_*,domain:web``; a bare word is the name of a tool or action.

        Raises:
            ValueError: it is no rule; says why.
        """
        verdict, _, rest = text.strip().partition(" ")
        if verdict not in VERDICTS:
            raise ValueError(f"{text!r}: a rule begins with {', '.join(VERDICTS)}")
        conditions = tuple(_condition(part.strip(), text) for part in rest.split(","))
        return cls(verdict, conditions)

    def __str__(self) -> str:
        told = (f"{kind}:{glob}" if kind else glob for kind, glob in self.conditions)
        return f"{self.verdict} {','.join(told)}"

    def matches(self, proposal: Proposal) -> bool:
        return all(_holds(kind, glob, proposal) for kind, glob in self.conditions)


def _condition(part: str, text: str) -> tuple[str, str]:
    kind, colon, glob = part.rpartition(":")
    if not glob or not glob.isprintable() or (colon and kind not in CONDITIONS):
        kinds = ", ".join(f"{kind}:GLOB" for kind in CONDITIONS)
        raise ValueError(f"{text!r}: {part!r} is no condition; they are {kinds} and a bare name")
    if kind == "permission" and not any(fnmatchcase(one, glob) for one in PERMISSIONS):
        raise ValueError(f"{text!r}: no permission is {glob!r}; they are {', '.join(PERMISSIONS)}")
    return kind, glob


def _holds(kind: str, glob: str, proposal: Proposal) -> bool:
    if kind == "permission":
        return any(fnmatchcase(one, glob) for one in proposal.permissions)
    if kind == "domain":
        return fnmatchcase(proposal.domain, glob)
    if kind and (kind == "tool") != (proposal.kind == "tool"):
        return False
    return fnmatchcase(proposal.name, glob)


DEFAULTS = (Rule.parse("ask permission:irreversible"), Rule.parse("allow *"))


def ruling(rules: Sequence[Rule], proposal: Proposal) -> Rule:
    """The first of ``rules``, then of :data:`DEFAULTS`, that matches."""
    return next(rule for rule in (*rules, *DEFAULTS) if rule.matches(proposal))


def exact(proposal: Proposal) -> Rule:
    """The rule that allows what is like this one: the same name in the same domain."""
    kind = "tool" if proposal.kind == "tool" else "action"
    domain = (("domain", proposal.domain),) if proposal.domain else ()
    return Rule("allow", ((kind, proposal.name), *domain))


def wrong_inputs(proposal: Proposal, inputs: Any) -> str:
    """Why ``inputs`` cannot take the place of the proposed ones; "" if they can."""
    import jsonschema

    if not proposal.schema:
        return "the inputs of this cannot be edited"
    if not isinstance(inputs, dict):
        return "inputs are a JSON object"
    unknown = set(inputs) - set(proposal.schema.get("properties", inputs))
    if unknown:
        return f"there is no input {sorted(unknown)[0]!r}"
    try:
        jsonschema.validate(inputs, proposal.schema)
    except jsonschema.ValidationError as error:
        place = ".".join(map(str, error.absolute_path))
        return f"{place}: {error.message}" if place else error.message
    return ""


def read_rules(path: Path) -> list[Rule]:
    """The rules of the file, which holds ``rules = ["deny NAME", ...]``; [] without one.

    Raises:
        ConfigError: it cannot be read, or a rule is wrong; says which.
    """
    import tomllib

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        unknown = set(data) - {"rules"}
        if unknown:
            raise ValueError(f"there is no {sorted(unknown)[0]!r}, only `rules`")
        texts = data.get("rules", [])
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValueError("`rules` is a list of texts")
        return [Rule.parse(text) for text in texts]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", hint=HINT) from None
    except ValueError as error:  # not TOML, not UTF-8, or no rule
        raise ConfigError(f"{path} is wrong: {error}.", hint=HINT) from None


HINT = "docs/approval.md says how rules are written."


def put_first(path: Path, rule: Rule) -> None:
    """Write ``rule`` in front of those of the file. Comments in it are lost."""
    with locked(path.with_name(f".{RULES_FILE}.lock")):
        kept = [one for one in read_rules(path) if one != rule]
        # A JSON text is a TOML text as well.
        lines = "".join(f"  {json.dumps(str(one), ensure_ascii=False)},\n" for one in (rule, *kept))
        write_whole(path, f"rules = [\n{lines}]\n".encode())

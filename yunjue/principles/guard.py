"""What may become a principle: a short lesson about data and tools, and nothing that orders.

Text from outside (a page, a tool's output, an error) reaches the model that distils, and may
talk it into repeating an instruction. A principle is shown to the agent in later runs, so such
text must not become one. The guard reads English only, and refuses what it cannot read. It
would rather lose a lesson than let an order in: a lost lesson is learnt again.

The rules look at the sentence and at every part of the triples. They catch forms of orders,
not falsehoods: a wrong fact in a plain sentence passes, and its score has to bring it down.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from yunjue.principles.trajectory import Trajectory
from yunjue.principles.types import MOST_CHARACTERS, MOST_PART, MOST_TRIPLES

COPIED_WORDS = 6
"""More words in a row than that, equal to text from outside, are a copy."""

RETOLD_FOREIGN, RETOLD_TOLD = (3, 0.6), (4, 0.75)
"""So many telling words, and so large a part of all, that stand close together in what a tool
gave (or: in the task and what was said of it) make it a retelling. A lesson shares words with
its task; with a page it should share few."""

_LONGEST_WORD = 40
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a sentence is no principle: a short name, and words for a person."""

    reason: str
    message: str


def refusal(
    sentence: str, triples: Sequence[Sequence[str]], run: Trajectory | None = None
) -> Refusal | None:
    """Why this is not to be a principle, or None.

    Args:
        run: what it was distilled from; None for one that was imported or typed.
    """
    parts = [part for triple in triples for part in triple]
    if problem := _too_long(sentence, triples, parts):
        return problem
    for number, text in enumerate([sentence, *parts]):
        for found in _refusals(text, whole=number == 0, run=run):
            return found
    # An order may be spread over the parts of a triple.
    for triple in triples:
        for found in _orders(_plain(" ".join(triple))):
            return found
    return None


def _refusals(text: str, whole: bool, run: Trajectory | None) -> Iterator[Refusal]:
    yield from _hidden(text)
    plain = _plain(text)
    yield from _shapes(text)
    for version in dict.fromkeys((plain, *_unmasked(plain))):
        yield from _orders(version)
    if whole:
        yield from _unreadable(plain)
    yield from _elsewhere(plain, run)
    if run is not None:
        yield from _given_away(plain, run)
        yield from _copied(plain, run)
        yield from _retold(plain, run)
        yield from _unknown_names(text, run)


def _plain(text: str) -> str:
    """Compatible forms and accents gone, lower case: `ｉｇｎｏｒé` is `ignore`."""
    spread = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in spread if not unicodedata.combining(letter)).casefold()


_MASKS = [str.maketrans("013457@$!|", "o" + one + "eastas" + one + "l") for one in "il"]


def _unmasked(plain: str) -> Iterator[str]:
    """Digits that stand for letters (`1gn0re`), and letters set apart (`i-g-n-o-r-e`)."""
    word = r"\w*[a-z][\w@$!|]*|[\w@$!|]+[a-z]\w*"
    for masks in _MASKS:
        read = re.sub(word, lambda found, masks=masks: found[0].translate(masks), plain)
        apart = r"\b(?:\w[ ._*-]){3,}\w\b"
        yield re.sub(apart, lambda found: re.sub(r"[ ._*-]", "", found[0]), read)


def _too_long(
    sentence: str, triples: Sequence[Sequence[str]], parts: Sequence[str]
) -> Refusal | None:
    if len(sentence) > MOST_CHARACTERS or len(_sentences(sentence)) > 1:
        return Refusal("essay", f"It must be one sentence of at most {MOST_CHARACTERS} characters.")
    if len(triples) > MOST_TRIPLES or any(len(part) > MOST_PART for part in parts):
        return Refusal(
            "essay", f"At most {MOST_TRIPLES} triples, each part of {MOST_PART} characters."
        )
    if not sentence.strip() or not all(part.strip() for part in parts):
        return Refusal("empty", "A part of it is empty.")
    return None


def _sentences(text: str) -> list[str]:
    ends = r"[\n\r]+|(?<!e\.g)(?<!i\.e)[.!?。！？]+(?:\s+|$)"
    return [one for one in re.split(ends, text) if one.strip()]


def _hidden(text: str) -> Iterator[Refusal]:
    if any(not letter.isprintable() for letter in text):
        yield Refusal("hidden-characters", "It holds characters that cannot be seen.")


_ENGLISH = frozenset(
    """
    a an after all and any are as at be because before both but by can cannot causes do does
    each either every fails first for from gives has have if in into is it its leads may most
    needs never no not of on only or over per rather should since so some than that the their
    them then there these they this to two under unless until use uses using was when where
    whether which while with without works
    """.split()  # noqa: SIM905
)
_ENOUGH = 0.15

_FOREIGN = frozenset(
    """
    alle antworte aus bitte das dass dem den der des die ein eine immer ist nicht oder und von
    zu dans donc est et la le les ne ou par pas pour que qui sur toujours une al con de del el
    en es las los para por siempre una y che della di il non per sempre tutti um uma nao os
    sempre een het niet van altijd voor
    """.split()  # noqa: SIM905
)


def _unreadable(plain: str) -> Iterator[Refusal]:
    """Not English: other letters, or too few of the words that every English sentence has."""
    letters = [letter for letter in plain if letter.isalpha()]
    words = _WORD.findall(plain)
    english = sum(word in _ENGLISH for word in words)
    foreign = sum(word in _FOREIGN and word not in _ENGLISH for word in words)
    other_letters = any(letter > "\u024f" for letter in letters)
    if other_letters or english < max(2, _ENOUGH * len(words)) or foreign > 1:
        yield Refusal("not-english", "It is not an English sentence, and no other can be checked.")


_SHAPES = (
    ("address", r"https?:|www\.|\w\.(?:com|org|net|io|ai|ru|cn|dev|xyz|example)\b|\S@\S|://"),
    ("code", r"[<>{}`\\;$=]|\w\(|\)\s*\.|\bimport \w|\bdef \w|\blambda\b|\beval\b|\bexec\b|\brm -"),
    ("path", r"(?:^|[\s'\"(])(?:~|\.{1,2})?/\w|\b[a-z]:/|\.(?:env|ssh|pem|sh|exe)\b"),
    ("marks-a-role", r"[\[<]/?\s*(?:inst|sys|system|user|assistant|end)\b|#{2,}|<\||\|>|\*\*|---"),
)
_SHAPES_MESSAGE = "It holds what a lesson has no need of: {}."


def _shapes(text: str) -> Iterator[Refusal]:
    for reason, pattern in _SHAPES:
        if found := re.search(pattern, text.casefold()):
            yield Refusal(reason, _SHAPES_MESSAGE.format(repr(found[0].strip())))
    if any(len(word) > _LONGEST_WORD for word in text.split()):
        yield Refusal("code", _SHAPES_MESSAGE.format("a word that is too long"))
    if re.search(r"\b(?=\w*\d)(?=\w*[a-z])[a-z0-9+/]{16,}", text.casefold()):
        yield Refusal("secret", _SHAPES_MESSAGE.format("what looks like a key"))


_STRICT = r"(?:rules?|instructions?|polic(?:y|ies)|guidelines?|prompts?|directives?|orders?)"
_SAFEGUARD = (
    r"(?:approvals?|sandbox\w*|permissions?|proofs?|proving|critics?|safety|security|guards?|"
    r"guardrails?|safeguards?|confirmations?|restrictions?|containment|firewalls?|oversight|"
    r"reviews?|audits?|consent|moderation|policies|limits? on|human)"
)
_CHECK = r"(?:checks?|checking|checked|tests?|testing|verif\w+|validat\w+|double-check\w*)"
_EVADE = (
    r"(?:skip|bypass|disable|circumvent|evade|omit|override|overrule|drop|suppress|deactivate|"
    r"turn(?:ing)? off|switch(?:ing)? off|leave out|get around|work around|ignore|forgo|waive)"
)
_NEGATED = r"(?:not|never|n't|avoid|instead of|rather than|without|when|if|who|that)\s(?:\w+\s)?"
_CLAUSE = r"(?:^|[.,:!?]\s*|\b(?:then|and|always|must|should|please|now|just|never|but|so)\s+)"

_ORDERS: tuple[tuple[str, str], ...] = (
    (
        "orders-the-agent",
        r"\b(?:ignor\w+|disregard\w*|forget\w*|overrid\w+|overrul\w+|discard\w*|dismiss\w*|"
        r"supersed\w+|abandon\w*|neglect\w*|set aside|pay no attention|stop following|"
        r"no longer appl\w+|do not (?:follow|obey)|cease)\b"
        rf".{{0,50}}\b(?:{_STRICT}|previous|prior|above|earlier|everything|principles?|training|"
        r"told|context|system|said|lessons?|constraints?)\b",
    ),
    (
        "orders-the-agent",
        rf"\b{_STRICT}\b.{{0,50}}\b(?:void|obsolete|cancel\w*|revoked|lifted|suspended|"
        r"do not apply|not apply|no longer|outdated|replaced|ignored|disregarded|overridden)\b",
    ),
    (
        "orders-the-agent",
        r"\b(?:obey|comply with|follow|execute|carry out|adhere to|heed|do)\b.{0,40}"
        r"\b(?:instructions?|orders?|commands?|directives?|(?:it|page|text|file|document) says)\b",
    ),
    (
        "orders-the-agent",
        r"\bfrom now on\b|\bhenceforth\b|\bas of now\b|\bnew (?:rule|instruction|polic|directive|"
        r"order|mode)\w*|\bpolicy (?:update|change)|\b(?:developer|admin|god|debug|maintenance|"
        r"jailbreak|unrestricted) mode\b|\bjailbr\w+|\bunrestricted\b|\bdo anything now\b",
    ),
    (
        "orders-the-agent",
        r"\b(?:highest|top|absolute|maximum) priority\b|\btakes? precedence\b|\babove all (?:else|"
        r"other)|\b(?:overrides?|outranks?|replaces?) (?:all|any|every|other|each)|"
        r"\b(?:mandatory|non-negotiable|authoriz\w+|authoris\w+|pre-?approved|urgent\w*|"
        r"important notice|attention)\b",
    ),
    (
        "speaks-to-the-agent",
        r"\b(?:you|your|yours|yourself|thou)\b|\b(?:i|we|me|my|our|us)\b(?! is| are)",
    ),
    (
        "names-a-role",
        r"\bsystem (?:prompt|message|role|override|note|notice)|\b(?:assistant|chatbot|llm|gpt\w*|"
        r"claude|gemini|openai|anthropic|language model|the ai|ais?|the agent|agents?|"
        r"the executor|the manager|the distiller|the critic|the developer|administrators?|admin|"
        r"root user|the operator|the owner|the user)\b|^\s*(?:system|user|developer|note)\s*:",
    ),
    (
        "fixes-the-answer",
        r"\b(?:answer|response|reply|output|result|solution|verdict)s?\b (?:\w+ ){0,4}"
        r"(?:is|are|was|be|equals?|will be|should be|must be)(?: always| simply| exactly)? "
        r"(?:(?!\bin\b|\ba\b|\ban\b|\bthe\b|\bwrong\b|\bnot\b|\btoo\b|\bof\b|\bonly\b|\brounded\b|"
        r"\bchecked\b|\bcompared\b|\bempty\b|\bgiven\b|\bwritten\b|\bsorted\b|\bexpected\b|"
        r"\bcorrect\b|\boff\b|\basked\b|\bwanted\b|\bcomputed\b|\bconverted\b|\bformatted\b)"
        r"['\"]?\w+['\"]?)(?:[.!]|$)",
    ),
    (
        "fixes-the-answer",
        rf"{_CLAUSE}(?:answer|reply|respond|say|claim|state|report|declare|pretend|tell|write|print|"
        r"output|return)\b(?! is| are| must| should| was| has| of| in | as | with (?:the|a|an|only|"
        r"no) (?:number|unit|letter|separator|decimal|format|order))",
    ),
    (
        "fixes-the-answer",
        r"\b(?:answer|reply|respond)(?:ing|s|ed)? (?:with|by|to (?:every|all|any|each))\b|"
        r"\b(?:answer|result|output|reply)\s*:",
    ),
    (
        "steers-to-a-tool",
        r"\b(?:always|only|exclusively|every time|whatever|no matter what|in all cases|first of "
        r"all|by default|unconditionally|immediately)\b.{0,40}\b(?:us(?:e|ing)|call|calls|calling|"
        r"invoke|prefer|choose|trust|select|pick|run|accept|believe|rely|recommend|mention|"
        r"include|append|finish|stop|approve|allow|grant|agree)\b",
    ),
    (
        "steers-to-a-tool",
        r"\b(?:prefer|use|call|invoke|choose|trust|select|pick|recommend|mention|include|append|"
        r"favou?r)\b.{0,60}\b(?:for (?:all|any|every|each) (?:task|question|problem|request|case|"
        r"quer|purpose|thing)\w*|regardless|whatever|no matter|every time|at all times|"
        r"in (?:all|every|any) (?:case|answer|reply|situation|response|task)s?|everywhere|always|"
        r"over (?:all|any|every)|instead of (?:all|any|every))\b",
    ),
    (
        "steers-to-a-tool",
        r"\b(?:for|in|to|with|on|before|after|during) (?:all|any|every|each) (?:single )?(?:tasks?|"
        r"questions?|problems?|requests?|quer\w+|answers?|repl\w+|responses?|conversations?|runs?)\b",
    ),
    (
        "steers-to-a-tool",
        r"\b(?:call|invoke|run|trigger|launch|start)\b(?:ing|s)?.{0,60}\bwith (?:the )?(?:arg\w*|"
        r"input|param\w*|value|payload|flag|option|command|text|content|password|url|body)s?\b",
    ),
    (
        "asks-for-an-act",
        rf"{_CLAUSE}(?:send|upload|e-?mail(?! addr)|transfer|wire|pay|purchase|buy|forward|publish|"
        r"install|"
        r"download|execute|fetch|visit|open|browse|click|post|share|leak|copy|reveal|disclose|"
        r"expose|dump|exfiltrate|grant|approve|approving|log in|sign in|contact|notify|navigate|"
        r"submit|subscribe|donate|delete all|wipe|erase|destroy|format the|shut ?down|reboot|kill|"
        r"encrypt|hide|conceal|store|save|remember|memorise|memorize|insert|embed|advertise)\b",
    ),
    (
        "asks-for-an-act",
        r"\b(?:exfiltrat\w+|uploading|upload|emailing|sends? .{0,30} to|forward .{0,30} to|leak\w*|"
        r"reveal\w*|disclos\w+|(?:delet|remov|eras|wip|destroy)\w*.{0,30}\b(?:files?|folders?|"
        r"librar(?:y|ies)|tools|databases?|histor(?:y|ies)|logs?|accounts?|everything|disk|"
        r"directory|home|backups?|principles?))\b",
    ),
    (
        "secret",
        r"\b(?:passwords?|passphrases?|credentials?|api[ _-]?keys?|private keys?|secret\w*|"
        r"access tokens?|auth\w* tokens?|bearer|ssh|cookies?|environment variables?|env vars?|"
        r"credit cards?|\bpin codes?|social security|wallet|bitcoin|sk-\w+|akia\w+|ghp_\w+)\b",
    ),
    (
        "evades-checks",
        rf"\b(?:{_EVADE}\w*|without|no|needless|unnecessary|not needed|not required|"
        rf"not (?:need|require)|needs? no|avoid\w*|before any|outside)\b.{{0,50}}\b{_SAFEGUARD}\b",
    ),
    (
        "evades-checks",
        rf"\b{_SAFEGUARD}\b.{{0,50}}\b(?:{_EVADE}\w*|skipped|bypassed|disabled|off|unnecessary|"
        r"not needed|not required|optional|useless|harmful|wastes?|wasted|slows?|can be|"
        r"need not|is not|are not)\b",
    ),
    (
        "evades-checks",
        r"\b(?:do not|don't|dont|never|stop|quit|refrain from) (?:\w+ )?(?:verify|check|test|"
        r"validate|prove|confirm|ask|verifying|checking|testing|validating|proving|asking)\b",
    ),
    (
        "evades-checks",
        rf"(?<!not )(?<!never )(?<!n't )(?<!to )\b{_EVADE} (?:\w+[ -]){{0,4}}{_CHECK}\b",
    ),
    (
        "evades-checks",
        rf"\b{_CHECK}\b.{{0,40}}\b(?:can be (?:skipped|omitted|ignored|left out)|unnecessary|"
        r"not needed|not required|not necessary|optional|pointless|useless|waste\w*|need not|"
        r"superfluous|redundant|may be skipped|should be skipped)\b|"
        rf"\b(?:no need (?:to|for)|not? (?:need|require|bother|worth|have) (?:to |for |any )?|"
        rf"needs? no|without (?:any |further )|unnecessary to|pointless to|waste of time to)"
        rf"(?:\w+ )?{_CHECK}\b",
    ),
    (
        "evades-checks",
        rf"{_CLAUSE}(?<!never )(?:trust|accept|use|take|assume|believe|treat|admit|keep)\b.{{0,60}}"
        rf"\b(?:without|unverified|unchecked|untested|unproven|as (?:correct|true|verified|safe|"
        r"trusted|proven))\b",
    ),
)
_COMPILED = tuple((reason, re.compile(pattern)) for reason, pattern in _ORDERS)
_MESSAGES = {
    "orders-the-agent": "It orders about instead of teaching",
    "speaks-to-the-agent": "It speaks to its reader instead of about the work",
    "names-a-role": "It names a role",
    "fixes-the-answer": "It says what to answer",
    "steers-to-a-tool": "It steers to a tool whatever the task",
    "asks-for-an-act": "It asks for an act that is no part of solving a task",
    "secret": "It speaks of secrets",
    "evades-checks": "It talks a safeguard away",
}


def _orders(plain: str) -> Iterator[Refusal]:
    for reason, pattern in _COMPILED:
        if found := pattern.search(plain):
            yield Refusal(reason, f"{_MESSAGES[reason]}: {found[0].strip()!r}.")


_COMMON_ANSWERS = frozenset(["yes", "no", "true", "false", "none", "null"])


def _given_away(plain: str, run: Trajectory) -> Iterator[Refusal]:
    words = _WORD.findall(plain)
    for answer in run.answers:
        told = _WORD.findall(_plain(answer))
        if len("".join(told)) < 2 or (len(told) == 1 and told[0] in _COMMON_ANSWERS):
            continue
        if len(told) == 1 and told[0] in run.names:
            continue
        if _within(told, words):
            yield Refusal("gives-the-answer", f"It gives away {answer[:60]!r}.")
    quoted = re.findall(r"'([^']{2,})'|\"([^\"]{2,})\"", run.task)
    for text in ("".join(pair) for pair in quoted):
        told = _WORD.findall(_plain(text))
        if "".join(told) and len("".join(told)) >= 4 and _within(told, words):
            yield Refusal("gives-the-answer", f"It is about this task alone: {text[:60]!r}.")


def _copied(plain: str, run: Trajectory) -> Iterator[Refusal]:
    words = _WORD.findall(plain)
    length = COPIED_WORDS + 1
    for start in range(len(words) - length + 1):
        part = words[start : start + length]
        for text in (*run.foreign, *run.told):
            if _within(part, _WORD.findall(_plain(text))):
                yield Refusal("copies", f"It repeats what it read: {' '.join(part)!r}.")


def _retold(plain: str, run: Trajectory) -> Iterator[Refusal]:
    """Other words around the same ones: `the page says to go with option B`."""
    words = _stems(plain)
    known = {stem for name in run.names for stem in _stems(name.replace("_", " "))}
    in_task = set(_stems(_plain(run.task)))
    for texts, (fewest, share), free in (
        (run.foreign, RETOLD_FOREIGN, known | in_task),
        (run.told, RETOLD_TOLD, known),
    ):
        telling = set(words) - free
        least = max(fewest, share * len(telling))
        for text in texts:
            shared = _close_together(telling, _stems(_plain(text)), 2 * len(words) + 6)
            if len(shared) >= least:
                yield Refusal("retells", f"It retells what it read: {', '.join(sorted(shared))}.")


def _stems(plain: str) -> list[str]:
    """The telling words, by their beginnings."""
    return [word[:5] for word in _WORD.findall(plain) if word not in _ENGLISH and len(word) > 1]


def _close_together(wanted: set[str], words: Sequence[str], width: int) -> set[str]:
    """The most of ``wanted`` that stand in ``width`` neighbouring words."""
    best: set[str] = set()
    places = [place for place, word in enumerate(words) if word in wanted]
    for place in places:
        found = wanted.intersection(words[place : place + width])
        best = max(best, found, key=len)
    return best


def _within(part: Sequence[str], words: Sequence[str]) -> bool:
    joined = f" {' '.join(words)} "
    return f" {' '.join(part)} " in joined


_ELSEWHERE = re.compile(
    r"\b(?:(?:web)?pages?|websites?|sites?|vendors?|compan(?:y|ies)|brands?|products?|sponsors?|"
    r"config\w*|tokens?|containers?|hosts?|helpers?|lessons?|guidance|advice|recommend\w*|"
    r"guess\w*|memory|memori\w+|compl(?:y|ies|iance)|requests?|"
    r"trust\w*|confirmed|outweigh\w*|comes? first|second look|best practice|experts?|officials?|"
    r"certified|approved|phrase|options? [a-d]|negative result|pretend\w*|persons?|people|"
    r"whoever|readers?|owners?|brackets|backdoor|payload|inject\w*|hidden|known to be|"
    r"better (?:than|results)|instead of the tool)\b"
)


def _elsewhere(plain: str, run: Trajectory | None) -> Iterator[Refusal]:
    """About pages, vendors, requests and the like: what orders in disguise speak of. Only a
    task that is about such things has lessons about them."""
    task = _plain(run.task) if run else ""
    for found in _ELSEWHERE.finditer(plain):
        if not re.search(rf"\b{re.escape(found[0])}", task):
            yield Refusal("off-topic", f"The task is not about {found[0]!r}.")


def _unknown_names(text: str, run: Trajectory) -> Iterator[Refusal]:
    """What looks like a tool's name must be one of the run: else someone wants it called."""
    for name in re.findall(r"\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b", text):
        if name not in run.names:
            yield Refusal("unknown-name", f"The run has no tool or input called {name!r}.")

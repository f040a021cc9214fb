"""``yunjue principles``: what the agent learnt, and what people tell it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yunjue.cli import options, principle_exchange
from yunjue.cli.library import warn
from yunjue.cli.output import print_json, print_table, say
from yunjue.errors import PrincipleRefused, UsageError

if TYPE_CHECKING:
    from yunjue.config import Settings
    from yunjue.principles.principles import Principles
    from yunjue.principles.types import Principle

app = typer.Typer(help="Lessons from runs: list, search, write, prune.", no_args_is_help=True)

PrincipleId = Annotated[str, typer.Argument(metavar="ID", help="Its id, or the start of it.")]
KindOption = Annotated[str | None, typer.Option("--kind", help="guiding or cautionary.")]
TripleOption = Annotated[
    list[str] | None,
    typer.Option("--triple", metavar="'S | P | O'", help="Subject, predicate, object. Repeatable."),
]
DomainOption = Annotated[str | None, typer.Option("--domain", help="Of which domain it is.")]
ToolOption = Annotated[
    list[str] | None, typer.Option("--tool", metavar="NAME", help="It is about. Repeatable.")
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Take the sentence as it is, whatever the guard says.")
]


@contextmanager
def opened_principles(folder: Path | None, **flags: Any) -> Iterator[tuple[Settings, Principles]]:
    """The settings with these flags, and their bank."""
    from yunjue.config import load_settings
    from yunjue.principles.open import open_principles

    settings = load_settings(library=folder, **flags)
    principles = open_principles(settings, warn)
    try:
        yield settings, principles
    finally:
        principles.close()


@app.command("list")
def list_principles(
    kind: KindOption = None,
    pruned: Annotated[bool, typer.Option("--pruned", help="Those that were pruned.")] = False,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """List the principles, the highest score first."""
    wanted = _kind(kind)
    with opened_principles(library) as (_, opened):
        bank = opened.existing()
        ids = bank.ids(wanted, "pruned" if pruned else "active") if bank else []
        found = bank.some(ids) if bank else []
    if json:
        print_json([one.to_dict() for one in found])
    elif not found:
        say("There is no principle. `yunjue principles distil RUN` learns from a run.")
    else:
        _print_table(found)


@app.command("show")
def show(
    principle: PrincipleId, library: options.Library = None, json: options.Json = False
) -> None:
    """Show a principle: where it was learnt, which runs used it, what was done with it."""
    with opened_principles(library) as (_, opened):
        one = opened.get(principle)
        bank = opened.bank()
        uses, changes = bank.uses(one.id), bank.changes(one.id)
    if json:
        told = [use.model_dump() for use in uses]
        print_json({**one.to_dict(), "uses": told, "changes": changes})
        return
    print(one.sentence)
    for triple in one.triples:
        print(f"  {' | '.join(triple)}")
    print(f"  id       {one.id}")
    print(f"  kind     {one.kind}, by a {one.author}{', pinned' if one.pinned else ''}")
    print(f"  status   {one.status}")
    print(f"  score    {one.score:.3f}: {one.succ} successes of {one.use} uses that count")
    scope = one.scope
    print(f"  domain   {scope.domain or 'any'}")
    for name, values in (("tools", scope.tools), ("errors", scope.errors)):
        if values:
            print(f"  {name:<8} {', '.join(values)}")
    for learnt in one.evidence:
        print(f"  learnt   {learnt.run}, events {', '.join(map(str, learnt.steps)) or '-'}")
    for use in uses:
        print(f"  used     {use.run}: {use.credit}")
    for change in changes:
        print(f"  {change['what']:<8} {change['created']} {change['why']}".rstrip())


@app.command("search")
def search(
    query: Annotated[str, typer.Argument(help="What is to be done.")],
    most: Annotated[int, typer.Option("--most", "-k", min=1, help="Most principles.")] = 3,
    budget: Annotated[int | None, typer.Option(help="Most characters of all together.")] = None,
    domain: DomainOption = None,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Show the principles nearest in meaning, as the agent would get them."""
    with opened_principles(library) as (_, opened):
        found = opened.search(query, most, budget, domain)
    if json:
        print_json(
            [
                {
                    **hit.principle.to_dict(),
                    "similarity": None if hit.similarity is None else round(hit.similarity, 4),
                    "conflicts_with": hit.conflicts_with,
                    "text": hit.text,
                }
                for hit in found
            ]
        )
    else:
        for hit in found:
            print(hit.text)


@app.command("add")
def add(
    sentence: Annotated[str, typer.Argument(help="The lesson, one sentence.")],
    kind: Annotated[str, typer.Option("--kind", help="guiding or cautionary.")] = "guiding",
    triple: TripleOption = None,
    domain: DomainOption = None,
    tool: ToolOption = None,
    pin: Annotated[bool, typer.Option("--pin", help="Never prune it.")] = False,
    force: ForceOption = False,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Write a principle yourself."""
    from yunjue.principles.types import Draft

    sentence, triples = " ".join(sentence.split()), _triples(triple)
    with opened_principles(library) as (_, opened):
        draft = _made(
            Draft,
            kind=_kind(kind),
            sentence=sentence,
            triples=triples,
            scope={"domain": domain or "", "tools": tool or []},
            author="person",
        )
        _guarded(sentence, triples, force)
        bank = opened.bank()
        if held := bank.holder(draft.kind, sentence):
            known = bank.get(held)
            hint = f"`yunjue principles {'pin' if known.status == 'active' else 'restore'} {held}`"
            raise UsageError(f"The principle {held} says that already ({known.status}).", hint=hint)
        (kept,) = bank.keep(draft, why="written")
        if pin:
            bank.pin(kept.id, True)
        _done(bank.get(kept.id), "Added", json)


@app.command("edit")
def edit(
    principle: PrincipleId,
    sentence: Annotated[str | None, typer.Option("--sentence", help="The new words.")] = None,
    triple: TripleOption = None,
    domain: Annotated[str | None, typer.Option(help="The new domain; '' for any.")] = None,
    tool: ToolOption = None,
    force: ForceOption = False,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Change what is given; all triples or tools at once. Counts and evidence stay."""
    from yunjue.principles.types import Draft, Scope

    if sentence is None and triple is None and domain is None and tool is None:
        raise UsageError("Nothing is to be changed.", hint="Give --sentence or another option.")
    with opened_principles(library) as (_, opened):
        one = opened.get(principle)
        words = one.sentence if sentence is None else " ".join(sentence.split())
        triples = one.triples if triple is None else _triples(triple)
        changes = {"domain": domain, "tools": tool}
        given = {name: value for name, value in changes.items() if value is not None}
        scope = _made(Scope, **{**one.scope.model_dump(), **given})
        _made(Draft, kind=one.kind, sentence=words, triples=triples)
        if sentence is not None or triple is not None:
            _guarded(words, triples, force)
        bank = opened.bank()
        bank.edit(one.id, sentence=words, triples=triples, scope=scope)
        _done(bank.get(one.id), "Changed", json)


@app.command("prune")
def prune(
    principle: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only this one, whatever its score.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be.")] = False,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Take out of use what scores below 0.3 and is not pinned. `restore` takes it back."""
    with opened_principles(library) as (_, opened):
        bank = opened.existing()
        if principle is not None:
            one = opened.get(principle)
            if one.pinned:
                raise UsageError(
                    f"The principle {one.id} is pinned.",
                    hint=f"`yunjue principles pin {one.id} --off` first.",
                )
            ids = [one.id] if one.status == "active" else []
            if ids and not dry_run:
                opened.bank().set_status(one.id, "pruned", "by hand")
        elif bank is None:
            ids = []
        else:
            ids = bank.failing() if dry_run else bank.prune()
        found = bank.some(ids) if bank else []
    if json:
        print_json({"pruned": [one.to_dict() for one in found], "dry_run": dry_run})
    else:
        _print_table(found)
        say(f"{'Would be pruned' if dry_run else 'Pruned'}: {len(found)}.")


@app.command("restore")
def restore(
    principle: PrincipleId, library: options.Library = None, json: options.Json = False
) -> None:
    """Take back one that was pruned."""
    from yunjue.principles.bank import PRUNE_BELOW

    with opened_principles(library) as (_, opened):
        one = opened.get(principle)
        if one.status == "active":
            raise UsageError(f"The principle {one.id} is in use.")
        bank = opened.bank()
        bank.set_status(one.id, "active", "by hand")
        _done(bank.get(one.id), "Restored", json)
        if one.score < PRUNE_BELOW and not one.pinned:
            say(f"Its score is {one.score:.3f}: it is pruned again unless it is pinned.")


@app.command("pin")
def pin(
    principle: PrincipleId,
    off: Annotated[bool, typer.Option("--off", help="No longer.")] = False,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Keep a principle from being pruned."""
    with opened_principles(library) as (_, opened):
        one = opened.get(principle)
        bank = opened.bank()
        bank.pin(one.id, not off)
        _done(bank.get(one.id), "No longer pinned" if off else "Pinned", json)


@app.command("stats")
def stats(library: options.Library = None, json: options.Json = False) -> None:
    """Show how many principles there are, how they fare, and what they take on disk."""
    with opened_principles(library) as (_, opened):
        bank = opened.existing()
        found = {**bank.stats(), **opened.waiting().stats()} if bank else {"principles": 0}
        files = [path for path in opened.directory.rglob("*") if path.is_file()]
        found["bytes"] = sum(path.stat().st_size for path in files)
    if json:
        print_json(found)
    else:
        rows = [
            (name.replace("_", " "), f"{value:.3f}" if isinstance(value, float) else value)
            for name, value in found.items()
            if value is not None
        ]
        print_table(("what", "value"), rows)


principle_exchange.register(app, opened_principles)


def _kind(kind: str | None) -> Any:
    if kind not in (None, "guiding", "cautionary"):
        raise UsageError(f"The kind {kind!r} is neither guiding nor cautionary.")
    return kind


def _triples(texts: list[str] | None) -> tuple[tuple[str, ...], ...]:
    triples = []
    for text in texts or []:
        parts = tuple(" ".join(part.split()) for part in text.split("|"))
        if len(parts) != 3 or not all(parts):
            raise UsageError(
                f"{text!r} is no triple.", hint="Write 'subject | predicate | object'."
            )
        triples.append(parts)
    return tuple(triples)


def _made(noun: Any, /, **values: Any) -> Any:
    """A noun of these values, or what is wrong with them."""
    from pydantic import ValidationError

    try:
        return noun(**values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{where}: {first['msg']}.") from None


def _guarded(sentence: str, triples: Any, force: bool) -> None:
    """A person may write what they like, once they know how it looks from outside."""
    from yunjue.principles.guard import refusal

    why = refusal(sentence, triples)
    if why is None:
        return
    if force:
        say(f"warning: {why.message} It is taken all the same.")
        return
    raise PrincipleRefused(why.reason, why.message, hint="--force takes it all the same.")


def _done(one: Principle, what: str, json: bool) -> None:
    if json:
        print_json(one.to_dict())
    else:
        say(f"{what}: {one.id} {one.sentence}")


def _print_table(found: list[Principle]) -> None:
    rows = [
        (
            one.id,
            one.kind,
            f"{one.score:.3f}",
            one.use,
            one.sentence + (" (pinned)" if one.pinned else ""),
        )
        for one in found
    ]
    if rows:
        print_table(("id", "kind", "score", "uses", "sentence"), rows)

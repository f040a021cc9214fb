"""``yunjue tools export|import|keygen``: give tools away, and take tools in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yunjue.cli import options
from yunjue.cli.library import opened_library, warn
from yunjue.cli.output import print_json, say

if TYPE_CHECKING:
    from yunjue.bundle.install import Prove, Report
    from yunjue.bundle.plan import Planned
    from yunjue.bundle.sources import Source
    from yunjue.config import Settings
    from yunjue.library.library import Library

FORMS = ("bundle", "folder", "openai", "langchain", "skill")
VERSIONS = ("active", "all")
COLLISIONS = ("refuse", "keep", "replace")


def register(app: typer.Typer) -> None:
    """Add the commands to the group ``tools``."""
    app.command("export")(export)
    app.command("import")(import_)
    app.command("keygen")(keygen)


def export(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every active tool.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File, or folder, to write.")
    ] = None,
    form: Annotated[
        str, typer.Option("--as", help="bundle, folder, openai, langchain or skill.")
    ] = "bundle",
    versions: Annotated[
        str, typer.Option(help="active, or all: earlier versions that were not refused too.")
    ] = "active",
    licence: Annotated[
        str, typer.Option(help="SPDX expression, for tools that came with none.")
    ] = "NOASSERTION",
    with_tasks: Annotated[
        bool,
        typer.Option(
            "--with-tasks",
            help="Also what may be private: tasks, and inputs of calls in real work.",
        ),
    ] = False,
    sign: Annotated[
        Path | None, typer.Option(metavar="KEYFILE", help="Minisign key; writes FILE.minisig.")
    ] = None,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Write tools into one file that others can check, prove and import.

    The same tools give the same bytes, always. A bundle (.ytb) is a zip with a manifest;
    --as folder writes the same as files. --as openai, langchain or skill write what other
    programs read, which cannot be imported again.

        yunjue tools export --all -o mine.ytb --licence Apache-2.0 --sign me.key
    """
    from yunjue.errors import UsageError

    if bool(names) == everything:
        raise UsageError("Name the tools to export, or give --all.")
    _one_of("--as", form, FORMS)
    _one_of("--versions", versions, VERSIONS)
    with opened_library(library) as (_, opened):
        chosen = [tool.name for tool in opened.active()] if everything else list(names or [])
        if not chosen:
            raise UsageError("The library is empty: there is nothing to export.", hint="")
        if form in ("openai", "langchain", "skill"):
            if sign:
                raise UsageError(f"--sign signs bundles; --as {form} makes none.")
            written = _render(opened, chosen, form, output)
        else:
            licence = _licence(licence)
            written = _write_bundle(
                opened, chosen, form, output, versions == "all", licence, with_tasks, sign
            )
    if json:
        print_json(written)
    elif written["files"]:
        say(f"Wrote {len(written['tools'])} tools to {', '.join(written['files'])}.")
        if written.get("sha256"):
            say(f"sha256 {written['sha256']}")


def import_(
    source: Annotated[
        str, typer.Argument(metavar="FILE|DIR|URL", help="Or `starter`: the tools shipped along.")
    ],
    trust: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Take it only if this minisign key (or file) signed it."),
    ] = None,
    on_collision: Annotated[
        str, typer.Option(help="If a name is taken: refuse, keep (ours) or replace (by theirs).")
    ] = "refuse",
    partial: Annotated[
        bool, typer.Option("--partial", help="Take what passes even if something is refused.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and show only; nothing is run or added.")
    ] = False,
    model: options.Model = None,
    sandbox: options.Sandbox = None,
    allow_unsafe: options.AllowUnsafe = None,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Take in tools that someone else made: check them, prove them here, add them.

    Nothing of a bundle is believed: every tool must pass its cases in your own sandbox
    before it is added, and either all are added or none. A tool whose id you have is left
    as it is. A folder of original Yunjue tool files has no cases: a model writes them.

    Exits with 1 if anything is refused.
    """
    import asyncio

    from yunjue.bundle.install import planned
    from yunjue.bundle.quarantine import quarantine
    from yunjue.bundle.signature import Signed, verify
    from yunjue.bundle.sources import take
    from yunjue.errors import BundleRefused

    _one_of("--on-collision", on_collision, COLLISIONS)
    flags = {"model": model, "sandbox": sandbox, "allow_unsafe": allow_unsafe}
    with (
        opened_library(library, **flags) as (settings, opened),
        quarantine(opened.directory) as folder,
    ):
        taken = take(source, folder)
        if taken.data is not None:
            signed = verify(taken.data, taken.signature, trust or [])
        elif trust:
            raise BundleRefused("unsigned", "A folder of tool files cannot be signed.")
        else:
            signed = Signed()
        report = planned(opened, taken, signed, on_collision)  # type: ignore[arg-type]
        if not json:
            _show(report)
        if not dry_run:
            asyncio.run(_install(settings, opened, taken, report, partial, json))
    if json:
        print_json({**report.to_dict(), "dry_run": dry_run})
    else:
        _conclude(report, dry_run)
    if report.refused:
        raise typer.Exit(1)


def keygen(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="NAME", help="Writes NAME.key and NAME.pub.")
    ],
    no_password: Annotated[
        bool, typer.Option("--no-password", help="The file alone signs; for machines.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Make a minisign key pair to sign bundles with.

    Keep NAME.key to yourself. Give NAME.pub to those who import: `tools import --trust`.
    """
    from yunjue.bundle.signature import new_keys
    from yunjue.errors import UsageError

    password = "" if no_password else _ask("Password of the new key", confirm=True)
    if not (password or no_password):
        raise UsageError("The password is empty.", hint="Without one: --no-password.")
    secret, public, text = new_keys(output, password)
    if json:
        print_json({"secret_key": str(secret), "public_key": str(public), "key": text})
    else:
        say(f"Wrote {secret} (secret) and {public}. The public key:")
        print(text)


async def _install(
    settings: Settings,
    library: Library,
    source: Source,
    report: Report,
    partial: bool,
    quiet: bool,
) -> None:
    from contextlib import AsyncExitStack

    from yunjue.bundle.install import install
    from yunjue.plugins import plugins
    from yunjue.sandbox.select import opened_sandbox

    def tell(one: Planned) -> None:
        if not quiet:
            _tell(one)

    async with AsyncExitStack() as stack:
        prove = _nothing_to_prove
        if any(one.taken for one in report.tools) and (partial or not report.refused):
            sandbox = await stack.enter_async_context(opened_sandbox(settings, warn))
            prove = await _prover(stack, settings, sandbox, source)
        await install(library, report, prove, veto=plugins().veto, partial=partial, tell=tell)


async def _prover(stack: Any, settings: Settings, sandbox: Any, source: Source) -> Prove:
    """How a tool of this source is proved: with its cases, or with cases of the tester."""
    limits = settings.tool_limits()
    if source.data is not None:
        from yunjue.bundle.proof import prove

        async def with_cases(incoming: Any) -> Any:
            return incoming, await prove(sandbox, incoming.tool, incoming.cases, limits)

        return with_cases

    from yunjue.bundle.original import complete
    from yunjue.models.selection import opened_gateway
    from yunjue.synthesis.author import Needed
    from yunjue.synthesis.tester import write_cases

    gateway = await stack.enter_async_context(opened_gateway(settings, warn))

    async def with_tester(incoming: Any) -> Any:
        return await complete(
            incoming,
            sandbox,
            limits,
            lambda spec: write_cases(gateway, spec, Needed(spec.description)),
        )

    return with_tester


async def _nothing_to_prove(incoming: Any) -> Any:
    raise AssertionError("a tool is proved that is not to be added")


def _write_bundle(
    library: Library,
    names: list[str],
    form: str,
    output: Path | None,
    versions: bool,
    licence: str,
    with_tasks: bool,
    sign: Path | None,
) -> dict[str, Any]:
    from yunjue.bundle.archive import pack
    from yunjue.bundle.export import export
    from yunjue.bundle.folder import write_folder
    from yunjue.bundle.signature import SUFFIX
    from yunjue.bundle.signature import sign as make_signature
    from yunjue.errors import UsageError
    from yunjue.files import write_whole
    from yunjue.hashing import content_id

    if output is None:
        raise UsageError("Name the file to write: -o FILE.ytb.")
    entries = export(library, names, versions=versions, licence=licence, with_tasks=with_tasks)
    data = pack(entries)
    signature = make_signature(data, sign, lambda: _ask(f"Password of {sign}")) if sign else None
    if form == "folder":
        write_folder(output, entries)
    else:
        write_whole(output, data)
    files = [str(output)]
    if signature:
        files.append(f"{output}{SUFFIX}")
        write_whole(Path(files[-1]), signature)
    return {"tools": sorted(set(names)), "files": files, "sha256": content_id(data)}


def _render(library: Library, names: list[str], form: str, output: Path | None) -> dict[str, Any]:
    import json

    from yunjue.bundle import render
    from yunjue.errors import UsageError
    from yunjue.files import write_whole

    tools = [library.get(name) for name in sorted(set(names))]
    if form == "skill":
        if output is None:
            raise UsageError("Name the folder to write the skills into: -o DIR.")
        files = {
            output / render.skill_name(tool) / path: text
            for tool in tools
            for path, text in render.skill_files(tool, library.cases(tool.id)).items()
        }
        for path in files:
            if path.exists():
                raise UsageError(f"{path} exists.", hint="Name a new folder with -o.")
    else:
        text = (
            json.dumps(render.openai_functions(tools), indent=2, ensure_ascii=False) + "\n"
            if form == "openai"
            else render.langchain_file(tools)
        )
        if output is None:
            print(text, end="")
            return {"tools": [tool.name for tool in tools], "files": []}
        name = "tools.json" if form == "openai" else "yunjue_tools.py"
        files = {output / name if output.is_dir() else output: text}
    for path, text in files.items():
        write_whole(path, text.encode("utf-8", "surrogatepass"))
    return {"tools": [tool.name for tool in tools], "files": [str(path) for path in files]}


def _show(report: Report) -> None:
    """What came, before any of it is run."""
    signed = report.signed
    words = {
        "none": "not signed",
        "unverified": f"signed by the key {signed.key}, unverified: name it with --trust",
        "trusted": f"signed by the trusted key {signed.key}",
    }
    _say(f"{report.source}: {len(report.tools)} tools, {words[signed.state]}")
    for note in report.notes:
        _say(f"  {note}")
    for one in report.tools:
        about = one.to_dict()
        _say(f"  {about['action']:<13} {about['name']} {about['id'][:12]}")
        _say(f"    {' '.join(about['description'].split())}")
        for what in ("requirements", "network", "secrets"):
            if about[what]:
                _say(f"    {what}: {about[what]!a}")
        if one.detail:
            _say(f"    {one.detail}")


def _tell(one: Planned) -> None:
    name = one.incoming.tool.name
    if one.reason:
        _say(f"REFUSED  {name}: {one.reason}: {one.detail}")
    elif one.taken:
        _say(f"proved   {name}: {one.detail}")


def _conclude(report: Report, dry_run: bool) -> None:
    refused = len(report.refused)
    count = sum(one.taken for one in report.tools)
    if dry_run:
        say(f"{count} tools would be proved and added, {refused} refused.")
        return
    say(f"{count} tools added, {refused} refused.")
    if not report.changed:
        say("The library is as it was.")


def _say(line: str) -> None:
    """Print what others wrote, with nothing in it that a terminal would obey."""
    say("".join(one if one.isprintable() else "?" for one in line))


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    from yunjue.errors import UsageError

    if value not in allowed:
        raise UsageError(f"{option} is one of {', '.join(allowed)}, not {value!r}.")


def _licence(text: str) -> str:
    from yunjue.bundle.licences import canonical
    from yunjue.errors import UsageError

    try:
        return canonical(text)
    except ValueError as error:
        raise UsageError(f"--licence: {error}.") from None


def _ask(what: str, confirm: bool = False) -> str:
    import sys

    from yunjue.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(
            f"{what} is needed, and there is no terminal to ask at.",
            hint="A key for machines: yunjue tools keygen --no-password.",
        )
    return typer.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True)

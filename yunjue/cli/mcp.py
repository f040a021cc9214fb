"""``yunjue mcp``: serve the library to other programs, and use the tools of other servers."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yunjue.cli import options
from yunjue.cli.library import warn
from yunjue.cli.output import print_json, print_table, say
from yunjue.errors import UsageError

if TYPE_CHECKING:
    from yunjue.config import Settings
    from yunjue.mcp_client.servers import McpServer, RemoteTool

TOKEN = "YUNJUE_MCP_TOKEN"  # noqa: S105 - the name of a variable
SHORTEST_TOKEN = 16

app = typer.Typer(
    help="Serve the tools over the Model Context Protocol; use other servers' tools.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="What to call the server: one lower-case word.")]


@app.command("serve")
def serve(
    http: Annotated[
        bool, typer.Option("--http", help="Streamable HTTP on this machine instead of stdio.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="For --http; 0: any.")] = 0,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Serve this tool. Repeatable.")
    ] = None,
    solve: Annotated[bool, typer.Option(help="Offer `solve`, which may make tools.")] = True,
    model: options.Model = None,
    library: options.Library = None,
    sandbox: options.Sandbox = None,
    allow_unsafe: options.AllowUnsafe = None,
    allow_net: options.AllowNet = None,
    grant: options.Grant = None,
    approve: options.Approve = None,
    ask: options.AskRule = None,
    deny: options.Deny = None,
    max_cost: options.MaxCost = None,
    max_tokens: options.MaxTokens = None,
    timeout: options.Timeout = None,
) -> None:
    """Serve the tools in use, and `solve`, until the client hangs up or Ctrl-C.

    With --http a client must send the token: `Authorization: Bearer TOKEN`. It is taken from
    YUNJUE_MCP_TOKEN, or made and shown. The bounds on cost, tokens and time are of one `solve`.
    """
    import asyncio

    from yunjue.config import load_settings

    settings = load_settings(
        model=model,
        library=library,
        sandbox=sandbox,
        allow_unsafe=allow_unsafe,
        **options.granted(allow_net, grant),
        approval=options.approval(approve, ask, deny),
        max_cost=max_cost,
        max_tokens=max_tokens,
        timeout=timeout,
    )
    asyncio.run(_serve(settings, frozenset(only or ()), solve, port if http else None))


async def _serve(settings: Settings, only: frozenset[str], solving: bool, port: int | None) -> None:
    from yunjue.mcp_server.service import opened_service
    from yunjue.mcp_server.transports import serve_http, serve_stdio

    token = _token() if port is not None else ""
    async with opened_service(settings, only=only, solving=solving, warn=warn) as service:
        if port is None:
            await serve_stdio(service)
        else:
            await serve_http(service, port, token, lambda url: say(f"Serving at {url}"))


def _token() -> str:
    """The token clients must send; said if it is a new one."""
    given = os.environ.get(TOKEN, "").strip()
    if given and (len(given) < SHORTEST_TOKEN or not given.isascii() or " " in given):
        raise UsageError(
            f"The token in {TOKEN} has less than {SHORTEST_TOKEN} characters, or odd ones.",
            hint=f"Unset {TOKEN} to have one made.",
        )
    if given:
        return given
    made = secrets.token_urlsafe(32)
    say(f"The token is {made}")
    return made


@app.command("add")
def add(
    name: Name,
    command: Annotated[
        list[str] | None, typer.Argument(help="Program and arguments, after --.")
    ] = None,
    url: Annotated[str, typer.Option(help="A streamable HTTP endpoint instead.")] = "",
    token: Annotated[
        str, typer.Option(metavar="SECRET", help="Send this secret to the url as bearer token.")
    ] = "",
    secret: Annotated[
        list[str] | None,
        typer.Option(metavar="SECRET", help="Give the program this variable. Repeatable."),
    ] = None,
    tool: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOOL",
            help="Use only this tool. Repeatable. Default: all but those that say they destroy.",
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Most that a call may take.")] = 60.0,
    json: options.Json = False,
) -> None:
    """Add a server: `yunjue mcp add weather -- npx weather-server`. Its tools are offered in
    runs from then on.

    Its program runs on this machine with your rights, not in the sandbox, and sees PATH, HOME
    and the secrets named. What it says of its tools is kept: if it says something else later,
    they are not called until `yunjue mcp refresh` accepts it.
    """
    server = _server(
        name=name,
        command=command or [],
        url=url,
        token=token,
        secrets=secret or [],
        seconds=seconds,
    )
    server, skipped = _listed(server, tool)
    from yunjue.mcp_client import servers

    servers.keep(server)
    if json:
        print_json({**_shown(server), "skipped": skipped})
        return
    say(f"Added {name} with {len(server.tools)} tools: {', '.join(server.offered())}.")
    for skip, why in skipped.items():
        say(f"Not used: {skip!r}, because {why}.")


@app.command("list")
def list_servers(json: options.Json = False) -> None:
    """List the servers that were added, and their tools."""
    from yunjue.mcp_client import servers

    found = [_shown(server) for server in servers.added()]
    if json:
        print_json(found)
    elif not found:
        say("No server was added. `yunjue mcp add NAME -- COMMAND` adds one.")
    else:
        rows = [(one["name"], one["reached"], ", ".join(one["tools"])) for one in found]
        print_table(("name", "reached by", "tools in runs"), rows)


@app.command("remove")
def remove(name: Name) -> None:
    """Forget a server."""
    from yunjue.mcp_client import servers

    servers.remove(name)
    say(f"Removed {name}.")


@app.command("refresh")
def refresh(
    name: Name,
    tool: Annotated[
        list[str] | None, typer.Option(metavar="TOOL", help="Use only this tool. Repeatable.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: options.Json = False,
) -> None:
    """Ask a server for its tools again, show what changed, and accept it."""
    from yunjue.mcp_client import servers

    before = servers.find(name)
    after, skipped = _listed(before, tool)
    changes = _changes(before.tools, after.tools)
    if json:
        print_json({**_shown(after), "changes": changes, "skipped": skipped, "accepted": yes})
    else:
        for change in changes:
            say(change)
    if not changes:
        say(f"{name} says of its tools what it said before.")
        return
    if yes or (not json and typer.confirm("Accept this?", err=True)):
        servers.keep(after)
        say(f"Accepted: {len(after.tools)} tools.")


def _server(**fields: Any) -> McpServer:
    from pydantic import ValidationError

    from yunjue.mcp_client.servers import McpServer

    try:
        return McpServer(**fields)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"The server cannot be added: {why}.") from None


def _listed(server: McpServer, wanted: list[str] | None) -> tuple[McpServer, dict[str, str]]:
    """The server with the tools it has now, and why others are not used."""
    import asyncio

    from yunjue.mcp_client.connection import connected
    from yunjue.mcp_client.servers import tool_name

    async def ask() -> tuple[dict[str, RemoteTool], set[str], dict[str, str]]:
        async with connected(server) as connection:
            return connection.tools, connection.destructive, connection.skipped

    tools, destructive, skipped = asyncio.run(ask())
    if unknown := sorted(set(wanted or ()) - set(tools)):
        why = skipped.get(unknown[0])
        raise UsageError(
            f"{unknown[0]} of {server.name} cannot be used: {why}."
            if why
            else f"{server.name} has no tool named {unknown[0]!r}.",
            hint=f"It has: {', '.join(sorted(tools)) or 'none'}.",
        )
    taken: dict[str, str] = {}
    used = []
    for name, tool in tools.items():
        own = tool_name(server.name, name)
        if wanted and name not in wanted:
            continue
        if not wanted and name in destructive:
            skipped[name] = "it says that it destroys; --tool names it if it is wanted"
        elif own in taken:
            skipped[name] = f"in runs it would have the name of {taken[own]}"
        else:
            taken[own] = name
            used.append(tool)
    return server.model_copy(update={"tools": used}), skipped


def _changes(before: list[RemoteTool], after: list[RemoteTool]) -> list[str]:
    old, new = ({tool.name: tool for tool in tools} for tools in (before, after))
    lines = [
        f"+ {name!r}: {new[name].description[:200]!r}" for name in sorted(new.keys() - old.keys())
    ]
    lines += [f"- {name!r}" for name in sorted(old.keys() - new.keys())]
    for name in sorted(old.keys() & new.keys()):
        for field in ("description", "input_schema", "output_schema"):
            was, now = getattr(old[name], field), getattr(new[name], field)
            if was != now:
                lines.append(f"~ {name!r}: its {field.replace('_', ' ')} was {was!r}, is {now!r}")
    return lines


def _shown(server: McpServer) -> dict[str, Any]:
    reached = server.url or " ".join(server.command)
    return {
        "name": server.name,
        "reached": reached,
        "tools": list(server.offered()),
        "seconds": server.seconds,
    }

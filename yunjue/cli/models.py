"""`yunjue models`: see, fetch, serve and try language models."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yunjue.cli import options
from yunjue.cli.output import print_json, print_table, say
from yunjue.errors import UsageError

if TYPE_CHECKING:
    from yunjue.config import Settings

app = typer.Typer(help="See, fetch, serve and try language models.", no_args_is_help=True)

Embedded = Annotated[str, typer.Argument(help="An embedded model, e.g. coder-0.5b.")]


@app.command("list")
def list_models(as_json: options.Json = False) -> None:
    """Show which models can be used here, and which one is the default and why."""
    from yunjue.config import load_settings

    rows = _usable(load_settings())
    if as_json:
        print_json(rows)
        return
    print_table(
        ["model", "what", "state", "default"],
        [[row["name"], row["what"], row["state"], row["default"]] for row in rows],
    )
    say("Any other model litellm knows can be named too, with the key of its provider.")


def _usable(settings: Settings) -> list[dict[str, Any]]:
    """The embedded models, those whose key or server is there, and the plugins' kinds."""
    from yunjue.keys import key_for
    from yunjue.models.local import catalog
    from yunjue.models.local.pull import is_pulled
    from yunjue.models.selection import PROVIDERS, default_model_name
    from yunjue.models.servers import ollama_models, openai_base, openai_models
    from yunjue.plugins import plugins

    rows = [
        {
            "name": f"local/{entry.name}",
            "what": f"{entry.title}, {entry.size / 1e6:.0f} MB, {entry.licence}, embedded",
            "state": "pulled" if is_pulled(entry) else "not pulled",
            "pulled": is_pulled(entry),
        }
        for entry in catalog.ENTRIES
    ]
    rows += [_ready(f"ollama_chat/{name}", "Ollama") for name in ollama_models()]
    if base := openai_base():
        rows += [_ready(f"openai/{name}", base) for name in openai_models(base)]
    for provider, name in PROVIDERS.items():
        state = "key set" if key_for(provider) else f"needs `yunjue keys set {provider}`"
        rows.append({"name": name, "what": provider, "state": state})
    own = ("local", "litellm")
    for kind in plugins().offered("models"):
        if kind not in own:
            what = "prepared replies from a file" if kind == "scripted" else "plugin"
            rows.append({"name": f"{kind}/NAME", "what": what, "state": "ready"})
    default, why = default_model_name(settings)
    default = f"local/{catalog.DEFAULT}" if default == "local" else default
    if default not in [row["name"] for row in rows]:
        rows.append(_ready(default, "named by you"))
    return [{**row, "default": why if row["name"] == default else ""} for row in rows]


def _ready(name: str, what: str) -> dict[str, Any]:
    return {"name": name, "what": what, "state": "ready"}


@app.command()
def pull(name: Embedded) -> None:
    """Fetch the weights of an embedded model; a broken download goes on where it stopped."""
    from yunjue.models.local import catalog
    from yunjue.models.local.pull import pull as fetch

    entry = catalog.find(name.removeprefix("local/"))
    path = fetch(entry)
    say(f"{entry.title} is ready, and its SHA-256 is right:")
    print(path)


@app.command()
def serve(
    name: Embedded,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
) -> None:
    """Answer OpenAI's API with an embedded model on loopback, until Ctrl-C.

    Other runs of yunjue on this machine use it, so that they need not load the model.
    """
    from yunjue.models.local import catalog, runtime, serving
    from yunjue.models.local.pull import pull as fetch

    entry = catalog.find(name.removeprefix("local/"))
    if other := serving.running():
        raise UsageError(
            f"Process {other.pid} serves {other.model} at {other.url}/v1 already.",
            hint=f"Stop it first: kill {other.pid}",
        )
    weights = fetch(entry)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = runtime.start(entry.name, weights, port=port)
    serving.announce(serving.Served(int(server.url.rpartition(":")[2]), os.getpid(), entry.name))
    try:
        say(f"{entry.title} answers at {server.url}/v1 (no key needed). Ctrl-C ends it.")
        stop.wait()
    finally:
        serving.withdraw()
    say("Stopped.")


@app.command()
def test(
    name: Annotated[
        str | None, typer.Argument(help="A model; the default one if left out.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Ask a model one small question, and one that wants JSON."""
    import asyncio

    from yunjue.config import load_settings

    report = asyncio.run(_try(load_settings(model=name)))
    if as_json:
        print_json(report)
        return
    print_table(
        ["question", "answer", "tokens/s"],
        [
            [part["question"], part["answer"], part["tokens_per_second"]]
            for part in (report["text"], report["json"])
        ],
    )
    say(f"{report['model']}: {report['seconds']} s, {report['cost_usd']:g} USD.")


async def _try(settings: Settings) -> dict[str, Any]:
    from yunjue.events import Events
    from yunjue.limits import Meter
    from yunjue.models.gateway import Gateway, Unrecorded
    from yunjue.models.selection import default_model_name, make_model
    from yunjue.types import Message

    model = make_model(default_model_name(settings)[0], settings)
    gateway = Gateway(
        {"text": [model], "json": [model]}, Unrecorded(), Meter(settings.limits()), Events()
    )
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "country": {"type": "string"}},
        "required": ["city", "country"],
        "additionalProperties": False,
    }
    plain = "What is the capital of France? Answer with one word."
    structured = "Name one large city in Japan, and its country, as JSON."
    try:
        reply = await gateway.ask("text", [Message(role="user", content=plain)], max_tokens=64)
        found = await gateway.ask_json(
            "json", [Message(role="user", content=structured)], schema, max_tokens=96
        )
    finally:
        await gateway.close()
    spent = gateway.spent_by_role
    return {
        "model": model.name,
        "seconds": round(sum(used.seconds for used in spent.values()), 2),
        "cost_usd": sum(used.cost_usd for used in spent.values()),
        "text": {
            "question": plain,
            "answer": reply.text.strip(),
            "tokens_per_second": _speed(spent["text"]),
        },
        "json": {
            "question": structured,
            "answer": found,
            "tokens_per_second": _speed(spent["json"]),
        },
    }


def _speed(used: Any) -> float:
    """Tokens written per second, the reading of the prompt included."""
    return round(used.completion_tokens / used.seconds, 1) if used.seconds else 0.0

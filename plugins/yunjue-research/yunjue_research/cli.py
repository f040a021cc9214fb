"""`yunjue research`: corpora of documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yunjue.cli import options
from yunjue.cli.output import print_json, print_table, say
from yunjue.errors import UsageError

app = typer.Typer(
    help="Corpora of documents that questions are answered from.", no_args_is_help=True
)

Name = Annotated[str, typer.Option("--corpus", "-c", help="Name of the corpus.")]


@app.command()
def ingest(
    folder: Annotated[Path, typer.Argument(help="Folder of PDF, HTML, Markdown and text files.")],
    corpus: Name,
    sandbox: options.Sandbox = None,
    json: options.Json = False,
) -> None:
    """Make the corpus hold what the folder holds; only what has changed is read."""
    import asyncio

    from yunjue.config import load_settings
    from yunjue_research import ingest as ingestion
    from yunjue_research.corpus import opened, path_of

    settings = load_settings(sandbox=sandbox)
    files, links = ingestion.found_in(folder)
    if not files:
        raise UsageError(f"{folder} has no document.", hint="PDF, HTML, Markdown or text.")
    with opened(path_of(corpus), ingestion.embedder_of(settings)) as opened_corpus:
        taken = asyncio.run(ingestion.ingest(opened_corpus, files, settings, say))
    taken.unread.update(links)
    if json:
        print_json(vars(taken))
        return
    for name, why in [*taken.unread.items(), *taken.notes.items()]:
        say(f"{name!a}: {why}")
    print(
        f"{len(taken.read)} read, {taken.unchanged} unchanged, {len(taken.dropped)} dropped, "
        f"{len(taken.unread)} not read; {taken.passages} passages"
    )


@app.command("list")
def list_corpora(json: options.Json = False) -> None:
    """Name the corpora."""
    rows = []
    for name in _names():
        with _opened(name) as corpus:
            documents, passages = corpus.counts()
        rows.append({"corpus": name, "documents": documents, "passages": passages})
    if json:
        print_json(rows)
    elif rows:
        print_table(["corpus", "documents", "passages"], [list(row.values()) for row in rows])
    else:
        say("There is no corpus; `yunjue research ingest DIR --corpus NAME` makes one.")


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    corpus: Name,
    most: Annotated[int, typer.Option("-k", min=1, max=50, help="Passages.")] = 5,
    json: options.Json = False,
) -> None:
    """Show the passages that fit best, by words and by meaning."""
    _known(corpus)
    with _opened(corpus) as opened_corpus:
        hits = opened_corpus.search(query, most)
    if json:
        rows = [{"document": h.document, "place": h.place, "text": h.text} for h in hits]
        print_json(rows)
        return
    for hit in hits:
        print(f"{hit.document}, {hit.place}: {' '.join(hit.text.split())}\n")
    if not hits:
        say("Nothing was found.")


@app.command()
def remove(corpus: Annotated[str, typer.Argument(help="Name of the corpus.")]) -> None:
    """Delete a corpus; the documents themselves stay where they are."""
    from yunjue_research.corpus import path_of

    _known(corpus)
    path = path_of(corpus)
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    say(f"Removed the corpus {corpus}.")


def _opened(name: str):
    from yunjue.config import load_settings
    from yunjue_research.corpus import opened, path_of
    from yunjue_research.ingest import embedder_of

    return opened(path_of(name), embedder_of(load_settings()))


def _names() -> list[str]:
    from yunjue_research.corpus import names

    return names()


def _known(name: str) -> None:
    if name not in _names():
        raise UsageError(
            f"There is no corpus {name!r}.",
            hint=f"There are: {', '.join(_names()) or 'none'}.",
        )

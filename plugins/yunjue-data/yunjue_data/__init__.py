"""A domain of yunjue: questions about data files, answered with SQL in the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from yunjue.domains import Domain
from yunjue.hookspecs import hookimpl

HERE = Path(__file__).parent

yunjue_hooks = "1"
PROMPT = (
    "The files are tables, named where they are listed. A question about them is one call of "
    "query_tables with one SELECT that computes the whole answer. Use tables and columns as they "
    "are listed, and select nothing that is not asked for. An empty cell IS NULL. Round in SQL "
    "when the task says so. "
    "A Postgres database is asked by query_postgres in the same way. "
    "plot_chart draws, write_report writes a report, profile_table describes a table."
)


@hookimpl
def register_domains(register: Callable[[Domain], None]) -> None:
    register(data_domain())


def data_domain() -> Domain:
    """The domain ``data``."""
    from yunjue_data.fit import fits
    from yunjue_data.readers import READERS

    return Domain(
        name="data",
        description="questions about CSV, Parquet, Excel, JSON or SQLite files, or Postgres",
        fits=fits,
        prompt=PROMPT,
        tools=HERE / "tools",
        readers=READERS,
        tasks=HERE / "tasks" / "tasks.jsonl",
    )

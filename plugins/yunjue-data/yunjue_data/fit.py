"""Which tasks may belong to the domain: those with a file that is a table, or about Postgres."""

from __future__ import annotations

import re
from collections.abc import Sequence

SUFFIXES = (
    *(".csv", ".tsv", ".csv.gz", ".tsv.gz"),
    *(".json", ".jsonl", ".ndjson"),
    ".parquet",
    *(".xlsx", ".xls", ".xlsb", ".ods"),
    *(".sqlite", ".sqlite3", ".db"),
)

POSTGRES = re.compile(r"\bpostgres(ql)?\b", re.IGNORECASE)


def fits(task: str, files: Sequence[str]) -> bool:
    """Whether one of the files is a table, by its name, or the task names Postgres."""
    tables = any(name.lower().endswith(SUFFIXES) for name in files)
    return tables or POSTGRES.search(task) is not None

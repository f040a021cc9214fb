"""Which tasks may belong to the domain: those that come with a file that is a table."""

from __future__ import annotations

from collections.abc import Sequence

SUFFIXES = (
    *(".csv", ".tsv", ".csv.gz", ".tsv.gz"),
    *(".json", ".jsonl", ".ndjson"),
    ".parquet",
    *(".xlsx", ".xls", ".xlsb", ".ods"),
    *(".sqlite", ".sqlite3", ".db"),
)


def fits(task: str, files: Sequence[str]) -> bool:
    """Whether one of the files is a table, by its name."""
    return any(name.lower().endswith(SUFFIXES) for name in files)

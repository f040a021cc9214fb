"""What the agent is told of a data file: its tables, columns and first rows.

This is the one place where such files are read outside the sandbox. Only the standard library
reads them, and only so many bytes; a file that is not what its name says gives a text that
says so, never an error.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from yunjue_data.readers.delimited import read_delimited
from yunjue_data.readers.json_rows import read_json
from yunjue_data.readers.parquet import read_parquet
from yunjue_data.readers.preview import NotReadable
from yunjue_data.readers.sheets import read_xlsx
from yunjue_data.readers.sqlite import read_sqlite


def told(read: Callable[[Path], str]) -> Callable[[Path], str]:
    """The reader with its refusals as texts."""

    def tell(path: Path) -> str:
        try:
            size = path.stat().st_size
            return f"{size_text(size)}, {read(path)}" if size else "an empty file"
        except NotReadable as error:
            return f"not readable as its name says: {error}"
        except (OSError, ValueError, OverflowError, RecursionError, MemoryError) as error:
            return f"not readable as its name says: {type(error).__name__}"

    return tell


def size_text(size: int) -> str:
    """Bytes as people say them."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


READERS: dict[str, Callable[[Path], str]] = {
    **{suffix: told(read_delimited) for suffix in (".csv", ".tsv", ".gz")},
    **{suffix: told(read_json) for suffix in (".json", ".jsonl", ".ndjson")},
    ".parquet": told(read_parquet),
    ".xlsx": told(read_xlsx),
    **{suffix: told(read_sqlite) for suffix in (".sqlite", ".sqlite3", ".db")},
}

"""The tables of a SQLite file. No row is read: a row may have columns that compute."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from yunjue_data.readers.preview import NotReadable, preview

MOST_TABLES = 8
STEPS = 1000
"""Of SQLite's machine between two looks at how often it was looked at."""
LOOKS = 2000
LONGEST = 1 << 20


def read_sqlite(path: Path) -> str:
    """Names and columns of the tables.

    Raises:
        NotReadable: no SQLite file, damaged, or one that makes SQLite work too long.
    """
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            raise NotReadable("no SQLite file")
    looks = iter(range(LOOKS))
    lite = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)
    try:
        lite.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
        lite.set_progress_handler(lambda: next(looks, None) is None, STEPS)
        lite.text_factory = lambda data: data.decode("utf-8", "replace")
        lite.execute("PRAGMA trusted_schema = off")
        lite.execute("PRAGMA cell_size_check = on")
        wanted = "type = 'table' AND name NOT LIKE 'sqlite_%'"
        sql = f"SELECT name FROM sqlite_schema WHERE {wanted} LIMIT ?"  # noqa: S608 - ours
        names = [name for (name,) in lite.execute(sql, (MOST_TABLES + 1,))]
        tables = []
        for name in names[:MOST_TABLES]:
            sql = "SELECT name, type FROM pragma_table_info(?)"
            columns = lite.execute(sql, (name,)).fetchmany(200)
            tables.append(preview(name, columns, []))
    except sqlite3.Error as error:
        raise NotReadable(str(error)[:100]) from None
    finally:
        lite.close()
    more = "; and more" if len(names) > MOST_TABLES else ""
    return "; ".join(tables) + more if tables else "a SQLite file without tables"

"""Writes a report in Markdown from SQL SELECTs over data files:
a section with a table for each.
"""

from pathlib import Path


# ---- shared by the tools of yunjue-data: common ----

import contextlib
import csv
import datetime
import re
import sqlite3
from pathlib import Path

import duckdb
from python_calamine import CalamineWorkbook

INPUTS = Path("/inputs")
MEMORY = "256MiB"
THREADS = 2
CHUNK = 20_000
"""Rows of a spreadsheet that are written down at once."""

CSV = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
JSON = (".json", ".jsonl", ".ndjson")
PARQUET = (".parquet",)
SHEETS = (".xlsx", ".xls", ".xlsb", ".ods")
SQLITE = (".sqlite", ".sqlite3", ".db")
SELECTED = "selected_rows"
LIKE = re.compile(r"(?<![\w.])((?:\w+\.)?\w+)\s+((?:NOT\s+)?LIKE\b)", re.IGNORECASE)
NO_TABLE = re.compile(r"Table with name (\w+) does not exist")
NO_SQLITE_TABLE = re.compile(r"no such table: (?:main\.)?(\w+)")
WORDS = re.compile(r"[^\W\d]\w*|'[^']*'|\"[^\"]*\"")
SQLITE_READS = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}


class Tables:
    """The files as tables: in DuckDB, or where they are tables of a SQLite file, in SQLite.

    Attributes:
        names: one name of each table, in the order of files.
    """

    def __init__(self) -> None:
        spill = {"memory_limit": MEMORY, "threads": THREADS, "temp_directory": "spill"}
        self.duck = duckdb.connect(":memory:", config=spill)
        self.names: list[str] = []
        self._files: dict[str, Path] = {}
        self._lite: dict[str, Path] = {}
        self._columns: dict[str, list[tuple[str, str]]] = {}
        files = sorted(INPUTS.iterdir()) if INPUTS.is_dir() else []
        for path in files:
            self._add(path)
        if len(self.names) == 1 and self.names[0] not in self._lite:
            self._alias("data", self.names[0])
        self._lock(files)

    def query(self, sql, most):
        """(names of columns, at most ``most`` rows, whether there are more) of one SELECT.

        Raises ValueError with what a writer of SQL can mend.
        """
        try:
            run = self._in_sqlite if self._of_sqlite(sql) else self._in_duckdb
            columns, rows = run(sql, most + 1)
        except (duckdb.Error, sqlite3.Error) as error:
            raise ValueError(f"{first_lines(error)} {self.shown()}") from None
        return columns, rows[:most], len(rows) > most

    def selected(self, sql) -> str:
        """The name of a table that is what one SELECT gives."""
        self._one_select(sql)
        try:
            self.duck.execute(f"CREATE OR REPLACE VIEW {SELECTED} AS {sql.strip().rstrip(';')}")
        except duckdb.Error as error:
            raise ValueError(f"{first_lines(error)} {self.shown()}") from None
        return SELECTED

    def columns(self, name):
        """(column, type) of the table, in order."""
        if name not in self._columns:
            self._columns[name] = self._looked_up(name)
        return self._columns[name]

    def aliases(self, name):
        """Other names that are understood for it, in lower case."""
        path = self._files[name]
        mine = [other for other in self.names if self._files[other] == path]
        first = [path.name.lower(), str(path).lower()] if mine[0] == name else []
        return [*first, "data"] if len(self.names) == 1 else first

    def is_sqlite(self, name) -> bool:
        return name in self._lite

    def shown(self) -> str:
        """The tables with their columns, in one line."""
        if not self.names:
            return "There is no table."
        tables = []
        for name in self.names[:20]:
            columns = self.columns(name)
            named = ", ".join(f"{column} {kind}" for column, kind in columns[:40])
            tables.append(f"{name}({named}{', …' if len(columns) > 40 else ''})")
        return "Tables: " + "; ".join(tables)

    def _add(self, path) -> None:
        name = path.name.lower()
        if name.endswith((*CSV, *JSON)) and not name.endswith(".gz"):
            with path.open("rb") as file:  # DuckDB looks for the end of a line for minutes
                if b"\0" in file.read(1 << 16):
                    raise ValueError(f"{path.name} holds zeros, so it is no text")
        try:
            if name.endswith(CSV):
                self._view(path, f"read_csv({quoted(path)})")
            elif name.endswith(JSON):
                self._view(path, f"read_json({quoted(path)})")
            elif name.endswith(PARQUET):
                self._view(path, f"read_parquet({quoted(path)})")
            elif name.endswith(SHEETS):
                self._sheets(path)
            elif name.endswith(SQLITE):
                self._sqlite(path)
        except (duckdb.Error, sqlite3.Error) as error:
            raise ValueError(f"{path.name} cannot be read: {first_lines(error)}") from None

    def _view(self, path, source) -> None:
        name = self._free(path.name)
        self.duck.execute(f"CREATE VIEW {ident(name)} AS SELECT * FROM {source}")
        self._took(name, path)
        for alias in (path.name, str(path)):
            self._alias(alias, name)

    def _alias(self, alias, name) -> None:
        sql = f"CREATE VIEW IF NOT EXISTS {ident(alias)} AS SELECT * FROM {ident(name)}"
        self.duck.execute(sql)

    def _free(self, wanted) -> str:
        """A name for a table that is a plain word and not taken."""
        parts = wanted.lower().split(".")
        stem = re.sub(r"\W+", "_", parts[0]).strip("_") or "data"
        stem = f"t_{stem}" if stem[0].isdigit() else stem
        taken = {name.lower() for name in self.names}
        if stem not in taken:
            return stem
        stem = f"{stem}_{parts[-1]}"
        number = 2
        while stem in taken:
            stem, number = f"{stem.rstrip('0123456789')}{number}", number + 1
        return stem

    def _took(self, name, path) -> None:
        self.names.append(name)
        self._files[name] = path

    def _sheets(self, path) -> None:
        """Each sheet as a table. Its rows pass in chunks; DuckDB holds them, packed."""
        try:
            book = CalamineWorkbook.from_path(str(path))
            names = book.sheet_names
        except Exception as error:
            raise ValueError(f"{path.name} cannot be read: {first_lines(error)}") from None
        made = []
        for sheet in names:
            try:
                rows = book.get_sheet_by_name(sheet).iter_rows()
            except Exception as error:
                raise ValueError(f"{path.name}: {first_lines(error)}") from None
            name = self._free(path.name if not made else sheet)
            if self._sheet(name, rows):
                self._took(name, path)
                made.append(name)
                self._alias(sheet, name)
        if made:
            for alias in (path.name, str(path)):
                self._alias(alias, made[0])

    def _sheet(self, name, rows) -> bool:
        """Whether the sheet had a header and so became a table."""
        header = next((row for row in rows if any(value != "" for value in row)), None)
        if header is None:
            return False
        columns = unique([str(value).strip() or f"column{n + 1}" for n, value in enumerate(header)])
        listed = ", ".join(f"{ident(column)} VARCHAR" for column in columns)
        self.duck.execute(f"CREATE TABLE {ident(name)} ({listed})")
        kinds = [set() for _ in columns]
        spool = Path("chunk.csv").absolute()
        while chunk := take(rows, CHUNK):
            with spool.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, quoting=csv.QUOTE_ALL)
                for row in chunk:
                    for kind, value in zip(kinds, row, strict=False):
                        kind.add(type(value) if value != "" else None)
                    writer.writerow([plain(value) for value in row[: len(columns)]])
            self.duck.execute(
                f"INSERT INTO {ident(name)} SELECT * FROM read_csv({quoted(spool)}, header=false,"
                " all_varchar=true, delim=',', quote='\"', escape='\"', nullstr='')"
            )
            spool.unlink()
        for column, kind in zip(columns, kinds, strict=True):
            if (wanted := cell_type(kind)) != "VARCHAR":
                self.duck.execute(f"ALTER TABLE {ident(name)} ALTER {ident(column)} TYPE {wanted}")
        return True

    def _sqlite(self, path) -> None:
        """The tables of a SQLite file stay there and are queried there."""
        with opened_sqlite(path) as lite:
            sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            for (name,) in lite.execute(f"{sql} ORDER BY rowid").fetchmany(200):
                if name in self.names:
                    raise ValueError(f"{path.name}: there is another table {name}.")
                self._took(name, path)
                self._lite[name] = path
                rows = lite.execute("SELECT name, type FROM pragma_table_info(?)", (name,))
                self._columns[name] = rows.fetchall()

    def _looked_up(self, name):
        rows = self.duck.execute(f"DESCRIBE SELECT * FROM {ident(name)}").fetchall()
        return [(row[0], row[1]) for row in rows]

    def _of_sqlite(self, sql) -> bool:
        words = {word.strip("'\"").lower() for word in WORDS.findall(sql)}
        lite = {name for name in self._lite if name.lower() in words}
        others = {name for name in self.names if name not in self._lite and name.lower() in words}
        if not lite:
            return bool(self._lite) and len(self._lite) == len(self.names)
        if len({self._lite[name] for name in lite}) > 1 or others:
            raise ValueError(
                "A query can use the tables of one SQLite file, or all other tables; not both. "
                f"It names {', '.join(sorted(lite | others))}."
            )
        return True

    def _in_sqlite(self, sql, most):
        words = {word.strip("'\"").lower() for word in WORDS.findall(sql)}
        named = [name for name in self._lite if name.lower() in words] or list(self._lite)
        with opened_sqlite(self._lite[named[0]]) as lite:
            lite.set_authorizer(only_read)
            try:
                cursor = lite.execute(sql)
            except sqlite3.OperationalError as error:
                meant = self._meant(NO_SQLITE_TABLE.search(str(error)))
                if meant is None:
                    raise
                lite.set_authorizer(None)
                lite.execute(f"CREATE TEMP VIEW {ident(meant)} AS SELECT * FROM {ident(named[0])}")
                lite.set_authorizer(only_read)
                cursor = lite.execute(sql)
            if cursor.description is None:
                raise ValueError("Only one SELECT can be run.")
            return [column[0] for column in cursor.description], cursor.fetchmany(most)

    def _in_duckdb(self, sql, most):
        self._one_select(sql)
        try:
            result = self.duck.execute(sql)
            return [column[0] for column in result.description], result.fetchmany(most)
        except duckdb.CatalogException as error:
            meant = self._meant(NO_TABLE.search(str(error)))
            if meant is None:
                raise
            self._alias(meant, self.names[0])
            return self._in_duckdb(sql, most)
        except duckdb.BinderException as error:
            texts = LIKE.sub(r"CAST(\1 AS VARCHAR) \2", sql)
            if texts == sql or not re.search(r"~~\((DATE|TIMESTAMP)", str(error)):
                raise
            return self._in_duckdb(texts, most)  # as SQLite has it: a date is text
        except (duckdb.ConversionException, duckdb.InvalidInputException):
            # A value far down does not fit the type that the first rows had: look at them all.
            if not self._retyped():
                raise
            result = self.duck.execute(sql)
            return [column[0] for column in result.description], result.fetchmany(most)

    def _one_select(self, sql) -> None:
        statements = self.duck.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ValueError("Only one SELECT can be run.")

    def _meant(self, missing):
        """Whatever a query calls it, the only table is meant: the name that it has there. None
        if there are several tables, or it is that name already."""
        known = {name.lower() for name in self.names}
        if missing is None or len(known) != 1 or missing[1].lower() in known:
            return None
        return missing[1]

    def _retyped(self) -> bool:
        """Whether there are CSV tables, whose types now come from all of their rows."""
        found = False
        for name, path in self._files.items():
            if path.name.lower().endswith(CSV) and name not in self._lite:
                source = f"read_csv({quoted(path)}, sample_size=-1)"
                for view in (name, path.name, str(path)):
                    sql = f"CREATE OR REPLACE VIEW {ident(view)} AS SELECT * FROM {source}"
                    self.duck.execute(sql)
                found = True
        self._columns = {name: c for name, c in self._columns.items() if name in self._lite}
        return found

    def _lock(self, files) -> None:
        """From here on SQL can read the files, spill to scratch, and nothing else."""
        listed = ", ".join(quoted(path) for path in files)
        for setting in (
            f"allowed_paths = [{listed}]",
            "python_enable_replacements = false",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            self.duck.execute(f"SET {setting}")


def opened_sqlite(path):
    """A context with the file, which nothing can be written to."""
    lite = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    lite.execute("PRAGMA trusted_schema = off")
    lite.execute("PRAGMA temp_store = memory")
    lite.text_factory = lambda data: data.decode("utf-8", "replace")
    return contextlib.closing(lite)


def only_read(action, *about) -> int:
    return sqlite3.SQLITE_OK if action in SQLITE_READS else sqlite3.SQLITE_DENY


def ident(name) -> str:
    return '"' + str(name).replace('"', '""') + '"'


def quoted(text) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def first_lines(error) -> str:
    """The first line of an error, and DuckDB's proposal of what may have been meant."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    hints = [line for line in lines[1:] if line.startswith(("Candidate", "Did you"))]
    text = " ".join([*lines[:1], *hints[:1]]) or type(error).__name__
    return text if len(text) <= 240 else text[:239] + "…"


def unique(names):
    """The names, those that were there before with a number."""
    seen: set[str] = set()
    found = []
    for name in names:
        candidate, number = name, 2
        while candidate.lower() in seen:
            candidate, number = f"{name}_{number}", number + 1
        seen.add(candidate.lower())
        found.append(candidate)
    return found


def take(rows, count):
    chunk = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == count:
            break
    return chunk


def plain(value) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def cell_type(kinds) -> str:
    """The SQL type of a column of a sheet; ``None`` stands for its empty cells."""
    kinds = kinds - {None}
    if kinds == {datetime.date}:
        return "DATE"
    if kinds and kinds <= {datetime.date, datetime.datetime}:
        return "TIMESTAMP"
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds and kinds <= {int, float}:  # a sheet knows one kind of number
        return "DOUBLE"
    return "VARCHAR"

from pydantic import BaseModel, Field

# ---- shared by the tools of yunjue-data: rendering ----

import datetime

ROWS = 50
WIDTH = 20_000
"""Rows and characters of an answer."""


def told(columns, rows, more) -> str:
    """The answer of a query: a value, the values of one column, or a table."""
    if not rows:
        return "No row."
    if len(columns) == 1:
        text = ", ".join(show(row[0]) for row in rows)
    elif len(rows) == 1:
        text = ", ".join(
            f"{name}: {show(value)}" for name, value in zip(columns, rows[0], strict=True)
        )
    else:
        text = markdown(columns, rows)
    if more:
        text += f"\n(the first {ROWS} rows; there are more)"
    return text[:WIDTH]


def show(value) -> str:
    """A value as people write it. The last figures of a sum depend on the order of threads,
    so numbers have twelve."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        short = float(f"{value:.12g}")
        return str(int(short)) if short.is_integer() and abs(short) < 1e15 else repr(short)
    if isinstance(value, datetime.datetime) and (value.hour, value.minute, value.second) == (
        0,
        0,
        0,
    ):
        return value.date().isoformat()
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return " ".join(str(value).split())


def markdown(columns, rows) -> str:
    """A table as Markdown."""
    lines = ["| " + " | ".join(cell(name) for name in columns) + " |"]
    lines.append("|" + "---|" * len(columns))
    lines += ["| " + " | ".join(cell(show(value)) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def cell(text) -> str:
    return str(text).replace("|", "\\|")


# ---- this tool ----

__TOOL_META__ = {
    "name": "write_report",
    "description": "Writes a report in Markdown from SQL SELECTs over data files: "
    "a section with a table for each.",
    "dependencies": ["duckdb==2.0.1", "python-calamine==0.9.1"],
}
ROWS = 100


class InputModel(BaseModel):
    title: str = Field(description="Title of the report", min_length=1, max_length=200)
    queries: list[str] = Field(
        description="One SELECT for each section", min_length=1, max_length=20
    )
    headings: list[str] = Field([], description="Headings of the sections, in the same order")


class OutputModel(BaseModel):
    result: str = Field(description="Name of the file, and how many rows each section has")


def run(input: InputModel) -> OutputModel:
    tables = Tables()
    parts, counts = [f"# {one_line(input.title)}"], []
    for place, sql in enumerate(input.queries):
        columns, rows, more = tables.query(sql, ROWS)
        heading = input.headings[place] if place < len(input.headings) else f"Query {place + 1}"
        parts.append(f"## {one_line(heading)}")
        parts.append(markdown(columns, rows) if rows else "No row.")
        if more:
            parts.append(f"The first {ROWS} rows; there are more.")
        parts.append("\n".join(["```sql", sql.strip().replace("```", "'''"), "```"]))
        counts.append(f"{len(rows)}{' and more' if more else ''}")
    parts.append(f"{tables.shown()}.")
    path = Path("outputs") / "report.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n", "utf-8")
    return OutputModel(result=f"report.md: {len(counts)} sections with {', '.join(counts)} rows")


def one_line(text) -> str:
    return " ".join(text.split())

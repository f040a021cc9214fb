"""Answers a question about a Postgres database with one SQL SELECT, which can only read."""

import contextlib
import http.client
import os
import re
import ssl
import urllib.parse

import pg8000.native
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
    "name": "query_postgres",
    "description": "Answers a question about a Postgres database with one SQL SELECT. Without "
    "SQL it lists the tables and their columns.",
    "dependencies": ["pg8000==1.31.6"],
    "network": ["*"],
    "secrets": ["POSTGRES_URL"],
}
SECONDS = 30.0
"""Longest that the server may say nothing."""
COLUMNS = 300
HEADS = ("select", "with", "values", "table")
COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
LISTED = (
    "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns "
    "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') "
    f"ORDER BY table_schema, table_name, ordinal_position LIMIT {COLUMNS + 1}"
)


class InputModel(BaseModel):
    sql: str = Field(
        "", description="One SELECT; empty: list the tables and columns", max_length=20_000
    )
    dry_run: bool = Field(False, description="Only say what would be sent to the server")


class OutputModel(BaseModel):
    result: str = Field(description="The value, the values of one column, or a table")


def run(input: InputModel) -> OutputModel:
    sql = statement(input.sql)
    if input.dry_run:
        return OutputModel(result=f"Would be sent, in a read-only transaction: {sql or LISTED}")
    url = os.environ.get("POSTGRES_URL", "")
    if not url:
        raise ValueError("There is no POSTGRES_URL.")
    with contextlib.closing(connected(url)) as server:
        if not sql:
            return OutputModel(result=tables(server))
        try:
            return OutputModel(result=told(*queried(server, sql)))
        except pg8000.native.DatabaseError as error:
            said = message(error)
        server.run("ROLLBACK")
        raise ValueError(f"{said} {tables(server)}")


def statement(sql) -> str:
    """The statement without what ends it. Whether it is one SELECT the server decides: no
    other can be declared as a cursor, and a prepared statement is one."""
    text = sql.strip().rstrip(";").strip()
    if text and not text[COMMENTS.match(text).end() :].lower().startswith(HEADS):
        raise ValueError("Only one SELECT can be run.")
    return text


def queried(server, sql):
    """(names of columns, at most ROWS rows, whether there are more)."""
    server.run("START TRANSACTION READ ONLY")
    server.execute_unnamed(f"DECLARE answer NO SCROLL CURSOR FOR {sql}")
    context = server.execute_unnamed(f"FETCH {ROWS + 1} FROM answer")
    columns = [column["name"] for column in context.columns]
    rows = context.rows or []
    server.run("ROLLBACK")
    return columns, rows[:ROWS], len(rows) > ROWS


def tables(server) -> str:
    """The tables with their columns, in one line."""
    rows = server.run(LISTED)
    found: dict[str, list[str]] = {}
    for schema, table, column, kind in rows[:COLUMNS]:
        name = table if schema == "public" else f"{schema}.{table}"
        found.setdefault(name, []).append(f"{column} {kind}")
    if not found:
        return "There is no table that this user may see."
    listed = "; ".join(f"{name}({', '.join(columns)})" for name, columns in found.items())
    return f"Tables: {listed}{'; and more' if len(rows) > COLUMNS else ''}"


def connected(url):
    """A connection that can only read, through the sandbox's proxy."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname or "localhost", parts.port or 5432
        wanted = dict(urllib.parse.parse_qsl(parts.query)).get("sslmode", "prefer")
    except ValueError:
        raise RuntimeError("POSTGRES_URL is no postgresql://USER:PASSWORD@HOST/NAME") from None
    if parts.scheme not in ("postgresql", "postgres") or not parts.username:
        raise RuntimeError("POSTGRES_URL is no postgresql://USER:PASSWORD@HOST/NAME")
    try:
        return pg8000.native.Connection(
            urllib.parse.unquote(parts.username),
            host=host,
            port=port,
            password=urllib.parse.unquote(parts.password or ""),
            database=urllib.parse.unquote(parts.path.lstrip("/")) or None,
            sock=tunnel(host, port),
            ssl_context=encryption(wanted),
            application_name="yunjue",
            startup_params={"default_transaction_read_only": "on"},
        )
    except (pg8000.native.InterfaceError, pg8000.native.DatabaseError, OSError) as error:
        raise RuntimeError(f"{host}:{port} cannot be used: {message(error)}") from None


def encryption(mode):
    """What ``sslmode`` means, as far as it can be had: None takes TLS where there is some."""
    if mode == "disable":
        return False
    if mode in ("allow", "prefer"):
        return None
    if mode == "require":  # encrypted, whoever it is
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    if mode == "verify-full":
        return ssl.create_default_context()
    raise RuntimeError(f"sslmode {mode!r} is not disable, allow, prefer, require or verify-full")


def tunnel(host, port):
    """A socket that leads to the server: the proxy passes what it does not read."""
    proxy = urllib.parse.urlsplit(os.environ.get("HTTPS_PROXY", ""))
    if not proxy.hostname:
        raise OSError("the sandbox has no way out")
    way = http.client.HTTPConnection(proxy.hostname, proxy.port, timeout=SECONDS)
    way.set_tunnel(host, port)
    way.connect()
    return way.sock


def message(error) -> str:
    """What the server says, without its codes."""
    said = error.args[0] if error.args else error
    text = said.get("M", said) if isinstance(said, dict) else said
    hint = f" ({said['H']})" if isinstance(said, dict) and said.get("H") else ""
    return " ".join(f"{text}{hint}".split())[:300]

"""The shipped tools in a real sandbox: the tasks they are for, and files that are wrong."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import yunjue_data
from pack_tools import sources as packed

from yunjue.evolution.answers import same_answer

TASKS = Path(yunjue_data.__file__).parent / "tasks"
SELECTS = {
    "orders-north": "SELECT sum(quantity) FROM orders WHERE region = 'North'",
    "orders-lamp": "SELECT round(sum(quantity * unit_price), 2) FROM orders WHERE product = 'lamp'",
    "orders-march": "SELECT product FROM 'orders.csv' WHERE month(day) = 3 "
    "GROUP BY product ORDER BY sum(quantity) DESC LIMIT 1",
    "orders-empty": "SELECT count(*) FROM data WHERE discount IS NULL",
    "weather-july": "SELECT round(avg(tmax), 2) FROM weather "
    "WHERE station = 'Bergen' AND month(day) = 7",
    "weather-rain": "SELECT station FROM weather GROUP BY 1 ORDER BY sum(rain_mm) DESC LIMIT 1",
    "weather-frost": "SELECT count(*) FROM weather WHERE tmin < 0 AND rain_mm > 5",
    "staff-mean": "SELECT department FROM staff GROUP BY 1 ORDER BY avg(salary) DESC LIMIT 1",
    "staff-oslo": "SELECT count(*) FROM staff JOIN departments USING (department) "
    "WHERE city = 'Oslo'",
    "library-open": "SELECT count(*) FROM loans WHERE returned IS NULL",
    "library-title": "SELECT title FROM loans JOIN books USING (book_id) "
    "GROUP BY title ORDER BY count(*) DESC LIMIT 1",
    "events-buyers": "SELECT count(DISTINCT user) FROM events WHERE action = 'checkout'",
}


def tasks():
    return [json.loads(line) for line in (TASKS / "tasks.jsonl").read_text().splitlines()]


def test_the_shipped_tools_are_those_of_the_sources(sources):
    assert sources == packed()


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task["id"])
def test_each_task_is_answered_by_one_select(call, task):
    files = [TASKS / name for name in task["files"]]
    outcome = call("query_tables", files, sql=SELECTS[task["id"]])
    assert outcome.status == "ok", outcome.error
    assert same_answer(outcome.output["result"], task["answer"])


def test_a_wrong_column_is_told_with_the_tables(call):
    outcome = call("query_tables", [TASKS / "files" / "orders.csv"], sql="SELECT price FROM orders")
    assert outcome.status == "input_error"
    assert "unit_price" in outcome.error and "orders(order_id BIGINT, day DATE" in outcome.error


@pytest.mark.parametrize(
    ("file", "sql", "answer"),
    [
        ("orders.csv", "SELECT count(*) FROM sales WHERE day LIKE '2024-03%'", "March"),
        ("orders.csv", "SELECT count(*) FROM x WHERE x.day NOT LIKE '2024-03%'", "others"),
        ("orders.csv", "SELECT count(*) FROM 'orders.csv' WHERE month(day) = 3", "March"),
    ],
)
def test_what_is_meant_is_understood(call, file, sql, answer):
    """The only table whatever it is called, and dates as text."""
    rows = (TASKS / "files" / file).read_text().splitlines()[1:]
    march = sum(row.split(",")[1].startswith("2024-03") for row in rows)
    outcome = call("query_tables", [TASKS / "files" / file], sql=sql)
    expected = march if answer == "March" else len(rows) - march
    assert outcome.output == {"result": str(expected)}, outcome.error


def test_of_several_tables_none_is_meant(call):
    files = [TASKS / "files" / name for name in ("orders.csv", "events.jsonl")]
    outcome = call("query_tables", files, sql="SELECT count(*) FROM sales")
    assert outcome.status == "input_error" and "Tables: " in outcome.error


def test_the_only_table_of_sqlite_whatever_it_is_called(call, tmp_path):
    path = tmp_path / "shop.sqlite"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE orders (id INTEGER)")
        made.execute("INSERT INTO orders VALUES (7)")
    made.close()
    outcome = call("query_tables", [path], sql="SELECT id FROM data")
    assert outcome.output == {"result": "7"}, outcome.error


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/inputs/*')",
        "COPY (SELECT 1) TO 'outputs/x.csv'",
        "ATTACH '/inputs/library.sqlite' AS x",
        "INSTALL sqlite",
        "SET memory_limit = '64GB'",
        "SELECT 1; SELECT 2",
        "DELETE FROM orders",
    ],
)
def test_sql_reads_the_files_and_nothing_else(call, sql):
    outcome = call("query_tables", [TASKS / "files" / "orders.csv"], sql=sql)
    assert outcome.status == "input_error", outcome


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH ':memory:' AS x",
        "DELETE FROM loans",
        "PRAGMA writable_schema = on",
        "SELECT load_extension('x')",
        "CREATE TEMP TABLE x AS SELECT 1",
    ],
)
def test_sqlite_is_only_read(call, sql):
    outcome = call("query_tables", [TASKS / "files" / "library.sqlite"], sql=sql)
    assert outcome.status == "input_error", outcome


def test_tables_of_sqlite_and_of_files_do_not_join(call):
    files = [TASKS / "files" / name for name in ("library.sqlite", "orders.csv")]
    both = call("query_tables", files, sql="SELECT count(*) FROM loans, orders")
    assert "not both" in both.error
    assert call("query_tables", files, sql="SELECT count(*) FROM orders").output == {
        "result": "1200"
    }
    assert call("query_tables", files, sql="SELECT count(*) FROM loans").output == {"result": "900"}


def test_a_value_far_down_that_fits_no_number_is_read_as_text(call, tmp_path):
    path = tmp_path / "late.csv"
    path.write_text("n\n" + "1\n" * 30_000 + "many\n")
    outcome = call("query_tables", [path], sql="SELECT count(*), max(n) AS top FROM late")
    assert outcome.output == {"result": "count_star(): 30001, top: many"}, outcome.error


def test_hostile_files_end_in_one_error(call, tmp_path):
    zeros = tmp_path / "zeros.csv"
    with zeros.open("wb") as file:
        file.write(b"a,b\n1,2\n")
        file.truncate(64 << 20)  # a hole
    for name, content in {
        "no.parquet": b"PAR1" + b"\xff" * 200,
        "no.xlsx": b"PK\x03\x04broken",
        "no.sqlite": b"SQLite format 3\0" + b"\xff" * 4000,
        "no.json": b'{"a": [1, 2',
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        outcome = call("query_tables", [path], sql="SELECT count(*) FROM no")
        assert outcome.status == "input_error" and len(outcome.error) < 600, (name, outcome)
    outcome = call("query_tables", [zeros], sql="SELECT count(*) FROM zeros")
    assert outcome.error == "ValueError: zeros.csv holds zeros, so it is no text"


def test_a_profile_says_what_the_columns_hold(call):
    outcome = call("profile_table", [TASKS / "files" / "orders.csv"])
    lines = outcome.output["result"].splitlines()
    assert lines[0] == "orders: 1200 rows, 7 columns"
    empty = next(task["answer"] for task in tasks() if task["id"] == "orders-empty")
    assert f"discount BIGINT: {empty} empty, 3 distinct, 5 to 15" in lines[-1]
    lite = call("profile_table", [TASKS / "files" / "library.sqlite"], table="books")
    assert lite.output["result"].splitlines()[:2] == [
        "books: 60 rows, 3 columns",
        "book_id INTEGER: 0 empty, about 60 distinct, 1 to 60, mean 30.5",
    ]


def test_charts_and_reports_are_files(call, tmp_path):
    files = [TASKS / "files" / "orders.csv"]
    sql = "SELECT month(day) AS month, sum(quantity) AS units FROM orders GROUP BY 1 ORDER BY 1"
    for kind, form, start in (("line", "svg", b"<?xml"), ("bar", "png", b"\x89PNG")):
        outcome = call("plot_chart", files, sql=sql, kind=kind, format=form, title="Units, $")
        assert [file.name for file in outcome.files] == [f"chart.{form}"], outcome
        assert (tmp_path / "left" / f"chart.{form}").read_bytes().startswith(start)
    report = call("write_report", files, title="Orders", queries=[sql], headings=["By month"])
    text = (tmp_path / "left" / "report.md").read_text()
    assert report.output == {"result": "report.md: 1 sections with 12 rows"}
    assert "# Orders" in text and "## By month" in text and "| 12 |" in text

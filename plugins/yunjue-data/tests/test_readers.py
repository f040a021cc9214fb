"""Previews: what they say of the domain's own files, and of files that mean harm."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import yunjue_data
from hypothesis import given, settings
from hypothesis import strategies as st
from yunjue_data.fit import fits
from yunjue_data.readers import READERS

FILES = Path(yunjue_data.__file__).parent / "tasks" / "files"


def told(path: Path) -> str:
    return READERS[path.suffix](path)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("orders.csv", "table orders(order_id integer, day date, region text,"),
        ("weather.parquet", "1464 rows, table weather(station text, day date, tmin number,"),
        ("staff.xlsx", "table departments(department text, city text, budget integer) | Research"),
        ("library.sqlite", "table loans(loan_id INTEGER, book_id INTEGER, lent TEXT,"),
        ("events.jsonl", "table events(at text, user text, action text, ms integer)"),
    ],
)
def test_tables_and_columns_are_told(name, part):
    text = told(FILES / name)
    assert part in text and len(text) < 700
    assert fits("How many?", [name]) and not fits("How many?", ["notes.txt"])
    assert fits("How many orders are in the PostgreSQL database?", [])


def test_dates_of_a_sheet_are_dates():
    assert "start date" in told(FILES / "staff.xlsx")


def test_columns_that_are_no_words_are_quoted_as_sql_wants_them(tmp_path):
    path = tmp_path / "2024 sales-x.csv"
    path.write_text("Unit Price;n\n1,5;2\n")
    assert told(path) == '19 bytes, table t_2024_sales_x("Unit Price" text, n integer) | 1,5, 2'


@pytest.mark.parametrize("suffix", sorted(READERS))
@given(data=st.binary(max_size=400))
@settings(max_examples=60, deadline=1000)
def test_any_bytes_give_a_text(suffix, data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(data)
    text = told(path)
    assert text and "\n" not in text


@pytest.mark.parametrize("name", ["weather.parquet", "staff.xlsx", "library.sqlite"])
@given(data=st.data())
@settings(max_examples=60, deadline=2000)
def test_damaged_files_give_a_text(name, data, tmp_path_factory):
    whole = bytearray((FILES / name).read_bytes())
    # A Parquet file's footer is where damage tells.
    first = len(whole) - 1200 if name.endswith("parquet") else 0
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(first, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(whole[: data.draw(st.integers(first, len(whole)))])
    assert told(path)


def xlsx(path: Path, sheet: bytes) -> Path:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets>'
            '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        book.writestr("xl/worksheets/sheet1.xml", sheet)
    return path


def hostile(folder: Path) -> dict[str, Path]:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData/></worksheet>'
    wide = b'<worksheet><sheetData><row r="1"><c r="XFD1"><v>1</v></c></row>' + b" " * (300 << 20)
    files = {
        "entities": xlsx(folder / "entities.xlsx", bomb),
        "zip bomb": xlsx(folder / "bomb.xlsx", wide),
        "gzip bomb": folder / "bomb.csv.gz",
        "one line": folder / "line.csv",
        "deep": folder / "deep.json",
        "hole": folder / "hole.csv",
        "footer": folder / "footer.parquet",
    }
    with gzip.open(files["gzip bomb"], "wb", 1) as file:
        file.write(b"a,b\n" + b"1,2\n" * (30 << 20))
    files["one line"].write_bytes(b"a," * (8 << 20))
    files["deep"].write_text("[" * 500_000 + json.dumps({"a": 1}))
    files["footer"].write_bytes(
        b"PAR1" + b"\x00" * 16 + (2**31 - 1).to_bytes(4, "little") + b"PAR1"
    )
    with files["hole"].open("wb") as file:
        file.write(b"a,b\n1,2\n")
        file.truncate(4 << 30)
    return files


def test_hostile_files_cost_neither_time_nor_memory(tmp_path):
    files = hostile(tmp_path)
    for what, path in files.items():
        tracemalloc.start()
        started = time.monotonic()
        text = told(path)
        seconds = time.monotonic() - started
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert seconds < 5 and peak < 64 << 20 and len(text) < 4000, (what, seconds, peak, text)
    assert "declares a document type" in told(files["entities"])
    assert told(files["gzip bomb"]).endswith("table bomb(a integer, b integer) | 1, 2 | 1, 2")
    assert "holds zeros" in told(files["hole"])

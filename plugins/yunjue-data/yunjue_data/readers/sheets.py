"""The beginning of the sheets of an .xlsx file: a zip archive of XML parts.

Of each part only so many bytes are unpacked, and a part that declares entities is refused, so
neither a zip bomb nor an XML bomb has an effect.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from yunjue_data.readers.preview import NotReadable, guessed, preview, table_name

MOST_PARTS = 2000
PART_BYTES = 1 << 18
MOST_SHEETS = 6
LOOKED_AT = 20
MOST_CELLS = 200
REFERENCE = re.compile(r"([A-Z]{1,3})\d+")
TEXTS = "xl/sharedStrings.xml"
STYLES = "xl/styles.xml"
FIRST_DAY = date(1899, 12, 30)
"""Day 0 of spreadsheets, as far as days after February 1900 are concerned."""
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_xlsx(path: Path) -> str:
    """The sheets as tables.

    Raises:
        NotReadable: no .xlsx file, or a hostile one.
    """
    try:
        with zipfile.ZipFile(path) as book:
            if len(book.infolist()) > MOST_PARTS:
                raise NotReadable(f"it has more than {MOST_PARTS} parts")
            return read_book(book, table_name(path.name))
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise NotReadable(f"no whole .xlsx file ({str(error)[:80]})") from None


def read_book(book: zipfile.ZipFile, first_table: str) -> str:
    parts = {
        element.get("Id"): "xl/" + element.get("Target", "").removeprefix("/xl/")
        for element in parse(book, "xl/_rels/workbook.xml.rels")
    }
    sheets = [
        (element.get("name", ""), parts.get(element.get(RELATION), ""))
        for element in parse(book, "xl/workbook.xml")
        if tag(element) == "sheet"
    ]
    dates = date_styles(book)
    texts: list[str] = []
    if TEXTS in book.namelist():
        for element in parse(book, TEXTS):
            if tag(element) == "si":
                texts.append(
                    "".join(part.text or "" for part in element.iter() if tag(part) == "t")
                )
    tables = []
    for name, part in sheets[:MOST_SHEETS]:
        rows = read_rows(book, part, texts, dates) if part in book.namelist() else []
        if not rows:
            continue
        table = first_table if not tables else table_name(name)
        header = rows[0]
        kinds = [guessed([row[n] for row in rows[1:] if n < len(row)]) for n in range(len(header))]
        tables.append(preview(table, list(zip(header, kinds, strict=True)), rows[1:]))
    more = "; and more" if len(sheets) > MOST_SHEETS else ""
    return "; ".join(tables) + more if tables else "no sheet with rows"


def date_styles(book: zipfile.ZipFile) -> set[str]:
    """The numbers of the cell styles that show a number as a date (ECMA-376, 18.8.30)."""
    formats = {str(number) for number in range(14, 18)} | {"22"}
    found: set[str] = set()
    if STYLES not in book.namelist():
        return found
    for element in parse(book, STYLES):
        code = re.sub(r"\[[^]]*]|\"[^\"]*\"", "", element.get("formatCode", "")).lower()
        if tag(element) == "numFmt" and "y" in code and "d" in code:
            formats.add(element.get("numFmtId", ""))
        elif tag(element) == "cellXfs":
            styles = enumerate(element)
            found = {str(place) for place, xf in styles if xf.get("numFmtId") in formats}
    return found


def read_rows(
    book: zipfile.ZipFile, part: str, texts: list[str], dates: set[str]
) -> list[list[str]]:
    """The first rows that are not empty."""
    rows: list[list[str]] = []
    for element in parse(book, part):
        if tag(element) != "row":
            continue
        row: list[str] = []
        for cell in element:
            place = column(cell.get("r", ""), len(row))
            if place < MOST_CELLS:
                row += [""] * (place + 1 - len(row))
                row[place] = content(cell, texts, dates)
        if any(row):
            rows.append(row)
        element.clear()
        if len(rows) > LOOKED_AT:
            break
    return rows


def content(cell: Element, texts: list[str], dates: set[str]) -> str:
    text = "".join(part.text or "" for part in cell.iter() if tag(part) in ("v", "t"))
    if cell.get("s") in dates and re.fullmatch(r"\d{1,7}(\.\d{1,20})?", text):
        return (FIRST_DAY + timedelta(days=int(float(text)))).isoformat()
    if cell.get("t") != "s":
        return text
    number = int(text) if text.isdigit() and len(text) < 9 else -1
    return texts[number] if 0 <= number < len(texts) else "…"


def column(reference: str, default: int) -> int:
    """The place of a cell called ``BC12``, from 0."""
    found = REFERENCE.fullmatch(reference)
    if not found:
        return default
    place = 0
    for letter in found[1]:
        place = place * 26 + ord(letter) - 64
    return place - 1


def parse(book: zipfile.ZipFile, part: str) -> Iterator[Element]:
    """The elements of a part as they end, within the first bytes of it."""
    with book.open(part) as file:
        data = file.read(PART_BYTES)
    if b"<!DOCTYPE" in data.replace(b"\0", b""):  # also in UTF-16
        raise NotReadable("a part of it declares a document type")
    parser = XMLPullParser(["end"])
    try:
        parser.feed(data)
    except ParseError:
        raise NotReadable("a part of it is no XML") from None
    for _, element in parser.read_events():
        yield element


def tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]

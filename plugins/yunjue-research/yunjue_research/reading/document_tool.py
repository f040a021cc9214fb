"""Reads the text of a PDF or HTML file: its pages, or its lines."""

# This file is run in the sandbox, as the source of a tool, and never imported.

from html.parser import HTMLParser
from pathlib import Path

from pydantic import BaseModel
from pypdf import PdfReader

__TOOL_META__ = {
    "name": "read_document",
    "description": "Reads the text of a PDF or HTML file: its pages, or its lines.",
    "dependencies": ["pypdf==7.1.1"],
}
MOST_CHARS = 4_000_000
MOST_PAGES = 5_000
UNSEEN = {"script", "style", "template", "noscript", "svg"}
BLOCKS = {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol"}
BLOCKS |= {
    "section",
    "article",
    "header",
    "footer",
    "main",
    "pre",
    "blockquote",
    "title",
    "dt",
    "dd",
}


class InputModel(BaseModel):
    name: str


class OutputModel(BaseModel):
    parts: list[tuple[int, str]]
    """Number of the page or line, and its text."""
    note: str


def run(input: InputModel) -> OutputModel:
    path = Path("/inputs") / input.name
    parts, note = pages(path) if path.suffix == ".pdf" else lines(path)
    kept, left = [], MOST_CHARS
    for number, text in parts:
        # What is half a character cannot be written as UTF-8.
        text = text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
        if len(text) > left:
            note = f"only the first {MOST_CHARS} characters were read"
            break
        left -= len(text)
        kept.append((number, text))
    return OutputModel(parts=kept, note=note)


def pages(path):
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ValueError("it needs a password")
        count = len(reader.pages)
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"it is no whole PDF file ({type(error).__name__})") from None
    found, broken = [], 0
    for number in range(min(count, MOST_PAGES)):
        try:
            found.append((number + 1, reader.pages[number].extract_text()))
        except Exception:
            broken += 1
    if not any(text.strip() for _, text in found):
        raise ValueError("it has no text (scanned pages are not read)")
    notes = [f"{broken} pages cannot be read"] if broken else []
    notes += [f"only the first {MOST_PAGES} pages were read"] if count > MOST_PAGES else []
    return found, ", ".join(notes)


class Text(HTMLParser):
    """Text by the line that its block begins in."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, str]] = []
        self.unseen = 0
        self.line, self.words = 0, []

    def handle_starttag(self, tag, attributes) -> None:
        if tag in UNSEEN:
            self.unseen += 1
        if tag in BLOCKS:
            self.end_block()

    def handle_endtag(self, tag) -> None:
        if tag in UNSEEN and self.unseen:
            self.unseen -= 1
        if tag in BLOCKS:
            self.end_block()

    def handle_data(self, data) -> None:
        if self.unseen:
            return
        if not self.words and data.strip():
            self.line = self.getpos()[0]
        self.words.append(data)

    def end_block(self) -> None:
        text = " ".join("".join(self.words).split())
        if text:
            self.found.append((self.line, text))
        self.words = []


def lines(path):
    data = path.read_bytes()
    parser = Text()
    parser.feed(decoded(data))
    parser.close()
    parser.end_block()
    if not parser.found:
        raise ValueError("it has no text")
    return parser.found, ""


def decoded(data) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace")

"""PDF and HTML files in the real sandbox."""

from __future__ import annotations

import pytest
from conftest import FILES
from yunjue_research.reading.reading import Document, Unread, read_all, source_of

from yunjue.sandbox.select import opened_sandbox

pytestmark = pytest.mark.usefixtures("with_bubblewrap")


async def read(settings, *paths):
    sources = [source_of(path.name, path) for path in paths]
    bubblewrap = settings.model_copy(update={"sandbox": "bubblewrap"})
    async with opened_sandbox(bubblewrap, lambda message: None) as sandbox:
        return [one async for one in read_all(sources, sandbox)]


async def test_pages_and_lines_have_numbers(settings):
    pdf, html = await read(settings, FILES / "handbook.pdf", FILES / "budget.html")
    assert [part.number for part in pdf.parts] == [1, 2]
    assert "The station was founded in" in " ".join(pdf.parts[0].text.split())
    assert html.unit == "line" and html.parts[-1].number == 5
    assert "margin" not in " ".join(part.text for part in html.parts)


async def test_broken_and_hostile_files_are_told(settings, tmp_path):
    whole = (FILES / "handbook.pdf").read_bytes()
    loop = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    loop += b"2 0 obj<</Type/Pages/Kids[2 0 R]/Count 9>>endobj\ntrailer<</Root 1 0 R>>"
    files = {
        "cut.pdf": whole[: len(whole) // 3],
        "garbage.pdf": b"%PDF-1.7\n" + b"\xff" * 5000,
        "loop.pdf": loop,
        "empty.html": b"<html><script>var a = 'text'</script></html>",
        "deep.html": b"<div>" * 200_000 + b"deep words" + b"</div>" * 200_000,
    }
    paths = []
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        paths.append(tmp_path / name)
    found = {one.name: one for one in await read(settings, *paths)}
    for name in ("garbage.pdf", "loop.pdf", "empty.html"):
        assert isinstance(found[name], Unread) and found[name].why, found[name]
    assert isinstance(found["cut.pdf"], Unread) or found["cut.pdf"].note
    assert isinstance(found["deep.html"], Document)

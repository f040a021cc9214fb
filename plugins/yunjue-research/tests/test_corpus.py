from __future__ import annotations

import pytest
from conftest import FILES
from hypothesis import given
from hypothesis import strategies as st
from yunjue_research.corpus import opened, path_of
from yunjue_research.ingest import found_in, ingest
from yunjue_research.passages import LENGTH, passages
from yunjue_research.reading.reading import Document, Part

from yunjue.errors import LibraryError, UsageError
from yunjue.store.embedders.hashing import HashEmbedder

NOTES = ("crew.md", "outages.md", "weather.txt")


@pytest.fixture
def corpus(own_home):
    with opened(path_of("notes"), HashEmbedder) as made:
        yield made


async def taken(corpus, settings, folder):
    return await ingest(corpus, found_in(folder)[0], settings, print)


def copied(folder):
    folder.mkdir()
    for name in NOTES:
        (folder / name).write_bytes((FILES / name).read_bytes())
    return folder


async def test_the_passage_that_says_it_comes_first_with_its_place(corpus, settings, tmp_path):
    result = await taken(corpus, settings, copied(tmp_path / "docs"))
    assert (sorted(result.read), result.unread) == (sorted(NOTES), {})
    first = corpus.search("strongest gust of the season", 2)[0]
    assert (first.document, first.place) == ("weather.txt", "lines 1-3")
    assert "38 metres per second" in first.text
    assert corpus.search('" OR NEAR( * metres', 1)  # FTS5's own language means nothing


async def test_only_what_changed_is_read_and_what_went_is_dropped(corpus, settings, tmp_path):
    folder = copied(tmp_path / "docs")
    await taken(corpus, settings, folder)
    (folder / "crew.md").write_text("# Crew\n\nThe leader is Aud Ness.\n")
    (folder / "outages.md").unlink()
    result = await taken(corpus, settings, folder)
    assert (result.read, result.dropped, result.unchanged) == (["crew.md"], ["outages.md"], 1)
    assert corpus.text("outages.md") == ""
    assert "Aud Ness" in corpus.search("leader", 1)[0].text
    assert not any("Solheim" in hit.text for hit in corpus.search("Marit Solheim", 9))


async def test_links_and_what_is_no_text_are_told_and_not_read(corpus, settings, tmp_path):
    folder = copied(tmp_path / "docs")
    (tmp_path / "secret.md").write_text("a secret")
    (folder / "link.md").symlink_to(tmp_path / "secret.md")
    (folder / "up").symlink_to(tmp_path)
    (folder / "zeros.txt").write_bytes(b"a\0b")
    with (folder / "huge.txt").open("wb") as file:
        file.truncate(1 << 30)
    files, links = found_in(folder)
    assert links == {"link.md": "it is a link", "up": "it is a link"}
    result = await ingest(corpus, files, settings, print)
    assert result.unread == {
        "huge.txt": "it has 1024 MiB; 8 are read",
        "zeros.txt": "it holds zeros, so it is no text",
    }
    assert not corpus.search("secret", 9) or "a secret" not in corpus.text("link.md")


async def test_another_embedder_embeds_anew(settings, tmp_path, own_home):
    class Other(HashEmbedder):
        def __init__(self):
            super().__init__(64)
            self.name = "other"

    path = path_of("notes")
    with opened(path, HashEmbedder) as corpus:
        await taken(corpus, settings, copied(tmp_path / "docs"))
    with opened(path, Other) as corpus:
        assert corpus.search("gust", 1)[0].document == "weather.txt"
        assert corpus.embed() == 0


def test_what_is_no_corpus_is_told(own_home, tmp_path):
    path = path_of("broken")
    path.parent.mkdir(parents=True)
    path.write_text("no database " * 200)
    with pytest.raises(LibraryError, match="broken"), opened(path, HashEmbedder):
        pass
    with pytest.raises(UsageError, match="cannot be the name"):
        path_of("../x")


lines = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=300))


@given(lines, st.sampled_from(["line", "page"]))
def test_passages_lose_no_word_and_stay_short(texts, unit):
    parts = [Part(number, text) for number, text in enumerate(texts, 1) if text.strip()]
    found = passages(Document("a", "", unit, parts))
    words = [word for part in parts for word in part.text.split()]
    assert "".join("".join(one.text.split()) for one in found) == "".join(words)
    assert all(len(one.text) <= LENGTH + 1 for one in found)

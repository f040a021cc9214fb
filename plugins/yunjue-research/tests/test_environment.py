from __future__ import annotations

import json

import pytest
from conftest import FILES
from yunjue_research.environment import Research
from yunjue_research.findings import judged

from yunjue.agent.run import solve
from yunjue.config import load_settings
from yunjue.domains import Place
from yunjue.errors import UsageError

NOTES = {name: FILES / name for name in ("crew.md", "outages.md", "weather.txt")}


@pytest.fixture
async def research(settings, tmp_path):
    made = Research(Place(settings, tmp_path / "run"))
    await made.start("Who leads the station?", NOTES)
    yield made
    await made.close()


def offered(research, observed):
    return [kind.name for kind in research.actions(observed)]


def number_of(observed, document):
    """What the model calls the passage of this document."""
    lines = observed.text.splitlines()
    return int(next(line for line in lines if document in line).split("]")[0][1:])


async def test_an_answer_is_words_of_a_passage_and_its_sentence_is_the_quote(research, tmp_path):
    seen = (await research.step({"action": "search", "query": "who leads the station"})).observed
    answer = {"action": "answer", "passage": number_of(seen, "crew.md")}
    wrong = await research.step({**answer, "text": "Roald Amundsen"})
    assert "does not have the words 'Roald Amundsen'" in wrong.error and wrong.answer is None
    part = await research.step({**answer, "text": "Marit Sol"})
    assert part.error  # no half of a word
    right = await research.step({**answer, "text": "marit  solheim"})
    assert (right.answer, right.files) == ("marit solheim", ["findings.md"])
    text = (tmp_path / "run" / "findings.md").read_text()
    quote = "# Crew of the summer Marit Solheim leads the station."
    assert text == f'- marit solheim ["{quote}" (crew.md, lines 1-5)]\n'


async def test_a_mistaken_number_is_mended_where_one_passage_alone_has_the_words(research):
    seen = (await research.step({"action": "search", "query": "station gust leads"})).observed
    wrong = number_of(seen, "weather.txt")
    step = await research.step({"action": "answer", "text": "Lucia Ferrand", "passage": wrong})
    assert step.answer == "Lucia Ferrand"


async def test_the_same_search_is_refused(research):
    assert not (await research.step({"action": "search", "query": "gust of wind"})).error
    none = await research.step({"action": "answer", "passage": 0, "text": ""})
    assert "Searched so far: gust of wind" in none.observed.text
    assert offered(research, none.observed)[-1] == "search"
    again = await research.step({"action": "search", "query": "wind  of Gust"})
    assert "searched already" in again.error


async def test_a_quote_that_is_none_is_refused(research):
    await research.step({"action": "search", "query": "outage"})
    note = {"action": "note", "passage": 1, "finding": "It froze."}
    wrong = await research.step({**note, "quote": "the line was frozen solid"})
    assert "does not have these words" in wrong.error
    assert "less than 8" in (await research.step({**note, "quote": "frozen"})).error


async def test_findings_are_noted_and_reported_with_places(research):
    observed = (await research.step({"action": "search", "query": "outage"})).observed
    assert offered(research, observed) == ["answer", "note"]
    note = {"action": "note", "passage": 1, "finding": "Fuel froze."}
    step = await research.step({**note, "quote": "a frozen fuel line"})
    assert not step.error and "report" in offered(research, step.observed)
    ended = await research.step({"action": "report"})
    assert ended.answer.startswith('- Fuel froze. ["a frozen fuel line" (outages.md, ')
    assert ended.details["queries"] == ["outage"]
    assert judged(ended.answer).holds
    assert not judged(ended.answer + "\n- It was cold.").holds
    assert not judged(" ").holds


async def test_what_cannot_be_done_is_an_error_of_the_step(research):
    assert (await research.step({"action": "open", "passage": 7})).error
    assert (await research.step({"action": "report"})).error
    nothing = await research.step({"action": "search_web", "query": "weather"})
    assert "cannot be searched" in nothing.error


async def test_an_interrupted_run_goes_on_with_what_it_had(research, settings, tmp_path):
    seen = (await research.step({"action": "search", "query": "outage"})).observed
    again = Research(Place(settings, tmp_path / "run"))
    assert await again.restore([{"action": "search", "query": "outage"}], seen) == seen
    await again.close()


async def test_which_corpus_is_asked_for_must_be_clear(settings, tmp_path):
    research = Research(Place(settings, tmp_path / "run"))
    with pytest.raises(UsageError, match="not clear which corpus"):
        await research.start("Who leads?", {})


async def test_observations_keep_to_their_room(settings, tmp_path):
    research = Research(Place(settings, tmp_path / "run", tokens=400))
    await research.start("q", NOTES)
    step = await research.step({"action": "search", "query": "station outage gust"})
    assert len(step.observed.text) <= 400 * 3 + 100
    await research.close()


async def test_a_run_is_solved_by_searching_and_quoting(tmp_path):
    script = tmp_path / "script.json"
    rules = [
        {
            "when": "38 metres per second.*Which action",
            "reply": {
                "action": "answer",
                "text": "38",
                "passage": 1,
            },
        },
        {"when": "Which action", "reply": {"action": "search", "query": "strongest gust season"}},
    ]
    script.write_text(json.dumps({"rules": rules}))
    settings = load_settings(
        model=f"scripted/{script}", sandbox="process", allow_unsafe=True, domain="research"
    )
    result = await solve("How strong was the strongest gust?", settings, files=NOTES)
    assert (result.status, result.answer) == ("solved", "38")
    assert [name.rpartition("/")[2] for name in result.files] == ["findings.md"]

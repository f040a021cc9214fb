"""Research as a place to act in: search, open, note, and answer with a quote."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yunjue.domains import ActionKind, Observed, Place, Step
from yunjue.files import write_whole
from yunjue.hashing import content_id
from yunjue_research import session, web
from yunjue_research.corpus import Corpus, path_of
from yunjue_research.findings import Finding, flat, quote_problem, report, sentence_with
from yunjue_research.ingest import embedder_of, ingest
from yunjue_research.place import corpus_for
from yunjue_research.session import Session, Shown

HITS = 4
CHARS_PER_TOKEN = 3
LISTED = 12
OWN = "files.sqlite"
REPORT = "findings.md"

ANSWER = 'the words of a passage that answer the task, or "" if none does'
WORDS = {"type": "string", "minLength": 1, "maxLength": 200}
TEXT = {"type": "string", "minLength": 1, "maxLength": 600}
NUMBER = {"type": "integer", "minimum": 1}
ANSWERS = {"passage": {"type": "integer", "minimum": 0}, "text": {**TEXT, "minLength": 0}}

SEARCHED = (
    "That was searched already. Answer with words of a passage, open one, or search other words."
)
OPENED = "That is all that stands around it. Answer with words of a passage, or search other words."
NOT_THERE = (
    "That passage does not have the words {text!r}. The answer must be copied from a passage, as "
    "short as the question allows."
)


class Research:
    """One run's research. Its actions only read; what they gave is kept, so going on after an
    interruption repeats none of them."""

    def __init__(self, place: Place) -> None:
        self._settings = place.settings
        self._folder = place.folder
        self._room = place.tokens * CHARS_PER_TOKEN
        self._corpus: Corpus | None = None
        self._session = Session("")
        self._web: web.WebSearch | None = None

    def actions(self, observed: Observed) -> Sequence[ActionKind]:
        """What can be done. Right after a search that showed passages they must be read: a small
        model that may search or open does so for ever."""
        about = observed.details
        fresh = about.get("fresh")
        kinds = []
        if about.get("shown"):
            note = {"finding": TEXT, "passage": NUMBER, "quote": TEXT}
            kinds.append(ActionKind("answer", ANSWER, ANSWERS))
            kinds.append(
                ActionKind("note", "one of several findings, with words of the passage", note)
            )
        if about.get("shown") and not fresh:
            kinds.append(
                ActionKind("open", "a passage with what stands around it", {"passage": NUMBER})
            )
        if not fresh:
            kinds.append(ActionKind("search", "the documents", {"query": WORDS}))
            if about.get("web"):
                kinds.append(ActionKind("search_web", "the web", {"query": WORDS}))
        if about.get("findings"):
            kinds.append(ActionKind("report", "all findings; ends the task"))
        return kinds

    async def start(self, task: str, files: Mapping[str, Path]) -> Observed:
        self._web = web.chosen()
        name = corpus_for(task, files)
        self._session = Session(name)
        corpus = self._open()
        if not name:
            await ingest(corpus, list(files.items()), self._settings, lambda message: None)
        self._session.save(self._folder)
        return self._observed()

    async def restore(self, done: Sequence[Mapping[str, Any]], last: Observed) -> Observed:
        self._web = web.chosen()
        self._session = session.load(self._folder)
        self._open()
        return self._observed()

    async def step(self, action: Mapping[str, Any]) -> Step:
        step = await self._done(action)
        self._session.save(self._folder)
        return step

    def risk(self, action: Mapping[str, Any], observed: Observed) -> str:
        return ""

    async def close(self) -> None:
        if self._corpus is not None:
            self._corpus.close()
            self._corpus = None

    async def _done(self, action: Mapping[str, Any]) -> Step:
        name = action["action"]
        if name.startswith("search") and self._session.searched(action["query"]):
            return Step(self._observed(), error=SEARCHED)
        if name == "search":
            hits = await asyncio.to_thread(self._open().search, action["query"], HITS)
            shown = [Shown(hit.document, hit.place, hit.text, hit.number) for hit in hits]
            return self._searched(action["query"], shown)
        if name == "search_web":
            return await self._searched_web(action["query"])
        if name == "report":
            return self._reported()
        if name == "answer" and not action["text"].strip():
            self._session.fresh, self._session.last = False, []
            return Step(self._observed(), change="no passage says it")
        shown = self._shown(action["passage"])
        if shown is None:
            return Step(self._observed(), error=f"There is no passage {action['passage']}.")
        if name == "open":
            return self._opened(shown)
        return self._noted(action, shown) if name == "note" else self._answered(action, shown)

    def _searched(self, query: str, shown: list[Shown]) -> Step:
        before = set(self._session.last)
        self._session.queries.append(query)
        self._session.show(shown)
        self._session.fresh = bool(shown)
        new = len(set(self._session.last) - before)
        change = f"{len(shown)} passages, {new} of them not shown before"
        return Step(self._observed(), change=change if shown else "nothing was found")

    async def _searched_web(self, query: str) -> Step:
        if self._web is None:
            return Step(self._observed(), error="The web cannot be searched in this run.")
        try:
            pages = await self._web.search(query, HITS)
        except web.SearchFailed as error:
            return Step(self._observed(), error=str(error))
        found = [Shown(page.address, "search result", page.text) for page in pages]
        return self._searched(query, found)

    def _opened(self, shown: Shown) -> Step:
        if not shown.number:
            return Step(self._observed(), error="Of a page on the web only this is known.")
        self._session.fresh = False
        around = self._open().around(shown.number)
        before = list(self._session.last)
        self._session.show([Shown(one.document, one.place, one.text, one.number) for one in around])
        if self._session.last == before:
            return Step(self._observed(), error=OPENED)
        return Step(self._observed(), change=f"{len(around)} passages of {shown.document}")

    def _noted(self, action: Mapping[str, Any], shown: Shown) -> Step:
        """Note a finding; its quote must stand in the source."""
        source = self._open().text(shown.document) if shown.number else shown.text
        problem = quote_problem(action["quote"], source)
        if problem:
            return Step(self._observed(), error=problem)
        text = flat(action["finding"])
        finding = Finding(text, flat(action["quote"]), shown.document, shown.place)
        self._session.findings.append(finding)
        self._session.fresh = False
        return Step(self._observed(), change=f"noted: {text[:80]}")

    def _answered(self, action: Mapping[str, Any], named: Shown) -> Step:
        """End with an answer that a passage has; the quote is the sentence around it. Small
        models mistake the number: another passage counts if it alone has the words."""
        text = flat(action["text"])
        others = [self._session.shown[place] for place in self._session.last]
        having = [shown for shown in others if sentence_with(text, shown.text)]
        source = named if sentence_with(text, named.text) else None
        if source is None and len(having) == 1:
            source = having[0]
        if source is None:
            return Step(self._observed(), error=NOT_THERE.format(text=text[:80]))
        quote = sentence_with(text, source.text)
        self._session.findings.append(Finding(text, quote, source.document, source.place))
        return self._ended(text)

    def _reported(self) -> Step:
        if not self._session.findings:
            return Step(self._observed(), error="Nothing was noted.")
        return self._ended(report(self._session.findings))

    def _ended(self, answer: str) -> Step:
        """The end, with the findings and their sources as a file."""
        text = report(self._session.findings) + "\n"
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._folder / REPORT, text.encode())
        details = {"queries": list(self._session.queries)}
        return Step(
            self._observed(), change="ended", answer=answer, files=[REPORT], details=details
        )

    def _shown(self, number: int) -> Shown | None:
        shown = self._session.shown
        return shown[number - 1] if 1 <= number <= len(shown) else None

    def _open(self) -> Corpus:
        if self._corpus is None:
            name = self._session.corpus
            path = path_of(name) if name else self._folder / OWN
            self._corpus = Corpus(path, embedder_of(self._settings))
        return self._corpus

    def _observed(self) -> Observed:
        text = self._text()
        details = {
            "shown": len(self._session.shown),
            "findings": len(self._session.findings),
            "web": self._web is not None,
            "fresh": self._session.fresh,
        }
        return Observed(text, content_id([text, details]), details)

    def _text(self) -> str:
        """What was found last, within the room there is; the findings; or what there is."""
        parts = []
        if self._session.findings:
            parts.append("Noted:")
            parts += [f"- {finding.text[:100]}" for finding in self._session.findings[-8:]]
        if not self._session.last:
            parts.append(self._contents() if not self._session.queries else self._searched_so_far())
            return "\n".join(parts)
        room = max(300, (self._room - sum(map(len, parts))) // len(self._session.last))
        for place in self._session.last:
            shown = self._session.shown[place]
            head = f"[{place + 1}] {shown.document}, {shown.place}:"
            parts.append(f"{head} {flat(shown.text)[: room - len(head)]}")
        return "\n".join(parts)

    def _searched_so_far(self) -> str:
        return f"Nothing fitted. Searched so far: {'; '.join(self._session.queries[-6:])}"

    def _contents(self) -> str:
        documents = list(self._open().documents())
        named = ", ".join(documents[:LISTED])
        more = f" and {len(documents) - LISTED} more" if len(documents) > LISTED else ""
        return f"{len(documents)} documents: {named}{more}. Nothing was searched yet."

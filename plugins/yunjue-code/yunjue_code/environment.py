"""A copy of a repository as a place to act in: look, edit, run the tests, finish."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yunjue.domains import OTHERWISE, ActionKind, Observed, Place, Step
from yunjue.errors import YunjueError
from yunjue.files import write_whole
from yunjue.hashing import content_id
from yunjue.protocols import Sandbox
from yunjue.sandbox.select import open_sandbox
from yunjue.synthesis.schemas import closed
from yunjue_code.copying import copy_repository
from yunjue_code.editing import edited, first_changed, written
from yunjue_code.looking import found_text, listed, read_from
from yunjue_code.mistake import Mistake
from yunjue_code.patch import apply_problem, changed, files_of, patch_of
from yunjue_code.seen import Seen
from yunjue_code.source import repository_for
from yunjue_code.tree import Tree
from yunjue_code.trial import Trial, run_tests

PATCH = "changes.patch"
SEEN = "seen.json"
CHARS_PER_TOKEN = 3
SHORT = 2000
"""Characters of a file that is shown without the numbers of its lines."""

PATH = {"type": "string", "minLength": 1, "maxLength": 300}
MOST_WRITTEN = 6000
WHOLE = {"type": "string", "maxLength": MOST_WRITTEN}
# Short, because a small model that is lost copies for ever.
OLD = {"type": "string", "minLength": 1, "maxLength": 800}
NEW = {"type": "string", "maxLength": 3000}
LINE = {"type": "integer", "minimum": 1}
EDIT = {"path": PATH, "old": OLD, "new": NEW}
EDITS = {
    "edits": {
        "type": "array",
        "minItems": 2,
        "maxItems": 8,
        "items": closed({**EDIT, "old": {**OLD, "minLength": 0}}),
    }
}

KINDS = {
    kind.name: kind
    for kind in (
        ActionKind("list", "the files below a folder (. for all)", {"path": PATH}),
        ActionKind("read", "a file from a line on", {"path": PATH, "line": LINE}),
        ActionKind("search", "all files for a text", {"text": OLD}),
        ActionKind("write", "a whole file, new or anew", {"path": PATH, "text": WHOLE}),
        ActionKind("edit", "replace old by new in a file", EDIT),
        ActionKind("edits", "several that help only together; without old it is a new file", EDITS),
        ActionKind("test", "run the tests"),
        ActionKind("finish", "the change is complete; ends the task"),
        ActionKind("reopen", "change more, though all tests pass"),
    )
}


class Repository:
    """One run's copy, in the run's folder: ``before`` as it came, ``after`` as it is now. Both
    are on disk after each step, so an interrupted run goes on with them."""

    def __init__(self, place: Place) -> None:
        self._settings = place.settings
        self._folder = place.folder
        self._before, self._after = place.folder / "before", place.folder / "after"
        self._tree = Tree(self._after)
        self._room = place.tokens * CHARS_PER_TOKEN
        self._sandbox: Sandbox | None = None
        self._seen = Seen()

    def actions(self, observed: Observed) -> Sequence[ActionKind]:
        return [KINDS[name] for name in observed.details["offered"]]

    async def start(self, task: str, files: Mapping[str, Path]) -> Observed:
        source = repository_for(files)
        for tree in (self._before, self._after):  # a start that was interrupted left half of one
            await asyncio.to_thread(shutil.rmtree, tree, ignore_errors=True)
        copied = await asyncio.to_thread(copy_repository, source, self._before)
        await asyncio.to_thread(copy_repository, self._before, self._after)
        self._seen = Seen(listed(files_of(self._after), "."))
        if copied.left_out:
            told = "; ".join(f"{name}: {why}" for name, why in list(copied.left_out.items())[:5])
            self._seen.look += f"\n{len(copied.left_out)} left out: {told}"
        self._seen.settle(await self._test())
        self._seen.keep(self._folder / SEEN)
        return self._observed()

    async def restore(self, done: Sequence[Mapping[str, Any]], last: Observed) -> Observed:
        try:
            self._seen = Seen.load(self._folder / SEEN)
        except (OSError, ValueError, TypeError) as error:
            raise YunjueError("The copy of the repository is gone.", hint="") from error
        self._take_back()
        return self._observed()

    async def step(self, action: Mapping[str, Any]) -> Step:
        try:
            step = await self._done(action)
        except Mistake as mistake:
            step = Step(self._observed(), error=str(mistake))
        self._seen.keep(self._folder / SEEN)
        return step

    def risk(self, action: Mapping[str, Any], observed: Observed) -> str:
        return ""  # nothing but the copy is changed

    async def close(self) -> None:
        if self._sandbox is not None:
            await self._sandbox.close()
            self._sandbox = None

    async def _done(self, action: Mapping[str, Any]) -> Step:
        name = action["action"]
        if name == "list":
            return self._looked(name, listed(files_of(self._after), action["path"]))
        if name == "read":
            return self._looked(name, self._shown(action["path"], action["line"]))
        if name == "search":
            return self._looked(name, found_text(files_of(self._after), action["text"]))
        if name == "edit":
            return await self._edited([action])
        if name == "edits":
            return await self._edited(action["edits"])
        if name == "write":
            return await self._written(action["path"], action["text"])
        if name == "reopen":
            self._seen.going_on = True
            return Step(self._observed(), change="it may be changed further")
        trial = await self._test()
        if name == "finish":
            return self._ended(trial)
        return Step(self._observed(), change=trial.line())

    def _looked(self, action: str, look: str) -> Step:
        if not self._seen.new(look, action):
            raise Mistake("That is shown already.")
        return Step(self._observed(), change="shown")

    async def _edited(self, edits: Sequence[Mapping[str, str]]) -> Step:
        texts: dict[str, str] = {}
        told = []
        for one in edits:
            name, old = self._tree.name(one["path"]), one["old"]
            if not old:
                texts[name], line = self._new(name, one["new"], texts), 1
                told.append(f"{name} made")
                continue
            text = texts[name] if name in texts else self._tree.text(name)
            texts[name], mended = edited(name, text, old, one["new"])
            line = first_changed(text, texts[name])
            told.append(f"{name} changed at line {line}{mended}")
        return await self._changed(texts, name, max(1, line - 5), ", ".join(told))

    def _new(self, name: str, text: str, others: Mapping[str, str]) -> str:
        if name in others or self._tree.exists(name):
            raise Mistake(f"{name} is there: old must be a piece of its text.")
        return written(name, None, text, MOST_WRITTEN)

    async def _written(self, path: str, text: str) -> Step:
        name = self._tree.name(path)
        before = self._tree.text_if_any(name)
        after = written(name, before, text, MOST_WRITTEN)
        told = f"{name} {'made' if before is None else 'written anew'}"
        return await self._changed({name: after}, name, 1, told)

    async def _changed(self, texts: Mapping[str, str], shown: str, line: int, told: str) -> Step:
        """Write the files. Where the tests are quick, they tell at once what it is worth: what
        helps none of them is taken back, so that the next change begins anew.

        Args:
            texts: name -> whole text, of one file or more.
            shown: the one that the model sees then, from ``line`` on.
        """
        seen = self._seen
        seen.undo = self._tree.before(texts)
        seen.keep(self._folder / SEEN)  # first: after a kill in between it is taken back, too
        self._tree.write(texts)
        if seen.quick:
            trial = await self._run()
            if not seen.helps(trial, code=any(name.endswith(".py") for name in texts)):
                self._take_back()
                seen.stale = 0
                told = f"Taken back, as no more tests pass: {trial.line()}. {trial.why()}"
                raise Mistake(told.rstrip())
            seen.test(trial, self._changes())
            seen.settle(trial)
            told += f"; tests: {trial.line()}"
        seen.undo = {}
        seen.change(self._shown(shown, line))
        return Step(self._observed(), change=told)

    def _take_back(self) -> None:
        """The change that is being tried."""
        self._tree.write(self._seen.undo)
        self._seen.undo = {}

    async def _test(self) -> Trial:
        trial = await self._run()
        self._seen.test(trial, self._changes())
        return trial

    async def _run(self) -> Trial:
        if self._sandbox is None:
            self._sandbox = await open_sandbox(self._settings, lambda message: None)
        return await run_tests(self._after, self._sandbox, self._settings)

    def _ended(self, trial: Trial) -> Step:
        """The end, with the patch; its reward is 1 if it applies and the tests pass."""
        patch = patch_of(self._before, self._after)
        if not patch:
            raise Mistake("Nothing was changed.")
        problem = apply_problem(patch, self._before, self._after)
        if problem:
            raise YunjueError(f"The patch does not apply: {problem}", hint="")
        write_whole(self._folder / PATCH, patch.encode())
        names = changed(self._before, self._after)
        answer = f"Changed {', '.join(names)}; {trial.line()}. The patch is {PATCH}."
        reward = 1.0 if trial.good or trial.none else 0.0
        return Step(
            self._observed(), change=trial.line(), answer=answer, reward=reward, files=[PATCH]
        )

    def _shown(self, name: str, line: int) -> str:
        """A file for the model. A short one is shown as it is to be written, without numbers."""
        text = self._tree.text(name)
        short = len(text) <= min(SHORT, self._room // 2)
        return f"{name}\n{text if short else read_from(text, line, self._room)}"

    def _observed(self) -> Observed:
        names = changed(self._before, self._after)
        changes = self._contents(names)
        text = self._seen.text(names, changes, self._room)
        details: dict[str, Any] = {"offered": self._seen.offered(names, changes)}
        if self._seen.passes(names, changes):
            details[OTHERWISE] = {"action": "finish"}
        return Observed(text, content_id([text, changes]), details)

    def _changes(self) -> str:
        return self._contents(changed(self._before, self._after))

    def _contents(self, names: list[str]) -> str:
        """Names and contents of what differs from the repository as it came."""
        return content_id([(n, content_id(p.read_bytes())) for n, p in self._differing(names)])

    def _differing(self, names: list[str]) -> list[tuple[str, Path]]:
        return [(name, self._after / name) for name in names if (self._after / name).exists()]

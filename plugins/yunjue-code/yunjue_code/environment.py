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
from yunjue_code.copying import copy_repository, inside
from yunjue_code.editing import edited, written
from yunjue_code.looking import found_text, listed, numbered, read_from
from yunjue_code.mistake import Mistake
from yunjue_code.patch import apply_problem, changed, files_of, patch_of
from yunjue_code.seen import Seen
from yunjue_code.source import repository_for
from yunjue_code.trial import Trial, run_tests

PATCH = "changes.patch"
SEEN = "seen.json"
CHARS_PER_TOKEN = 3
MOST_FILE = 1 << 20

PATH = {"type": "string", "minLength": 1, "maxLength": 300}
MOST_WRITTEN = 6000
WHOLE = {"type": "string", "maxLength": MOST_WRITTEN}
# Short, because a small model that is lost copies for ever.
OLD = {"type": "string", "minLength": 1, "maxLength": 800}
NEW = {"type": "string", "maxLength": 3000}
LINE = {"type": "integer", "minimum": 1}

KINDS = {
    kind.name: kind
    for kind in (
        ActionKind("list", "the files below a folder (. for all)", {"path": PATH}),
        ActionKind("read", "a file from a line on", {"path": PATH, "line": LINE}),
        ActionKind("search", "all files for a text", {"text": OLD}),
        ActionKind("write", "a whole file, new or anew", {"path": PATH, "text": WHOLE}),
        ActionKind("edit", "replace old by new in a file", {"path": PATH, "old": OLD, "new": NEW}),
        ActionKind("test", "run the tests"),
        ActionKind("finish", "the change is complete; ends the task"),
    )
}


class Repository:
    """One run's copy, in the run's folder: ``before`` as it came, ``after`` as it is now. Both
    are on disk after each step, so an interrupted run goes on with them."""

    def __init__(self, place: Place) -> None:
        self._settings = place.settings
        self._folder = place.folder
        self._before, self._after = place.folder / "before", place.folder / "after"
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
        await self._test()
        self._seen.keep(self._folder / SEEN)
        return self._observed()

    async def restore(self, done: Sequence[Mapping[str, Any]], last: Observed) -> Observed:
        try:
            self._seen = Seen.load(self._folder / SEEN)
        except (OSError, ValueError, TypeError) as error:
            raise YunjueError("The copy of the repository is gone.", hint="") from error
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
            text = self._text(action["path"])
            return self._looked(
                name, f"{action['path']}\n{read_from(text, action['line'], self._room)}"
            )
        if name == "search":
            return self._looked(name, found_text(files_of(self._after), action["text"]))
        if name == "edit":
            return await self._edited(action)
        if name == "write":
            return await self._written(action)
        trial = await self._test()
        if name == "finish":
            return self._ended(trial)
        return Step(self._observed(), change=trial.line())

    def _looked(self, action: str, look: str) -> Step:
        if not self._seen.new(look, action):
            raise Mistake("That is shown already.")
        return Step(self._observed(), change="shown")

    async def _edited(self, action: Mapping[str, Any]) -> Step:
        path, old, new = action["path"], action["old"], action["new"]
        text = self._text(path)
        after, mended = edited(path, text, old, new)
        self._write(path, after)
        line = text[: text.index(old)].count("\n") + 1
        self._seen.change(f"{path}\n{numbered(after, max(1, line - 5), self._room)}")
        return await self._changed(f"{path} changed at line {line}{mended}")

    async def _written(self, action: Mapping[str, Any]) -> Step:
        path, text = action["path"], action["text"]
        place = self._place(path)
        if any(parent.is_file() for parent in place.parents):
            raise Mistake(f"{path} would lie in a file.")
        before = self._text(path) if place.exists() else None
        after = written(path, before, text, MOST_WRITTEN)
        self._write(path, after)
        self._seen.change(f"{path}\n{numbered(after, 1, self._room)}")
        return await self._changed(f"{path} {'made' if before is None else 'written anew'}")

    async def _changed(self, told: str) -> Step:
        """What the tests say of the change is shown with it, as long as they are quick."""
        if self._seen.quick:
            told += f"; tests: {(await self._test()).line()}"
        return Step(self._observed(), change=told)

    async def _test(self) -> Trial:
        if self._sandbox is None:
            self._sandbox = await open_sandbox(self._settings, lambda message: None)
        trial = await run_tests(self._after, self._sandbox, self._settings)
        self._seen.test(trial, self._changes())
        return trial

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

    def _place(self, name: str) -> Path:
        """The path in the copy, which has no links."""
        name = name.removeprefix("./")
        if not inside(name):
            raise Mistake(f"{name!a} is no path in the repository.")
        path = self._after / name
        if ".git" in path.parts[len(self._after.parts) :]:
            raise Mistake("What git keeps is not changed.")
        return path

    def _text(self, name: str) -> str:
        path = self._place(name)
        if not path.is_file():
            raise Mistake(f"There is no file {name}.")
        if path.stat().st_size > MOST_FILE:
            raise Mistake(f"{name} has more than {MOST_FILE >> 20} MiB.")
        try:
            return path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise Mistake(f"{name} is no UTF-8 text.") from None

    def _write(self, name: str, text: str) -> None:
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError:
            raise Mistake("The text has half of a character.") from None
        write_whole(self._place(name), data)

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

"""A domain with an environment, in one file: look around in a ZIP archive, step by step.

    yunjue --plugin archive_domain:plugin solve --domain archive --file notes.zip \
        "Which of the notes names the meeting room, and what is it called?"

run in this folder. docs/plugins.md says what an environment must keep to.
"""

from __future__ import annotations

import shutil
import zipfile

from yunjue.domains import ActionKind, Domain, Observed, Step
from yunjue.errors import UsageError
from yunjue.hashing import content_id
from yunjue.hookspecs import hookimpl

CHARS_PER_TOKEN = 3
MOST = 1 << 20
"""Bytes of one file that are read: an archive may hold far more than its size."""


class Archive:
    """Names at first, then the file that was read last."""

    def __init__(self, place):
        self._room = place.tokens * CHARS_PER_TOKEN
        self._copy = place.folder / "archive.zip"  # of the run: a resumed one has it, too

    def actions(self, observed):
        name = {"type": "string", "enum": observed.details["names"]}
        return [
            ActionKind("read", "a file", {"name": name}),
            ActionKind("answer", "ends the task", {"text": {"type": "string", "maxLength": 500}}),
        ]

    async def start(self, task, files):
        given = next((path for path in files.values() if zipfile.is_zipfile(path)), None)
        if given is None:
            raise UsageError("No file of the task is a ZIP archive.", hint="Add one: --file X.zip")
        self._copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(given, self._copy)
        if not self._names():
            raise UsageError("There is no file in the archive.", hint="Add one that holds some.")
        return self._seen("\n".join(self._names()))

    async def restore(self, done, last):
        return last  # what is seen does not change by itself

    async def step(self, action):
        if action["action"] == "answer":
            return Step(self._seen(action["text"]), answer=action["text"])
        try:
            with zipfile.ZipFile(self._copy) as archive, archive.open(action["name"]) as file:
                text = file.read(MOST).decode()
        except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            return Step(self._seen("\n".join(self._names())), error=f"It cannot be read: {error}")
        return Step(self._seen(text), change=f"{action['name']} is shown")

    def risk(self, action, observed):
        return ""  # all of it can be taken back

    async def close(self):
        pass

    def _names(self):
        with zipfile.ZipFile(self._copy) as archive:
            return [name for name in archive.namelist() if not name.endswith("/")][:100]

    def _seen(self, text):
        return Observed(text[: self._room], content_id(text), {"names": self._names()})


class Plugin:
    @hookimpl
    def register_domains(self, register):
        register(
            Domain(
                "archive",
                "questions about files in a ZIP archive",
                fits=lambda task, files: any(name.endswith(".zip") for name in files),
                environment=Archive,
            )
        )


plugin = Plugin()

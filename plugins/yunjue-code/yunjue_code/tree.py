"""The copy that is changed: what may be read and written in it, and taking that back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from yunjue.files import write_whole
from yunjue_code.copying import inside
from yunjue_code.mistake import Mistake

MOST_FILE = 1 << 20


class Tree:
    """A folder without links. Names of files are paths below it, as models write them.

    Raises:
        Mistake: in all methods, for what is no such name or no text.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def name(self, written: str) -> str:
        """The one name of a file that may be written in several ways."""
        return self._place(written).relative_to(self.root).as_posix()

    def exists(self, name: str) -> bool:
        return self._place(name).exists()

    def text(self, name: str) -> str:
        path = self._place(name)
        if not path.is_file():
            raise Mistake(f"There is no file {name}.")
        if path.stat().st_size > MOST_FILE:
            raise Mistake(f"{name} has more than {MOST_FILE >> 20} MiB.")
        try:
            return path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise Mistake(f"{name} is no UTF-8 text.") from None

    def text_if_any(self, name: str) -> str | None:
        """Its text; None if there is no such file."""
        return self.text(name) if self.exists(name) else None

    def before(self, texts: Mapping[str, str]) -> dict[str, str | None]:
        """What is there now in the place of ``texts``, which :meth:`write` can then write."""
        files = {self._place(name) for name in texts}
        for name, text in texts.items():
            if any(above.is_file() or above in files for above in self._place(name).parents):
                raise Mistake(f"{name} would lie in a file.")
            _encoded(text)
        return {name: self.text_if_any(name) for name in texts}

    def write(self, texts: Mapping[str, str | None]) -> None:
        """Write all files; those whose text is None are deleted, if they are there."""
        for name, text in texts.items():
            if text is None:
                self._place(name).unlink(missing_ok=True)
            else:
                write_whole(self._place(name), _encoded(text))

    def _place(self, name: str) -> Path:
        name = name.removeprefix("./")
        if not inside(name):
            raise Mistake(f"{name!a} is no path in the repository.")
        path = self.root / name
        if ".git" in path.parts[len(self.root.parts) :]:
            raise Mistake("What git keeps is not changed.")
        return path


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise Mistake("The text has half of a character.") from None

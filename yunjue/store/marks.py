"""What an index has seen of the library it follows: a small file next to its data.

Every write to the index changes the file, so it also tells an open client that another
process wrote.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from yunjue.files import write_whole

_FILE = "seen.json"


@dataclass(slots=True)
class Marks:
    """Of one index folder.

    Attributes:
        maker: distinguishes this folder from one that was deleted and made again.
        writes: how often the folder was written.
        seen: collection -> (identity of the library, number of the last change seen).
        bulk: the collection that takes in many changes just now; "" for none.
    """

    maker: str
    writes: int = 0
    seen: dict[str, tuple[str, int]] = field(default_factory=dict)
    bulk: str = ""

    @property
    def stamp(self) -> tuple[str, int]:
        return self.maker, self.writes

    def number(self, collection: str, library: str) -> int:
        """The last change of ``library`` that ``collection`` has seen; 0 for none."""
        known, number = self.seen.get(collection, ("", 0))
        return number if known == library else 0


def read_marks(folder: Path) -> Marks:
    """The marks of ``folder``; of an index that has seen nothing if they cannot be read."""
    try:
        found = json.loads((folder / _FILE).read_text("utf-8"))
        seen = {name: (str(one[0]), int(one[1])) for name, one in found["seen"].items()}
        return Marks(str(found["maker"]), int(found["writes"]), seen, str(found["bulk"]))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return Marks(secrets.token_hex(8))


def write_marks(folder: Path, marks: Marks) -> None:
    """Keep the marks; counts as a write."""
    marks.writes += 1
    write_whole(folder / _FILE, json.dumps(asdict(marks)).encode())

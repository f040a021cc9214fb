"""The tool library of a folder: add proven tools, find them again, remember their calls.

::

    LIBRARY/library.db      rows: tools, verdicts, cases, calls, history, refusals, absorptions
    LIBRARY/code/ab/…py     the tools' files, by content hash
    LIBRARY/index/          vectors; can be deleted at any time
"""

from __future__ import annotations

from yunjue.library.absorbed import Absorbed
from yunjue.library.finding import Found
from yunjue.library.refused import Refused
from yunjue.library.upkeep import Upkeep
from yunjue.library.use import Use
from yunjue.library.versions import Versions
from yunjue.store.calls import Failure, Move
from yunjue.store.refusals import Refusal
from yunjue.store.sweep import Leftover

__all__ = ["Failure", "Found", "Leftover", "Library", "Move", "Refusal"]


class Library(Versions, Use, Refused, Absorbed, Upkeep):
    """The tools of one folder. Any number of processes and threads may use it at once.

    Nothing is opened before it is needed and no file is made before the first write: a
    library that does not exist is an empty one. The rows are the truth; the vector index
    takes in what changed at the next search.

    Args:
        directory: the folder.
        make_embedder: called once, when there is a tool to find; may raise YunjueError,
            then search goes on by words alone.
        warn: told what is wrong but does not stop the work.
        redact: JSON -> the same with secrets masked; sees inputs, outputs and errors of
            calls before they are kept.
    """

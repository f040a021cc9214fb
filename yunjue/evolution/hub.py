"""Rows of a dataset on the Hugging Face hub, through the library ``datasets``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from yunjue.errors import DownloadError, UsageError
from yunjue.evolution.rows import Row

NAME = re.compile(
    r"(?P<path>[\w.-]+/[\w.-]+)(?:/(?P<config>[\w.-]+))?(?::(?P<split>[\w.+\[\]:%-]+))?", re.ASCII
)
"""``org/name``, ``org/name:split``, ``org/name/config:split``."""


def read_dataset(source: str, wanted: Callable[[Sequence[str]], Sequence[str]]) -> Iterator[Row]:
    """The rows of one split.

    Args:
        source: matches :data:`NAME`.
        wanted: of the columns' names those to read: images are not even decoded.

    Raises:
        UsageError: ``datasets`` is not installed, or there is no such dataset or split.
        DownloadError: it cannot be fetched.
    """
    try:
        import datasets
    except ImportError:
        raise UsageError(
            f"There is no file {source}, and to read a dataset of that name from the Hugging "
            "Face hub the library `datasets` is needed.",
            hint='pip install "yunjue[hf]"',
        ) from None
    found = NAME.fullmatch(source)
    assert found, "the caller has checked the name"
    path, split = found["path"], found["split"]
    try:
        loaded: Any = datasets.load_dataset(path, found["config"], split=split)
        if split is None:
            loaded = _only_split(loaded, path, source)
        columns = list(wanted(loaded.column_names))
        for number, fields in enumerate(loaded.select_columns(columns), start=1):
            yield Row(f"row {number} of {source}", number, dict(fields))
    except UsageError:
        raise
    except (FileNotFoundError, ValueError) as error:
        raise UsageError(
            f"The dataset {source} cannot be had: {_line(error)}",
            hint="Name it as org/name:split or org/name/config:split, or name a file that exists.",
        ) from None
    except Exception as error:  # whatever its network stack raises
        raise DownloadError(f"The dataset {source} cannot be fetched: {_line(error)}") from None


def _only_split(loaded: Any, path: str, source: str) -> Any:
    splits = list(loaded)
    if len(splits) != 1:
        raise UsageError(
            f"The dataset {path} has the splits {', '.join(splits)}.",
            hint=f"Name one: {source}:{splits[-1]}" if splits else "It is empty.",
        )
    return loaded[splits[0]]


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]

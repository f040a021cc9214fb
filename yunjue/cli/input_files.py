"""``--file``: the inputs of a run."""

from __future__ import annotations

from pathlib import Path

from yunjue.errors import UsageError


def input_files(paths: list[Path]) -> dict[str, Path]:
    """name -> path of the inputs; each must be a readable file with a name of its own."""
    files: dict[str, Path] = {}
    for path in paths:
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise UsageError(
                f"The file {path} cannot be read: {error.strerror}.", hint="Check --file."
            ) from None
        if path.name in files:
            raise UsageError(f"Two files are called {path.name}.", hint="Rename one of them.")
        files[path.name] = path
    return files

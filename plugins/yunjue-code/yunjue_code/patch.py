"""The difference of two trees as a patch that ``git apply`` takes."""

from __future__ import annotations

import difflib
import filecmp
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from yunjue.errors import YunjueError

CONTEXT = 3
NO_NEWLINE = "\\ No newline at end of file\n"
GIT_SECONDS = 60


def files_of(tree: Path) -> dict[str, Path]:
    """relative path -> path, in order, of every file."""
    return {
        path.relative_to(tree).as_posix(): path
        for path in sorted(tree.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def patch_of(before: Path, after: Path) -> str:
    """What turns the tree ``before`` into ``after``; "" if they are equal. Changed files are
    UTF-8: only such can be edited."""
    old, new = files_of(before), files_of(after)
    parts = []
    for name in sorted({*old, *new}):
        was = old[name].read_bytes() if name in old else None
        now = new[name].read_bytes() if name in new else None
        if was != now:
            parts.append("".join(_file(name, was, now)))
    return "".join(parts)


def changed(before: Path, after: Path) -> list[str]:
    """The names of files that differ."""
    old, new = files_of(before), files_of(after)
    return [
        name
        for name in sorted({*old, *new})
        if not (name in old and name in new and filecmp.cmp(old[name], new[name], shallow=False))
    ]


def apply_problem(patch: str, before: Path, after: Path) -> str:
    """Why the patch does not turn ``before`` into ``after``; "" if it does. ``git apply`` says,
    on a copy of ``before`` with no configuration of anybody's.

    Raises:
        YunjueError: git is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="yunjue-patch-") as name:
        tree = Path(name, "tree")
        shutil.copytree(before, tree)
        if problem := apply_to(tree, patch):
            return problem
        differ = changed(tree, after)
        return f"it leaves {', '.join(differ[:5])} otherwise" if differ else ""


def apply_to(tree: Path, patch: str) -> str:
    """Apply the patch; why it cannot be, or "". Nothing is changed then.

    Raises:
        YunjueError: git is not installed, or does not come to an end.
    """
    if shutil.which("git") is None:
        raise YunjueError("The patch cannot be checked: git is not installed.", hint="")
    with tempfile.TemporaryDirectory(prefix="yunjue-patch-") as name:
        file = Path(name, "changes.patch")
        file.write_bytes(patch.encode())
        for flags in (["--check"], []):
            done = _git(["apply", "--whitespace=nowarn", *flags, str(file)], tree, Path(name))
            if done.returncode:
                return done.stderr.strip()[:300] or "git apply refuses it"
    return ""


def _git(arguments: list[str], tree: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        # Else a repository around the copy would be what is changed.
        "GIT_CEILING_DIRECTORIES": str(tree.parent),
        "LC_ALL": "C",
    }
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise YunjueError(f"The patch cannot be checked: {error}.", hint="") from None


def _file(name: str, was: bytes | None, now: bytes | None) -> Iterator[str]:
    """The lines of one file's part."""
    a, b = _quoted(f"a/{name}"), _quoted(f"b/{name}")
    yield f"diff --git {a} {b}\n"
    if was is None:
        yield "new file mode 100644\n"
    if now is None:
        yield "deleted file mode 100644\n"
    old, new = _lines(was or b""), _lines(now or b"")
    start = "/dev/null" if was is None else a
    end = "/dev/null" if now is None else b
    for line in difflib.unified_diff(old, new, start, end, n=CONTEXT):
        yield line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}"


def _lines(data: bytes) -> list[str]:
    """The lines with their ends; only a line feed ends one, as for git."""
    text = data.decode("utf-8")
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _quoted(name: str) -> str:
    """As git writes a path that is not plain ASCII without quotes and spaces."""
    if name.isascii() and not set(name) & {'"', "\\", " "} and name.isprintable():
        return name
    octal = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in (34, 92) else f"\\{byte:03o}"
        for byte in name.encode("utf-8")
    )
    return f'"{octal}"'

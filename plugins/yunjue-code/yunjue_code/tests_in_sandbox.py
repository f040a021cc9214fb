"""Runs the tests of a repository with pytest and says what came of them."""

# This file is run in the sandbox, as the source of a tool, and never imported.

import contextlib
import io
import os
import sys
import tarfile
from pathlib import Path

from pydantic import BaseModel

__TOOL_META__ = {
    "name": "run_tests",
    "description": "Runs the tests of a repository with pytest and says what came of them.",
    "dependencies": ["pytest==9.1.1"],
}
REPORT_CHARS = 3000


class InputModel(BaseModel):
    archive: str
    paths: list[str] = []


class OutputModel(BaseModel):
    code: int
    passed: int
    failed: int
    unread: int
    report: str


class Results:
    """A pytest plugin that keeps what happened."""

    def __init__(self) -> None:
        self.passed, self.failed, self.unread, self.texts = 0, 0, 0, []

    def pytest_runtest_logreport(self, report) -> None:
        if report.failed:
            self.failed += 1
            self.texts.append(f"{report.nodeid}: {report.longreprtext}")
        elif report.when == "call" and report.passed:
            self.passed += 1

    def pytest_collectreport(self, report) -> None:
        if report.failed:
            self.failed += 1
            self.unread += 1
            self.texts.append(f"{report.nodeid}: {report.longreprtext}")


def run(input: InputModel) -> OutputModel:
    import pytest

    root = Path("repository").absolute()
    with tarfile.open(Path("/inputs") / input.archive) as archive:
        archive.extractall(root, filter="data")
    os.chdir(root)
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(root), *([str(root / "src")] if (root / "src").is_dir() else [])]
    results = Results()
    flags = ["-q", "-p", "no:cacheprovider", "--tb=short", "--rootdir", str(root)]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = pytest.main([*flags, *input.paths], plugins=[results])
    report = "\n".join(shorter(text) for text in results.texts)
    return OutputModel(
        code=int(code),
        passed=results.passed,
        failed=results.failed,
        unread=results.unread,
        report=report[:REPORT_CHARS],
    )


def shorter(text) -> str:
    """The end of a traceback says most."""
    return text if len(text) <= 800 else f"{text[:200]}\n…\n{text[-590:]}"

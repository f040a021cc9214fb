"""The tests of a tree, run in the sandbox."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from yunjue.config import Settings
from yunjue.foreign import inline
from yunjue.protocols import Sandbox, SandboxJob, SandboxLimits
from yunjue_code.patch import files_of

SOURCE = Path(__file__).with_name("tests_in_sandbox.py")
PYTEST = "pytest==9.1.1"
VARIABLE = "YUNJUE_CODE_REQUIREMENTS"
"""Wheels that the tests need besides, as ``numpy==2.4.0, attrs``."""
ARCHIVE = "repository.tar"
LEAST_SECONDS = 60.0
LEAST_MEMORY = 512
SCRATCH_MIB = 256
NO_TESTS = 5
"""Exit code of pytest that found none."""
ENDED = (0, 1)
"""Exit codes of pytest that ran all tests."""
WHY_CHARS = 120


@dataclass(frozen=True, slots=True)
class Trial:
    """What the tests came to.

    Attributes:
        none: there is no test.
        whole: all that pytest found could be run, so that counts can be compared.
        report: of what failed, shortened.
        seconds: that they took, as the sandbox says.
    """

    passed: int
    failed: int
    report: str
    none: bool = False
    whole: bool = False
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Some passed, and none failed."""
        return not self.failed and self.passed > 0

    def line(self) -> str:
        if self.none:
            return "there are no tests"
        return f"{self.passed} passed, {self.failed} failed"

    def why(self) -> str:
        """What failed first, in one line."""
        lines = self.report.splitlines()
        told = next((line[2:] for line in lines if line.startswith("E ")), self.report)
        return inline(told, WHY_CHARS)


async def run_tests(
    tree: Path,
    sandbox: Sandbox,
    settings: Settings,
    added: Mapping[str, bytes] | None = None,
    paths: tuple[str, ...] = (),
) -> Trial:
    """Run them with pytest, without network, on a copy that is gone afterwards.

    Args:
        added: name -> content of files that are put into the copy.
        paths: of tests; all that pytest finds by default.

    Raises:
        SandboxError, DependencyError: nothing was run.
    """
    with tempfile.TemporaryDirectory(prefix="yunjue-code-") as folder:
        archive = Path(folder) / ARCHIVE
        _pack(tree, archive, added or {})
        job = SandboxJob(
            source=SOURCE.read_text("utf-8"),
            calls=[{"archive": ARCHIVE, "paths": list(paths)}],
            requirements=requirements(),
            files={ARCHIVE: archive},
            limits=SandboxLimits(
                seconds=max(LEAST_SECONDS, settings.tool_seconds),
                memory_mib=max(LEAST_MEMORY, settings.tool_memory),
                scratch_mib=SCRATCH_MIB,
            ),
        )
        (outcome,) = await sandbox.call(job)
    if outcome.status != "ok" or outcome.output is None:
        said = f"The tests did not come to an end: {outcome.error}"
        return Trial(0, 1, said, seconds=outcome.seconds)
    code, output = outcome.output["code"], outcome.output
    if code == NO_TESTS:
        return Trial(0, 0, "", none=True)
    failed = output["failed"] or int(code != 0)  # it stopped for another reason
    report = output["report"] or (f"pytest ended with {code}" if code else "")
    whole = code in ENDED and not output["unread"]
    return Trial(output["passed"], failed, report, whole=whole, seconds=outcome.seconds)


def requirements() -> list[str]:
    """pytest and what the user names; the sandbox refuses what is no plain requirement."""
    named = [text.strip() for text in os.environ.get(VARIABLE, "").split(",")]
    return [PYTEST, *(text for text in named if text)]


def _pack(tree: Path, archive: Path, added: Mapping[str, bytes]) -> None:
    contents = {name: path.read_bytes() for name, path in files_of(tree).items()} | dict(added)
    with tarfile.open(archive, "w") as tar:
        for name, data in sorted(contents.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            tar.addfile(member, io.BytesIO(data))

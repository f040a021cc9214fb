"""Whether a patch solves one of the domain's tasks: by checks that the agent did not see."""

from __future__ import annotations

import tempfile
from pathlib import Path

from yunjue.config import Settings
from yunjue.protocols import Sandbox
from yunjue_code.copying import copy_repository
from yunjue_code.patch import apply_to
from yunjue_code.trial import Trial, run_tests

CHECK = "test_unseen.py"


async def checked(
    archive: Path, patch: str, check: bytes, sandbox: Sandbox, settings: Settings
) -> Trial:
    """What the check says of the repository with the patch; a patch that does not apply fails.

    Args:
        archive: the repository as the task gives it.
        check: text of a file of pytest's.
    """
    with tempfile.TemporaryDirectory(prefix="yunjue-check-") as folder:
        tree = Path(folder) / "tree"
        copy_repository(archive, tree)
        if patch and (problem := apply_to(tree, patch)):
            return Trial(0, 1, problem)
        return await run_tests(tree, sandbox, settings, {CHECK: check}, (CHECK,))

"""A skill's script as a job of the sandbox: a generated tool file with the skill's files in it.

The files travel in the source, not from the host's disk, so that a recorded run is replayed
with what its skill was then, and the sandbox needs to show nothing of the host.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yunjue.errors import SkillRefused
from yunjue.protocols import Outputs, SandboxJob, SandboxLimits
from yunjue.skills import pep723
from yunjue.skills.folder import MAX_SCRIPT_FILES

_NO_FILES = "FILES: dict[str, str] = {}\n"


def packed(files: Mapping[str, bytes]) -> dict[str, str]:
    """path -> content in base64, as it stands in a trace.

    Raises:
        SkillRefused: it is too much to be sent along.
    """
    size = sum(map(len, files.values()))
    if size > MAX_SCRIPT_FILES:
        raise SkillRefused(
            f"The skill's folder has {size} bytes; scripts run with at most {MAX_SCRIPT_FILES}.",
        )
    return {path: base64.b64encode(files[path]).decode() for path in sorted(files)}


def job_for(
    files: Mapping[str, str],
    script: str,
    args: Sequence[str],
    stdin: str = "",
    *,
    limits: SandboxLimits,
    inputs: Mapping[str, Path] | None = None,
    outputs: Outputs | None = None,
) -> SandboxJob:
    """The job that runs ``script`` once.

    Args:
        files: of the skill, as :func:`packed` gives them.
        script: path within the skill.
        inputs: the run's files, which the script finds at ``/inputs/NAME``.

    Raises:
        ValueError: what the script says it requires is wrong.
    """
    source = base64.b64decode(files[script]).decode("utf-8")
    return SandboxJob(
        source=_source(files),
        calls=[arguments(script, args, stdin)],
        requirements=pep723.requirements(source),
        files=inputs or {},
        limits=limits,
        outputs=outputs,
    )


def arguments(script: str, args: Sequence[str], stdin: str) -> dict[str, Any]:
    """The inputs of such a call, without what is empty."""
    return {"script": script, "args": list(args), **({"stdin": stdin} if stdin else {})}


def _source(files: Mapping[str, str]) -> str:
    own = Path(__file__).with_name("run_script.py").read_text("utf-8")
    assert own.count(_NO_FILES) == 1
    return own.replace(_NO_FILES, f"FILES: dict[str, str] = {json.dumps(files, sort_keys=True)}\n")

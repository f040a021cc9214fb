"""Scripts of skills in a real sandbox: those that are shipped, and one that tries to get out."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "skills"))

from script_cases import CASES, WRONG

from yunjue.protocols import Outputs, SandboxLimits
from yunjue.skills.folder import read_skill
from yunjue.skills.scripts import job_for, packed
from yunjue.skills.shelf import shipped_folder

pytestmark = pytest.mark.integration

ABC = hashlib.sha256(b"abc").hexdigest()


def run(sandbox, script, args, stdin="", **more):
    name, _, path = script.partition("/")
    skill, _ = read_skill(shipped_folder() / name)
    job = job_for(packed(skill.files), path, args, stdin, limits=SandboxLimits(), **more)
    (outcome,) = asyncio.run(sandbox.call(job))
    return outcome


@pytest.mark.parametrize("case", CASES)
def test_a_script_prints_what_it_should(bubblewrap_sandbox, case):
    script, args, stdin, wanted = CASES[case]
    outcome = run(bubblewrap_sandbox, script, args, stdin)
    assert outcome.status == "ok", outcome
    printed = outcome.output["stdout"]
    if isinstance(wanted, str):
        assert printed == wanted
    else:
        assert [part for part in wanted if part not in printed] == [], printed


@pytest.mark.parametrize("case", WRONG)
def test_a_script_says_what_is_wrong(bubblewrap_sandbox, case):
    script, args, words = WRONG[case]
    outcome = run(bubblewrap_sandbox, script, args, "a,b\n1,2\n")
    assert outcome.status in ("input_error", "failed") and words in outcome.error


def test_a_manifest_is_written_kept_and_verified(bubblewrap_sandbox, tmp_path):
    script = "checksum-manifest/scripts/manifest.py"
    (tmp_path / "a.txt").write_text("abc")
    inputs = {"a.txt": tmp_path / "a.txt"}
    outputs = Outputs(tmp_path / "out")
    wrote = run(
        bubblewrap_sandbox, script, ["write", "/inputs/a.txt"], inputs=inputs, outputs=outputs
    )
    assert wrote.output == {"stdout": f"{ABC}  a.txt"}
    manifest = tmp_path / "out/SHA256SUMS"
    assert manifest.read_text() == f"{ABC}  a.txt\n"
    inputs["SHA256SUMS"] = manifest
    args = ["verify", "/inputs/SHA256SUMS", "/inputs/a.txt"]
    told = run(bubblewrap_sandbox, script, args, inputs=inputs)
    assert told.output == {"stdout": "a.txt: OK\nverified"}
    (tmp_path / "a.txt").write_text("abd")
    told = run(bubblewrap_sandbox, script, args, inputs=inputs)
    assert told.output == {"stdout": "a.txt: FAILED\nnot verified"}


def test_a_script_cannot_leave_the_sandbox(bubblewrap_sandbox, tmp_path):
    """No network, no file of the host, and another script's files are not there."""
    (tmp_path / "secret").write_text("secret")
    text = f"""
import pathlib, socket
print(pathlib.Path({str(tmp_path / "secret")!r}).exists())
try:
    socket.create_connection(("192.0.2.1", 80), 2)
except OSError as error:
    print("no network")
print(sorted(str(p) for p in pathlib.Path("skill").rglob("*.py")))
"""
    files = {"scripts/x.py": base64.b64encode(text.encode()).decode()}
    job = job_for(files, "scripts/x.py", [], limits=SandboxLimits())
    (outcome,) = asyncio.run(bubblewrap_sandbox.call(job))
    assert outcome.output == {"stdout": "False\nno network\n['skill/scripts/x.py']"}

"""The examples run as they stand, offline."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.integration
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("solve.py", "-> 4 | new tools: []"),
        ("scripted_model.py", "{'city': 'Paris'}"),
        ("replay.py", "no differences"),
    ],
)
def test_an_example_runs(name, words, home, bubblewrap_sandbox):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        env={**os.environ, "YUNJUE_HOME": str(home), "YUNJUE_SANDBOX": "bubblewrap"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert words in done.stdout

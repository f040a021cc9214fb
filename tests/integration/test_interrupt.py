"""Ctrl-C: exit 130, the resume command, and nothing left running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest
import story


@pytest.mark.integration
def test_ctrl_c_names_the_resume_command(tmp_path, home, bubblewrap_sandbox):
    environment = {
        **os.environ,
        "YUNJUE_HOME": str(home),
        "YUNJUE_MODEL": story.write_script(tmp_path / "script.json", delay=0.5),
        "YUNJUE_SANDBOX": "bubblewrap",
        "YUNJUE_EMBEDDER": "hash",
        "YUNJUE_LIBRARY": str(tmp_path / "library"),
    }
    yunjue = [sys.executable, "-m", "yunjue"]
    process = subprocess.Popen(
        [*yunjue, "solve", story.TASK],
        # A shell lets what it starts in the background ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    seen = ""
    while "specify" not in seen:
        seen += process.stderr.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in rest
    run = re.search(r"yunjue resume (\S+)", rest)[1]
    done = subprocess.run(
        [*yunjue, "resume", run], env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "radec\n"), done.stderr

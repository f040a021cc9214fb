"""`yunjue sandbox` as a user calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration


def sandbox(*args, home, env=None):
    return subprocess.run(
        [sys.executable, "-m", "yunjue", "sandbox", *args],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "YUNJUE_HOME": str(home), **(env or {})},
    )


def test_check_tells_what_held_and_what_is_not_claimed(home):
    done = sandbox("check", "--backend", "process", "--allow-unsafe", "--json", home=home)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    found = json.loads(done.stdout)
    assert found["backend"] == "process" and found["passed"]
    assert {"name", "passed", "detail"} <= set(found["probes"][0])
    assert "no way to the internet" in found["not_claimed"]
    assert not {probe["name"] for probe in found["probes"]} & set(found["not_claimed"])


def test_check_of_a_backend_that_is_not_there(home):
    done = sandbox("check", "--backend", "process", home=home)
    assert done.returncode == 5
    assert "does not isolate" in done.stderr


def test_status_and_build_and_reap(home, engine):
    built = json.loads(sandbox("build", "--backend", "docker", "--json", home=home).stdout)
    assert built["name"] == "docker"
    left = json.loads(sandbox("status", "--json", home=home).stdout)
    docker = next(one for one in left["backends"] if one["name"] == "docker")
    assert docker["works"] and docker["image"] == built["image"] and docker["missing"] == []

    import docker as sdk

    client = sdk.from_env()
    client.api.create_container(built["image"], ["x"], name="yunjue-left", labels={"yunjue": "1"})
    client.close()
    left = json.loads(sandbox("status", "--json", home=home).stdout)["containers"]
    assert ("yunjue-left", "created") in [(one["name"], one["state"]) for one in left]
    reaped = json.loads(sandbox("reap", "--json", home=home).stdout)
    assert {"name": "yunjue-left"} in reaped
    assert json.loads(sandbox("reap", "--json", home=home).stdout) == []


def test_reap_without_an_engine_is_one_clear_message(home, tmp_path):
    gone = {"DOCKER_HOST": f"unix://{tmp_path}/gone.sock"}
    done = sandbox("reap", home=home, env=gone)
    assert done.returncode == 5 and "Traceback" not in done.stderr
    status = json.loads(sandbox("status", "--json", home=home, env=gone).stdout)
    assert not next(one for one in status["backends"] if one["name"] == "docker")["works"]

"""What a call in a sandbox costs, side by side in one run.

    python benchmarks/sandbox.py [--calls 20] [--json]

Ways: a plain process without any isolation (a floor to compare with), each backend with a
fresh sandbox for every call, each with a warm worker, and the container engine alone,
starting and removing the same container with nothing of ours in it. All call the same
small tool; the ways take turns, so that a noisy machine is noisy for all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from yunjue.errors import SandboxUnavailable
from yunjue.protocols import SandboxJob, SandboxLimits
from yunjue.sandbox.bubblewrap import BubblewrapSandbox
from yunjue.sandbox.docker_backend import DockerSandbox
from yunjue.sandbox.harmless import ADD_ONE

PLAIN = (
    ADD_ONE + "\nimport sys\nprint(run(InputModel(number=int(sys.argv[1]))).model_dump_json())\n"
)
CASES = 10
THREADS = 8
JOB = SandboxJob(source=ADD_ONE, calls=[{"number": 1}], limits=SandboxLimits())
Way = Callable[[], Awaitable[Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=20, help="timed calls of each way")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = asyncio.run(measure(options.calls))
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        report(found)


async def measure(calls: int) -> dict[str, Any]:
    backends = {}
    for make in (BubblewrapSandbox, DockerSandbox):
        sandbox = make()
        try:
            await sandbox.prepare()
            backends[sandbox.name] = sandbox
        except SandboxUnavailable as error:
            print(f"{sandbox.name} is left out: {error.message}", file=sys.stderr)
    ways: dict[str, Way] = {"plain process": plain}
    for name, sandbox in backends.items():
        ways[f"{name}, fresh"] = caller(sandbox, JOB)
        ways[f"{name}, warm"] = caller(sandbox, replace(JOB, warm=True))
        ways[f"{name}, fresh, {CASES} cases"] = caller(
            sandbox, replace(JOB, calls=[{"number": number} for number in range(CASES)])
        )
    if "docker" in backends:
        ways["engine alone"] = engine_alone(backends["docker"])
    try:
        times = await take_turns(ways, calls)
        rates = {name: await rate(way, calls) for name, way in ways.items()}
        memory = warm_memory() if "docker" in backends else None
    finally:
        for sandbox in backends.values():
            await sandbox.close()
    rows = {
        name: {"median_ms": 1000 * statistics.median(times[name]), **rates[name]} for name in ways
    }
    return {"ways": rows, "warm_worker_mib": memory, "calls": calls}


def caller(sandbox: Any, job: SandboxJob) -> Way:
    async def call() -> None:
        outcomes = await sandbox.call(job)
        assert outcomes[0].output is not None, outcomes[0]

    return call


async def plain() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PLAIN, "1", stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert json.loads(out) == {"result": 2}


def engine_alone(sandbox: DockerSandbox) -> Way:
    """The same container, running nothing but an empty Python program."""

    def once() -> None:
        client = sandbox._connect()
        try:
            what = sandbox._container([sandbox._python, "-I", "-c", "pass"], SandboxLimits())
            made = client.api.create_container(
                what.image,
                entrypoint=list(what.command[:1]),
                command=list(what.command[1:]),
                user="65534:65534",
                network_disabled=True,
                host_config=what.host_config(client),
            )
            client.api.start(made["Id"])
            client.api.wait(made["Id"])
            client.api.remove_container(made["Id"], force=True)
        finally:
            client.close()

    return lambda: asyncio.to_thread(once)


async def take_turns(ways: dict[str, Way], calls: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        await way()  # the first starts workers and fills caches
    for _ in range(calls):
        for name, way in ways.items():
            started = time.perf_counter()
            await way()
            times[name].append(time.perf_counter() - started)
    return times


async def rate(way: Way, calls: int) -> dict[str, float]:
    """Calls a second, one at a time and eight at a time."""
    started = time.perf_counter()
    for _ in range(calls):
        await way()
    one = calls / (time.perf_counter() - started)
    await asyncio.gather(*(way() for _ in range(THREADS)))  # as many workers as will be used
    started = time.perf_counter()
    for _ in range(max(1, calls // THREADS)):
        await asyncio.gather(*(way() for _ in range(THREADS)))
    many = max(1, calls // THREADS) * THREADS / (time.perf_counter() - started)
    return {"calls_per_s_1": one, f"calls_per_s_{THREADS}": many}


def warm_memory() -> float | None:
    """MiB that the engine counts for one idle warm worker."""
    import docker

    client = docker.from_env()
    try:
        running = client.api.containers(filters={"label": "yunjue=1"})
        sizes = [client.api.stats(one["Id"], stream=False)["memory_stats"] for one in running]
        used = [size["usage"] / 2**20 for size in sizes if "usage" in size]
        return statistics.median(used) if used else None
    finally:
        client.close()


def report(found: dict[str, Any]) -> None:
    ways = found["ways"]
    print(f"| way | median ms | calls/s | calls/s, {THREADS} at once |")
    print("|---|---|---|---|")
    for name, row in ways.items():
        print(
            f"| {name} | {row['median_ms']:.1f} | {row['calls_per_s_1']:.1f} "
            f"| {row[f'calls_per_s_{THREADS}']:.1f} |"
        )
    if "engine alone" in ways:
        fresh, alone = ways["docker, fresh"]["median_ms"], ways["engine alone"]["median_ms"]
        cases = ways[f"docker, fresh, {CASES} cases"]["median_ms"]
        print(f"\nOf a fresh container's call, {100 * (1 - alone / fresh):.0f} % is ours.")
        print(f"{CASES} cases in a fresh container take {cases / fresh:.2f} times one call.")
    if found["warm_worker_mib"]:
        print(f"An idle warm worker takes {found['warm_worker_mib']:.0f} MiB.")


if __name__ == "__main__":
    main()

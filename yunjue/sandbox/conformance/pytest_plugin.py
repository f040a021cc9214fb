"""For authors of backends: every probe as a test.

In ``conftest.py``::

    pytest_plugins = ["yunjue.sandbox.conformance.pytest_plugin"]

and in a test module, with a fixture that gives the backend::

    def test_conforms(my_sandbox, sandbox_probe):
        sandbox_probe(my_sandbox)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from yunjue.protocols import Sandbox


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each probe."""
    if "sandbox_probe" in metafunc.fixturenames:
        from yunjue.sandbox.conformance.check import PROBES

        names = [probe.name.replace(" ", "-") for probe in PROBES]
        metafunc.parametrize("sandbox_probe", PROBES, ids=names, indirect=True)


@pytest.fixture
def sandbox_probe(request: pytest.FixtureRequest) -> Callable[[Sandbox], None]:
    """Tries its probe on a sandbox; skips what the sandbox does not claim to hold."""
    from yunjue.sandbox.conformance.check import attempt, claimed

    def run(sandbox: Sandbox) -> None:
        async def prepared() -> str:
            await sandbox.prepare()
            if not claimed(sandbox, request.param):
                pytest.skip(f"{sandbox.name} does not claim to isolate: {request.param.part}")
            return await attempt(sandbox, request.param)

        problem = asyncio.run(prepared())
        assert not problem, problem

    return run

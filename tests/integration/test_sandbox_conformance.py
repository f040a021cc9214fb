"""The conformance suite against each real backend, and against one that was weakened."""

from __future__ import annotations

import pytest

from yunjue.sandbox.bubblewrap import BubblewrapSandbox
from yunjue.sandbox.conformance.check import PROBES, attempt

pytestmark = pytest.mark.integration


def test_conforms(sandbox, sandbox_probe):
    sandbox_probe(sandbox)


class Weakened(BubblewrapSandbox):
    """Shares the host's network."""

    def _arguments(self, ground, group):
        return [one for one in super()._arguments(ground, group) if one != "--unshare-net"]


async def test_the_suite_notices_a_hole(bubblewrap_sandbox, home, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    weakened = Weakened()
    await weakened.prepare()
    found = {}
    for probe in PROBES:
        if probe.part == "network":
            found[probe.name] = await attempt(weakened, probe)
    await weakened.close()
    assert found["no way to the host's own servers"]
    assert found["no interface but loopback"] or found["no way to the internet"]

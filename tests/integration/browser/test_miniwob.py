"""At least 40 MiniWoB++ tasks are solved through observations and actions alone."""

from __future__ import annotations

import pytest
from oracles import ORACLES
from wob import pages, run_episode, served

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(900),
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_scripted_solutions_succeed(opened):
    assert pages(), "pip install --no-deps miniwob"
    assert len(ORACLES) >= 40
    failed = {}
    with served() as base:
        browser = (await opened(origins=(base,))).browser
        for task, oracle in ORACLES.items():
            _, reward, why = await run_episode(browser, base, task, 1, oracle)
            if reward <= 0:
                failed[task] = why or reward
    assert failed == {}

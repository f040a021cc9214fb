"""At least 40 MiniWoB++ tasks are solved through observations and actions alone."""

from __future__ import annotations

import pytest
from oracles import ORACLES
from wob import run_episode

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(900),
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_scripted_solutions_succeed(opened, tasks):
    assert len(ORACLES) >= 40
    failed = {}
    browser = (await opened(origins=(tasks,))).browser
    for task, oracle in ORACLES.items():
        _, reward, why = await run_episode(browser, tasks, task, 1, oracle)
        if reward <= 0:
            failed[task] = why or reward
    assert failed == {}

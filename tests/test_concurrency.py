from __future__ import annotations

import asyncio

import pytest

from yunjue.concurrency import together


async def value(n):
    await asyncio.sleep(0)
    return n


async def test_results_come_in_order():
    assert await together(value(1), value(2)) == [1, 2]
    assert await together() == []


async def test_a_failure_ends_the_rest_first():
    ended = []

    async def long():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def fail():
        await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await together(long(), fail(), long())
    assert ended == [True, True]

from __future__ import annotations

import pytest

from yunjue.models.cache import ReplyCache
from yunjue.types import Message, ModelReply, ModelRequest, Usage

REQUEST = ModelRequest(messages=[Message(role="user", content="hi")])
REPLY = ModelReply(
    text="ho", model="m", usage=Usage(prompt_tokens=3), cost_usd=0.5, seconds=2, finish="length"
)


def test_a_kept_reply_costs_nothing(tmp_path):
    ReplyCache(tmp_path).put("m", REQUEST, REPLY)
    kept = ReplyCache(tmp_path).get("m", REQUEST)
    assert kept == REPLY.model_copy(update={"cost_usd": 0.0, "seconds": 0.0})


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"temperature": 0.7},
        {"max_tokens": 5},
        {"stop": ["x"]},
        {"schema_": {"type": "object"}},
        {"messages": [Message(role="system", content="hi")]},
    ],
)
def test_another_question_is_a_miss(tmp_path, change):
    cache = ReplyCache(tmp_path)
    cache.put("m", REQUEST, REPLY)
    assert cache.get("m", REQUEST.model_copy(update=change)) is None
    assert cache.get("other", REQUEST) is None


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b"[]", b'{"text": "ho"}'])
def test_a_damaged_entry_is_a_miss_and_can_be_replaced(tmp_path, damage):
    cache = ReplyCache(tmp_path)
    cache.put("m", REQUEST, REPLY)
    (file,) = tmp_path.rglob("*.json")
    file.write_bytes(damage)
    assert cache.get("m", REQUEST) is None
    cache.put("m", REQUEST, REPLY)
    assert cache.get("m", REQUEST).text == "ho"
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".json"]

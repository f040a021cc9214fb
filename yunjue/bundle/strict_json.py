"""JSON that says one thing: bounded, no member twice, no NaN; and always the same bytes."""

from __future__ import annotations

import json
import math
from typing import Any

from yunjue.errors import BundleRefused

MAX_DEPTH = 32


def dump(value: Any) -> bytes:
    """ASCII with escapes, because a lone surrogate, which JSON can carry, has no UTF-8.

    Members keep their order: that of a tool's inputs means something.

    Raises:
        ValueError: NaN or infinity.
    """
    text = json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def load(data: bytes, name: str) -> Any:
    """What the entry ``name`` says.

    Raises:
        BundleRefused: it is no JSON, nests too deep, has a member twice or a number that is
            none.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            raise BundleRefused("json-duplicate-member", f"{name} has a member twice.")
        return members

    def no_number(text: str) -> Any:
        raise BundleRefused("json-not-finite", f"{name} holds {text}, which is no JSON.")

    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=no_number)
    except RecursionError:
        raise BundleRefused("json-too-deep", f"{name} nests too deep.") from None
    except ValueError as error:
        raise BundleRefused("not-json", f"{name} is not JSON in UTF-8: {error}.") from None
    _check(value, name)
    return value


def _check(value: Any, name: str) -> None:
    """Depth, and numbers such as 1e999, which are read as infinity; without recursion."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise BundleRefused("json-too-deep", f"{name} nests deeper than {MAX_DEPTH} levels.")
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, float) and not math.isfinite(item):
                raise BundleRefused("json-not-finite", f"{name} holds a number that is too large.")
        level = below

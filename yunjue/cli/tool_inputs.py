"""The inputs of a tool as a person types them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from yunjue.errors import UsageError


def parse_inputs(
    schema: Mapping[str, Any], args: str | None, pairs: Sequence[str]
) -> dict[str, Any]:
    """``args`` (a JSON object) and ``key=value`` pairs as one dict of inputs.

    A value is taken as it stands where the schema wants text, and else as JSON
    (``n=3``, ``values=[1,2]``) if it is JSON.

    Raises:
        UsageError: ``args`` is not a JSON object, a pair has no ``=``, or a key comes twice.
    """
    inputs = _object(args) if args is not None else {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not (key and equals):
            raise UsageError(f"{pair!r} is not KEY=VALUE.", hint=_names(schema))
        if key in inputs:
            raise UsageError(f"The input {key!r} is given twice.")
        inputs[key] = _value(schema.get("properties", {}).get(key, {}), text)
    return inputs


def _object(args: str) -> dict[str, Any]:
    try:
        value = json.loads(args)
    except ValueError as error:
        raise UsageError(f"--args is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise UsageError('--args is not a JSON object such as {"n": 3}.')
    return value


def _value(property_schema: Mapping[str, Any], text: str) -> Any:
    options = [property_schema, *property_schema.get("anyOf", [])]
    types = {option.get("type") for option in options}
    if "string" in types and not ("null" in types and text == "null"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text  # the tool says what it wanted instead


def _names(schema: Mapping[str, Any]) -> str:
    return f"The inputs are {', '.join(schema.get('properties', {})) or 'not known'}."

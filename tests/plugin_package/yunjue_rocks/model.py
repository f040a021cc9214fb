"""A model that knows rocks only."""

from __future__ import annotations

import re

from yunjue.models.scripted import ScriptedModel


def make(name, settings):
    return ScriptedModel(answer, name=f"rocks/{name}")


def answer(request):
    text = request.messages[-1].content
    if "Which field" in text:
        return {"domain": "rocks"}
    if "Which function" in text:
        return {"kind": "compute", "function": "weigh_rock"}
    if "Call weigh_rock" in text:
        litres = re.search(r"(\d+(\.\d+)?) litres", text)
        return {"tool": "weigh_rock", "inputs": {"litres": float(litres[1])}}
    if "answer" in (request.schema_ or {}).get("properties", {}):
        return {"answer": re.search(r"\) = ([0-9.]+)", text)[1]}
    return {"action": "finish"}

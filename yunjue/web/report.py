"""The calibration as one document: what ``yunjue metrics web --json`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunjue.web.calibration import POOR, Calibration


def report(calibration: Calibration) -> dict[str, Any]:
    """Members: ``predictions`` by world model, depth and kind of action, with micro-averaged
    precision and recall of their facts and the mean F1; ``critics`` with their Brier scores;
    ``weights`` of look-ahead, and ``poor``, the weight at which it is of no use; ``costs`` in
    tokens."""
    table = calibration.table()
    critics = calibration.critics()
    pairs = sorted({(row["model"], row["depth"]) for row in table})
    return {
        "predictions": [_rates(row) for row in table],
        "critics": [_critic(calibration, name) for name in critics],
        "weights": [
            {"model": model, "critic": critic, "depth": depth}
            | calibration.weight(model, critic, depth)
            for model, depth in pairs
            for critic in critics
        ],
        "poor": POOR,
        "costs": calibration.costs(),
    }


def _rates(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "precision": row["hits"] / row["foreseen"] if row["foreseen"] else None,
        "recall": row["hits"] / row["actual"] if row["actual"] else None,
    }


def _critic(calibration: Calibration, name: str) -> dict[str, Any]:
    brier, outcomes = calibration.brier(name)
    return {"model": name, "brier": brier, "outcomes": outcomes}

"""``yunjue metrics web``: how well runs in the browser foresee what their actions do."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from yunjue.cli.output import print_json, print_table, say


def metrics_web(export: Path | None, json: bool) -> None:
    """Print the calibration, or write the pairs it comes from as training data."""
    from yunjue.agent.run import runs
    from yunjue.web.calibration import Calibration
    from yunjue.web.export import write_transitions
    from yunjue.web.report import report

    if export is not None:
        written = write_transitions(runs(), export, say)
        say(f"Wrote {written} transitions to {export}.")
        if json:
            print_json({"file": str(export), "transitions": written})
        return
    with closing(Calibration()) as calibration:
        document = report(calibration)
    if json:
        print_json(document)
        return
    if not document["predictions"]:
        say("No run has foreseen anything yet: --look-ahead always makes one do so.")
    columns = ["world model", "depth", "action", "predictions", "precision", "recall", "F1"]
    rows = [
        (
            row["model"],
            row["depth"],
            row["kind"],
            row["predictions"],
            _share(row["precision"]),
            _share(row["recall"]),
            _share(row["f1"]),
        )
        for row in document["predictions"]
    ]
    if rows:
        print_table(columns, rows)
    for critic in document["critics"]:
        if critic["brier"] is not None:
            outcomes = critic["outcomes"]
            print(f"critic {critic['model']}: Brier score {critic['brier']:.3f} of {outcomes}")
    for one in document["weights"]:
        told = "trusted" if one["weight"] > document["poor"] else "not trusted"
        print(
            f"look-ahead of depth {one['depth']} with {one['model']}: weight {one['weight']:.2f}"
            f" ({told}; {one['predictions']} predictions)"
        )
    costs = document["costs"]
    print(
        f"tokens: {costs['acting']} for acting, {costs['imagining']} for imagining, "
        f"in {costs['decisions']} decisions of which {costs['compared']} compared actions"
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"

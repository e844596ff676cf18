"""How much of a detector's training epoch is spent waiting for data."""

from __future__ import annotations

import statistics

from bench.outcome import Goal, Outcome, Row, spread
from bench.workbench import Workbench


def run(bench: Workbench) -> Outcome:
    rows: list[Row] = []
    details = {}
    for method in bench.wishes.methods or ("fcos",):
        bench.say(f"training steps of {method}")
        found = bench.ask("detect_epoch", bench.cells, bench.fresh("tuned"), bench.times(3, 1), method)
        plan, (height, width) = found["plan"], found["size_hw"]
        what = f"epoch of {plan['pictures']} pictures, {method} {height}×{width}: waiting for data"
        rows.append(Row(what, statistics.median(found["share"]), "%", Goal("at most", 0.10, "%")))
        details[method] = {
            "plan": plan,
            "size_hw": [height, width],
            "share_of_each_epoch": found["share"],
            "epoch_s": spread(found["epoch_s"]),
            "load_s": spread(found["load_s"]),
        }
    return Outcome(rows, details)

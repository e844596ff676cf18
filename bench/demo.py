"""`striate train digits`, from an installed environment and an empty cache to the report."""

from __future__ import annotations

import statistics

from bench.outcome import Goal, Outcome, Row, spread
from bench.processes import BenchmarkFailed
from bench.workbench import Workbench


def run(bench: Workbench) -> Outcome:
    extra = ["--epochs", 2] if bench.quick else []
    timings = []
    for _ in range(bench.times(3, 1)):
        out = bench.fresh("digits")
        bench.say("striate train digits")
        timings.append(
            bench.run_striate("train", "digits", "--out", out, *extra, home=bench.fresh("home"))
        )
        if not (out / "report.html").exists():
            raise BenchmarkFailed(f"{out} has no report.html")
    walls = [one.wall_s for one in timings]
    row = Row(
        "striate train digits, to the report", statistics.median(walls), "s", Goal("at most", 60, "s")
    )
    return Outcome([row], {"wall_s": spread(walls), "peak_mb": spread([one.peak_mb for one in timings])})

"""Fashion-MNIST from its IDX files, from scratch, in five minutes: accuracy on the test pictures."""

from __future__ import annotations

import json

from bench.outcome import Goal, Outcome, Row
from bench.pictures import fewer_idx, needed
from bench.workbench import Workbench


def run(bench: Workbench) -> Outcome:
    data = needed("fashion_mnist")
    budget, goal = "5m", 0.93
    if bench.quick:
        data, budget, goal = fewer_idx(bench.folder / "fashion", data, most=1500), "25s", 0.1
    out = bench.fresh("fashion-run")
    bench.say(f"striate train {data.name} --time-budget {budget}")
    words = ["train", data, "--out", out, "--time-budget", budget, "--weights", "none"]
    timing = bench.run_striate(*words, home=bench.fresh("home"))
    measured = json.loads(bench.run_striate("evaluate", out, data, "--json").output.splitlines()[-1])
    limit = 25.0 if bench.quick else 300.0
    rows = [
        Row(
            f"Fashion-MNIST, {budget}, test accuracy",
            measured["accuracy"],
            "%",
            Goal("at least", goal, "%"),
        ),
        Row("Fashion-MNIST, wall-clock of the command", timing.wall_s, "s", Goal("at most", limit, "s")),
    ]
    return Outcome(rows, {"evaluation": _short(measured), "peak_mb": round(timing.peak_mb)})


def _short(measured: dict[str, object]) -> dict[str, object]:
    kept = ("split", "pictures", "accuracy", "accuracy_interval", "top5", "ece")
    return {key: measured[key] for key in kept if key in measured}

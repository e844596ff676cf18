"""Learners on hand-made features: how good and how fast, beside a CNN that is given the same time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.outcome import Goal, Outcome, Row
from bench.pictures import fewer_files, fewer_idx, needed
from bench.workbench import Workbench

CLOTHING = ("hog+svm", "sift-words+svm", "sift-words+forest", "colour+forest", "hog+colour+svm")
BAG = "sift-words+svm"


def run(bench: Workbench) -> Outcome:
    fashion, clothing = needed("fashion_mnist"), needed("clothing10")
    goal = 0.90
    if bench.quick:
        fashion, goal = fewer_idx(bench.folder / "fashion", fashion, most=1500), 0.1
        clothing = fewer_files(bench.folder / "clothing", clothing, each=8)
    stitched = _trained(bench, fashion, "hog+svm")
    found = {model: _trained(bench, clothing, model) for model in CLOTHING[: bench.times(5, 2)]}
    best = max(found, key=lambda model: float(found[model]["accuracy"]))
    seconds = max(10.0, found[best]["seconds"])
    network = _trained(bench, clothing, "small-cnn", "--time-budget", f"{seconds:.0f}s")
    bag = found.get(BAG, stitched)
    rows = [
        Row(
            "hog+svm on Fashion-MNIST, test accuracy",
            stitched["accuracy"],
            "%",
            Goal("at least", goal, "%"),
        ),
        Row(
            "hog+svm on Fashion-MNIST, whole command",
            stitched["seconds"],
            "s",
            Goal("at most", 180, "s"),
        ),
        Row(f"{BAG} on clothing10, whole command", bag["seconds"], "s", Goal("at most", 60, "s")),
        Row(
            f"clothing10, {best}, validation accuracy",
            found[best]["accuracy"],
            "%",
            None,
            network["accuracy"],
            f"small-cnn from scratch in {seconds:.0f} s",
        ),
    ]
    return Outcome(rows, {"fashion": stitched, "clothing": found, "clothing_cnn": network})


def _trained(bench: Workbench, data: Path, model: str, *more: str) -> dict[str, Any]:
    """Seconds of the whole command from an empty cache, and its accuracy on test, else validation."""
    bench.say(f"striate train {data.name} --model {model} {' '.join(more)}".rstrip())
    out = bench.fresh("run")
    words = ["train", data, "--out", out, "--model", model, "--weights", "none", *more]
    timing = bench.run_striate(*words, home=bench.fresh("home"))
    measured = json.loads(bench.run_striate("evaluate", out, data, "--json").output.splitlines()[-1])
    return {
        "seconds": round(timing.wall_s, 2),
        "peak_mb": round(timing.peak_mb),
        "accuracy": measured["accuracy"],
        "accuracy_interval": measured.get("accuracy_interval"),
        "split": measured["split"],
    }

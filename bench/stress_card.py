"""The stress card of a classifier: 10 000 test pictures of 32 px, all axes, 5 severities."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np

from bench.outcome import Goal, Outcome, Row
from bench.pictures import fewer_files, needed
from bench.workbench import Workbench
from striate.cores import usable_cores
from striate.stress.changes import Axis, Changed, Material
from striate.stress.runner import Engine, Pass
from striate.stress.stock import read_stock
from striate.types import PictureArray
from striate.verbs.explain.pictures import labelled, some
from striate.verbs.model import load

_PICTURES = 10_000
_MINUTES = 10.0
_EMPTY_PASSES = 4


def run(bench: Workbench) -> Outcome:
    data = needed("cifar10_jpg")
    if bench.quick:
        data = fewer_files(bench.folder / "cifar", data, each=20)
    trained = bench.wishes.runs[0] if bench.wishes.runs else _trained(bench, data)
    out = bench.fresh("card")
    words = ["--axes", "rotation,fog,noise", "--severities", "1,5"] if bench.quick else []
    bench.say("a small card" if bench.quick else "the card, all axes")
    timing = bench.run_striate(
        "stress", trained, data, "--out", out, "--at-most", _PICTURES, "--time-budget", "none", *words
    )
    card = json.loads((out / "card.json").read_text("utf-8"))
    bench.say("an axis that changes nothing")
    spent, passes = card["worker_seconds"], card["passes"]
    counted = (
        f"{card['pictures']} pictures, {len(card['axes'])} axes, {len(card['severities'])} severities"
    )
    goal = None if bench.quick else Goal("at most", _MINUTES, "min")
    rows = [
        Row(f"stress card of a classifier at 32 px: {counted}", timing.wall_s / 60, "min", goal),
        Row("of it changing, a picture and pass", 1000 * spent["change"] / passes, "ms of a core"),
        Row("of it the network, a picture and pass", 1000 * spent["graph"] / passes, "ms of a core"),
        Row("of it decoding, a picture and pass", 1000 * spent["decode"] / passes, "ms of a core"),
        Row("a pass that changes nothing, a picture", _empty(trained, data), "ms"),
        Row("largest resident set", timing.peak_mb, "MB"),
    ]
    details = {
        "run": str(trained),
        "seconds": card["seconds"],
        "worker_seconds": spent,
        "passes": passes,
        "axes_s": {one["axis"]: one["seconds"] for one in card["axes"]},
        "clean": card["clean"],
        "statements": card["statements"],
    }
    return Outcome(rows, details)


def _trained(bench: Workbench, data: Path) -> Path:
    bench.say("training a classifier on CIFAR-10")
    out = bench.fresh("run")
    bench.run_striate("train", data, "--out", out, *(["--epochs", 1] if bench.quick else []))
    return out


def _same(pictures: PictureArray, level: float, material: Material) -> Changed:
    return Changed(pictures)


def _empty(trained: Path, data: Path) -> float:
    """Milliseconds of wall clock for a picture, all workers: reading the stock, asking, decoding."""
    model, workers = load(trained), usable_cores()
    whole, _ = labelled(model, data, "auto")
    stock = read_stock(model.task, some(whole, 2000, 0), seed=0, workers=workers)
    engine = Engine(model.task, model.graphs(1)["main"], workers=workers)
    engine.settle(stock)
    axis = Axis("nothing", "Nothing", "digital", "", (1, 2, 3, 4, 5), _same)
    times = []
    for _ in range(3):
        began = time.perf_counter()
        for _ in engine.passes(stock, [Pass(axis, 1)] * _EMPTY_PASSES):
            pass
        times.append((time.perf_counter() - began) / (_EMPTY_PASSES * len(stock)))
    return 1000 * float(np.median(times))

"""Rendered objects and strange poses: milliseconds a picture, and how much of pose space is misread."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.outcome import Goal, Outcome, Row, spread
from bench.workbench import Workbench
from striate.data.meshes import CLASS_NAMES, View, make_solid, render, solids_dataset

_LIMIT_MS = 10.0
_BALL_FACES = 100_000


def run(bench: Workbench) -> Outcome:
    times = bench.times(200, 5)
    rendering = {side: _rendering(side, times) for side in (64, 128)}
    sets = {kind: _reading(kind, times) for kind in ("class", "heads")}
    sides = "car (500 faces), 2 × 2 points a pixel"
    rows = [
        Row(
            f"rendering a {sides}, {side} px",
            _median_ms(seconds),
            "ms",
            Goal("at most", _LIMIT_MS, "ms"),
        )
        for side, seconds in rendering.items()
    ]
    rows += [
        Row(
            f"a picture of {name}, 64 px", _median_ms(sets[kind]), "ms", Goal("at most", _LIMIT_MS, "ms")
        )
        for kind, name in (("class", "scenes-3d"), ("heads", "scenes-heads"))
    ]
    rows.append(Row(f"rendering a ball of {_BALL_FACES} faces, 128 px", 1000 * _ball(), "ms"))
    trained = bench.wishes.runs[0] if bench.wishes.runs else _trained(bench)
    solids = ("bus",) if bench.quick else CLASS_NAMES
    found = {name: _searched(bench, trained, name) for name in solids}
    rows += _misread(found)
    details = {
        "run": str(trained),
        "rendering_s": {str(side): spread(seconds) for side, seconds in rendering.items()},
        "reading_s": {kind: spread(seconds) for kind, seconds in sets.items()},
        "solids": {
            name: {key: one[key] for key in ("canonical", "random", "nearest", "searches", "confusions")}
            for name, one in found.items()
        },
    }
    return Outcome(rows, details)


def _median_ms(seconds: list[float]) -> float:
    return 1000 * statistics.median(seconds)


def _timed(calls: list[Callable[[], object]]) -> list[float]:
    found = []
    for call in calls:
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return found


def _rendering(side: int, times: int) -> list[float]:
    car = make_solid("car")
    views = [View.at(360 * k / times, 20, 10, elevation_deg=10) for k in range(times)]
    render(car, views[0], (side, side))
    return _timed([lambda view=view: render(car, view, (side, side)) for view in views])  # type: ignore[misc]


def _reading(kind: str, times: int) -> list[float]:
    records = solids_dataset("heads" if kind == "heads" else "class").records
    for record in records[:times]:  # shapes that are built once
        record.origin.read()
    return _timed([record.origin.read for record in records[times : 2 * times]])


def _ball() -> float:
    from striate.data.meshes.shapes import ball

    whole = ball((0, 0, 0), (1, 1, 1), (200, 200, 200), "ball", rings=200, sides=_BALL_FACES // 400)
    return statistics.median(_timed([lambda: render(whole, View.at(20), (128, 128))] * 3))


def _trained(bench: Workbench) -> Path:
    bench.say("training a classifier on scenes-3d")
    out = bench.fresh("run")
    span = ["--epochs", 1] if bench.quick else ["--time-budget", f"{bench.wishes.minutes or 4:g}m"]
    bench.run_striate("train", "scenes-3d", "--out", out, *span)
    return out


def _searched(bench: Workbench, trained: Path, name: str) -> dict[str, Any]:
    bench.say(f"poses of a {name}")
    out = bench.fresh("poses")
    samples = bench.times(2000, 60)
    bench.run_striate(
        "stress", trained, "--poses", name, "--samples", samples, "--time-budget", "none", "--out", out
    )
    found: dict[str, Any] = json.loads((out / "poses.json").read_text("utf-8"))
    return found


def _misread(found: dict[str, dict[str, Any]]) -> list[Row]:
    """By chance, and by searching from poses that are read rightly."""
    shares = [one["random"]["misread"] for one in found.values()]
    turns = [
        one["nearest"]["turned_deg"]
        for one in found.values()
        if one["nearest"]["turned_deg"] is not None
    ]
    rows = [Row("poses misread, uniform on SO(3), mean over solids", 100 * float(np.mean(shares)), "%")]
    for method in ("evolution", "differences"):
        runs = [one for each in found.values() for one in each["searches"] if one["method"] == method]
        starts = sum(one["starts"] for one in runs)
        fooled = sum(one["fooled"] for one in runs)
        share = 100 * fooled / max(1, starts)
        rows.append(Row(f"starts read rightly from which {method} fools the run", share, "%"))
    if turns:
        middle = statistics.median(turns)
        rows.append(Row("smallest turn of the usual pose that fools, median", middle, "°"))
    return rows

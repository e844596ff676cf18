"""Rendered objects and strange poses: milliseconds a picture, what is learnt, what is misread."""

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
from striate.runs.header import RunHeader
from striate.runs.run import Run

_LIMIT_MS = 10.0
_MINUTES = 2.0
_SETS = {"classify": "scenes-3d", "detect": "scenes-3d", "regress": "scenes-heads"}
_SCORES: dict[str, tuple[str, str, Goal | None]] = {
    "classify": ("accuracy", "%", Goal("at least", 0.95, "%")),
    "detect": ("ap50", "%", None),
    "regress": ("mae", "°", Goal("at most", 5.0, "°")),
}
"""Of each task: the score that is shown, its unit, and what two minutes on two cores are to reach."""
_BALL_FACES = 100_000


def run(bench: Workbench) -> Outcome:
    rows, rendering = _rendered(bench)
    found: dict[str, Any] = {}
    for trained in bench.wishes.runs or (_trained(bench, task) for task in _SETS):
        header = Run.open(trained).header
        rows += _learnt(header, trained in bench.wishes.runs)
        solids = {name: _searched(bench, trained, name) for name in _solids(bench, header.task)}
        rows += _misread(header.task, solids)
        kept = {name: _kept(one) for name, one in solids.items()}
        found[str(trained)] = {"task": header.task, "solids": kept}
    return Outcome(rows, {**rendering, "runs": found})


def _rendered(bench: Workbench) -> tuple[list[Row], dict[str, Any]]:
    """Milliseconds a picture."""
    times = bench.times(200, 5)
    rendering = {side: _rendering(side, times) for side in (64, 128)}
    sets = {kind: _reading(kind, times) for kind in ("class", "heads")}
    goal = Goal("at most", _LIMIT_MS, "ms")
    sides = "car (500 faces), 2 × 2 points a pixel"
    rows = [
        Row(f"rendering a {sides}, {side} px", _median_ms(seconds), "ms", goal)
        for side, seconds in rendering.items()
    ]
    rows += [
        Row(f"a picture of {name}, 64 px", _median_ms(sets[kind]), "ms", goal)
        for kind, name in (("class", "scenes-3d"), ("heads", "scenes-heads"))
    ]
    rows.append(Row(f"rendering a ball of {_BALL_FACES} faces, 128 px", 1000 * _ball(), "ms"))
    details = {
        "rendering_s": {str(side): spread(seconds) for side, seconds in rendering.items()},
        "reading_s": {kind: spread(seconds) for kind, seconds in sets.items()},
    }
    return rows, details


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


def _trained(bench: Workbench, task: str) -> Path:
    minutes = bench.wishes.minutes or _MINUTES
    bench.say(f"training a run that is to {task} on {_SETS[task]}")
    out = bench.fresh(f"run-{task}")
    span = ["--epochs", 1] if bench.quick else ["--time-budget", f"{minutes:g}m"]
    bench.run_striate("train", _SETS[task], "--task", task, "--weights", "none", "--out", out, *span)
    return out


def _learnt(header: RunHeader, given: bool) -> list[Row]:
    """How good the run is on test pictures: a goal for those that were trained here."""
    name, unit, goal = _SCORES[header.task]
    value = float(header.metrics["test"][name])
    minutes = sum(header.timings.values()) / 60
    return [
        Row(
            f"{header.data.name}, {header.task} after {minutes:.1f} min: {name}",
            value,
            unit,
            None if given else goal,
        )
    ]


def _solids(bench: Workbench, task: str) -> tuple[str, ...]:
    if task == "regress":
        return ("head",)
    if bench.quick:
        return ("bus",)
    return CLASS_NAMES if task == "classify" else ("bus", "car", "person")


def _searched(bench: Workbench, trained: Path, name: str) -> dict[str, Any]:
    bench.say(f"poses of a {name}")
    out = bench.fresh("poses")
    samples = bench.times(2000, 60)
    bench.run_striate(
        "stress", trained, "--poses", name, "--samples", samples, "--time-budget", "none", "--out", out
    )
    found: dict[str, Any] = json.loads((out / "poses.json").read_text("utf-8"))
    return found


def _kept(found: dict[str, Any]) -> dict[str, Any]:
    """What the result file keeps: all but the maps."""
    names = ("rule", "canonical", "random", "nearest", "searches", "confusions", "renderings")
    return {name: found[name] for name in names}


def _misread(task: str, found: dict[str, dict[str, Any]]) -> list[Row]:
    """By chance, and by searching from poses that are read rightly."""
    shares = [one["random"]["misread"] for one in found.values()]
    turns = [one["nearest"]["turned_deg"] for one in found.values()]
    turns = [one for one in turns if one is not None]
    what = f"{task}: poses misread, uniform on SO(3), mean of {len(found)} solids"
    rows = [Row(what, float(np.mean(shares)), "%")]
    for method in ("evolution", "differences"):
        runs = [one for each in found.values() for one in each["searches"] if one["method"] == method]
        starts = sum(one["starts"] for one in runs)
        fooled = sum(one["fooled"] for one in runs)
        share = fooled / max(1, starts)
        rows.append(Row(f"{task}: starts read rightly from which {method} fools the run", share, "%"))
    if turns:
        middle = statistics.median(turns)
        rows.append(Row(f"{task}: smallest turn of the usual pose that fools, median", middle, "°"))
    return rows

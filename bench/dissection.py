"""Network dissection on CamVid: what a trained run finds beside one of random weights, and how fast."""

from __future__ import annotations

import time
from pathlib import Path

from bench import pictures
from bench.outcome import Goal, Outcome, Row
from bench.workbench import Workbench

_SHARES = (0.005, 0.02)
"""Of all places at which a unit is active: that of Bau et al., and one with which classes that fill a
third of each picture are in reach."""


def run(bench: Workbench) -> Outcome:
    """With `--run RUN` that run; else a small one is trained on the embedded scenes first."""
    from striate.verbs.explain_dissect import dissect

    data = pictures.needed("camvid")
    model = _run(bench)
    rows: list[Row] = []
    details: dict[str, object] = {"run": str(model), "data": "camvid, validation"}
    for top in _SHARES:
        bench.say(f"dissecting, units active at {100 * top:g} % of the places")
        began = time.perf_counter()
        alone = dissect(model, data, top=top, at_most=bench.times(500, 12))
        seconds = time.perf_counter() - began
        found = dissect(model, data, top=top, at_most=bench.times(500, 12), against=["random"])
        details[f"top_{top:g}"] = {**found.to_dict(), "seconds": round(seconds, 2)}
        trained, random = (one.found for one in found.networks)
        least = found.terms.least
        goal = Goal("at most", 60, "s") if top == _SHARES[0] else None
        name = f"active at {100 * top:g} %"
        rows.append(
            Row(f"{alone.found.pictures} pictures, {_units(trained)} units, {name}", seconds, "s", goal)
        )
        ours, theirs = (len(one.found(least, beyond=True)) for one in (trained, random))
        rows.append(
            Row(
                f"concepts found beyond chance, of 11, {name}",
                float(ours),
                "",
                Goal("at least", theirs + 1, ""),
                float(theirs),
                "random weights",
            )
        )
        beyond = [
            sum(int(layer.beyond_chance(least).sum()) for layer in one.layers)
            for one in (trained, random)
        ]
        rows.append(
            Row(
                f"detectors beyond chance, {name}",
                float(beyond[0]),
                "",
                Goal("at least", beyond[1] + 1, ""),
                float(beyond[1]),
                "random weights",
            )
        )
    return Outcome(rows, details)


def _units(found: object) -> int:
    from striate.explain.dissection import Dissected

    assert isinstance(found, Dissected)
    return sum(one.layer.channels for one in found.layers)


def _run(bench: Workbench) -> Path:
    if bench.wishes.runs:
        return bench.wishes.runs[0]
    from striate.verbs.train import train

    out = bench.fresh("scenes")
    bench.say("training on scenes")
    train("scenes", out=out, time_budget="20s" if bench.quick else "4m", seed=0)
    return out

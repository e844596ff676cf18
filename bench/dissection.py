"""Network dissection on CamVid: what a trained run finds beside random weights, and how fast."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench import pictures
from bench.outcome import Goal, Outcome, Row
from bench.workbench import Workbench

if TYPE_CHECKING:
    from striate.explain.dissection import Dissected

_SHARES = (0.005, 0.02)
"""Of all places at which a unit is active: that of Bau et al., and one with which classes that fill a
third of each picture are in reach."""
_DRAWN = 3
"""Untrained networks, each of a seed of its own: one alone may be lucky, or unlucky."""


def run(bench: Workbench) -> Outcome:
    """With `--run RUN` that run; else a small one is trained on the embedded scenes first."""
    from striate.verbs.explain.dissect import dissect

    data = pictures.needed("camvid")
    model = _run(bench)
    rows: list[Row] = []
    details: dict[str, object] = {"run": str(model), "data": "camvid, validation"}
    for top in _SHARES:
        bench.say(f"dissecting, units active at {100 * top:g} % of the places")
        began = time.perf_counter()
        alone = dissect(model, data, top=top, at_most=bench.times(500, 12))
        seconds = time.perf_counter() - began
        against = ["random"] * _DRAWN
        found = dissect(model, data, top=top, at_most=bench.times(500, 12), against=against)
        details[f"top_{top:g}"] = {**found.to_dict(), "seconds": round(seconds, 2)}
        trained, *random = (one.found for one in found.networks)
        least = found.terms.least
        goal = Goal("at most", 60, "s") if top == _SHARES[0] else None
        name = f"active at {100 * top:g} %"
        pictures_units = f"{alone.found.pictures} pictures, {_units(trained)} units"
        rows.append(Row(f"{pictures_units}, {name}", seconds, "s", goal))
        concepts = len(trained.concepts.names)
        rows.append(
            _beside(
                f"concepts found beyond chance, of {concepts}, {name}",
                len(trained.found(least, beyond=True)),
                [len(one.found(least, beyond=True)) for one in random],
            )
        )
        rows.append(
            _beside(
                f"detectors beyond chance, {name}",
                _beyond(trained, least),
                [_beyond(one, least) for one in random],
            )
        )
    return Outcome(rows, details)


def _beside(what: str, ours: int, drawn: Sequence[int]) -> Row:
    """A trained network beside untrained ones: it must have more than the luckiest of them."""
    spread = f"random weights, mean of {len(drawn)} ({min(drawn)} to {max(drawn)})"
    goal = Goal("at least", max(drawn) + 1, "")
    return Row(what, float(ours), "", goal, statistics.fmean(drawn), spread)


def _units(found: Dissected) -> int:
    return sum(one.layer.channels for one in found.layers)


def _beyond(found: Dissected, least: float) -> int:
    return sum(int(layer.beyond_chance(least).sum()) for layer in found.layers)


def _run(bench: Workbench) -> Path:
    if bench.wishes.runs:
        return bench.wishes.runs[0]
    from striate.verbs.train import train

    out = bench.fresh("scenes")
    bench.say("training on scenes")
    train("scenes", out=out, time_budget="20s" if bench.quick else "4m", seed=0)
    return out

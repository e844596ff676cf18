"""Network dissection on CamVid: what a trained run finds beside random weights, and how fast."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import pictures
from bench.outcome import Goal, Outcome, Row
from bench.workbench import Workbench

if TYPE_CHECKING:
    from striate.explain.dissection import Dissected
    from striate.verbs.evaluate import SplitChoice

_ASKED: tuple[tuple[float, SplitChoice], ...] = (
    (0.005, "validation"),
    (0.02, "validation"),
    (0.005, "all"),
)
"""Of all places the share at which a unit is active: that of Bau et al., and one with which classes that
fill a third of each picture are in reach. Of which pictures: of more, fewer is left to chance."""
_MOST = 1000
_OF_LAYERS = ("layer", "detectors", "detectors_by_chance", "detectors_beyond_chance")
_DRAWN = 3
"""Untrained networks, each of a seed of its own: one alone may be lucky, or unlucky."""


def run(bench: Workbench) -> Outcome:
    """Each of the runs given by `--run`; else a small one is trained on the embedded scenes first."""
    data = pictures.needed("camvid")
    runs = bench.wishes.runs or (_trained(bench),)
    rows: list[Row] = []
    details: dict[str, object] = {"data": "camvid"}
    for model in runs:
        of = f"{model.name}: " if len(runs) > 1 else ""
        found: dict[str, object] = {"run": str(model)}
        for top, split in _ASKED:
            bench.say(f"dissecting {model.name}, {split}, units active at {100 * top:g} % of the places")
            more, found[f"{split}_{top:g}"] = _measured(bench, model, data, top, split)
            rows += [replace(row, what=of + row.what) for row in more]
        details[str(model)] = found
    return Outcome(rows, details)


def _measured(
    bench: Workbench, model: Path, data: Path, top: float, split: SplitChoice
) -> tuple[list[Row], dict[str, object]]:
    """How long one run takes, and what it finds beside random weights."""
    from striate.verbs.explain.dissect import dissect

    few = bench.times(_MOST, 12)
    began = time.perf_counter()
    alone = dissect(model, data, split=split, top=top, at_most=few)
    seconds = time.perf_counter() - began
    found = dissect(model, data, split=split, top=top, at_most=few, against=["random"] * _DRAWN)
    trained, *random = (one.found for one in found.networks)
    least = found.terms.least
    goal = Goal("at most", 60, "s") if (top, split) == _ASKED[0] else None
    name = f"active at {100 * top:g} %"
    if split == "all":
        name += ", all pictures"
    concepts = len(trained.concepts.names)
    rows = [
        Row(f"{alone.found.pictures} pictures, {_units(trained)} units, {name}", seconds, "s", goal),
        _beside(
            f"concepts found beyond chance, of {concepts}, {name}",
            len(trained.found(least, beyond=True)),
            [len(one.found(least, beyond=True)) for one in random],
        ),
        _beside(
            f"detectors beyond chance, {name}",
            _beyond(trained, least),
            [_beyond(one, least) for one in random],
        ),
    ]
    return rows, {**_in_short(found.to_dict()), "seconds": round(seconds, 2)}


def _in_short(told: dict[str, Any]) -> dict[str, Any]:
    """Detectors by layer, and the best unit by concept of a trained network; all would be a megabyte."""
    for network in told["networks"]:
        network["layers"] = [{name: one[name] for name in _OF_LAYERS} for one in network["layers"]]
        if network["kind"] == "random":
            del network["best"]
    return told


def _beside(what: str, ours: int, drawn: Sequence[int]) -> Row:
    """A trained network beside untrained ones: it must have more than the luckiest of them."""
    spread = f"random weights, mean of {len(drawn)} ({min(drawn)} to {max(drawn)})"
    goal = Goal("at least", max(drawn) + 1, "")
    return Row(what, float(ours), "", goal, statistics.fmean(drawn), spread)


def _units(found: Dissected) -> int:
    return sum(one.layer.channels for one in found.layers)


def _beyond(found: Dissected, least: float) -> int:
    return sum(int(layer.beyond_chance(least).sum()) for layer in found.layers)


def _trained(bench: Workbench) -> Path:
    from striate.verbs.train import train

    out = bench.fresh("scenes")
    bench.say("training on scenes")
    train("scenes", out=out, time_budget="20s" if bench.quick else "4m", seed=0)
    return out

"""Can the verdict on an explanation be trusted? Maps that are known to be wrong, and to be right.

Wrong: random maps, an edge detector's and a centre blob (Adebayo et al. 2018), and every method's map of
a network with random weights. Right: the object's own mask on drawn scenes.

`python -m bench faithfulness --run RUN --run RUN2`: runs of embedded sets, or of the benchmarks' data.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import pictures
from bench.outcome import Goal, Outcome, Row
from bench.workbench import Workbench
from striate.data.embedded import EMBEDDED
from striate.explain.faithfulness import SURE
from striate.runs.run import Run

METHODS = ("gradcam", "saliency", "integrated", "guided-backprop", "occlusion", "rise")
_TRAINED_ON = (("digits", "classify"), ("scenes", "classify"), ("scenes-values", "regress"))

Judged = dict[str, Any]


def run(bench: Workbench) -> Outcome:
    """With `--run` those runs, else three small ones that are trained first."""
    runs = bench.wishes.runs or tuple(_train(bench, *one) for one in _TRAINED_ON)
    found = {}
    for one in runs:
        bench.say(f"maps of {one.name}, and what is known to be wrong")
        found[one.name] = bench.ask(
            "faithfulness_controls", one, _data(one), bench.times(20, 2), ",".join(METHODS)
        )
    every = [row for one in found.values() for row in one["rows"]]
    of_methods = [row for row in every if row["map"] in METHODS]
    trained = [row for row in of_methods if row["network"] == "trained"]
    blank = [row for row in of_methods if row["network"] == "untrained"]
    random = [row for row in every if row["map"] == "random"]
    rows = [
        _passing("random maps that pass", random, _by_luck(len(random))),
        _passing("maps of untrained networks that pass", blank, Goal("at most", SURE, "%")),
        Row("random maps that beat the mean of their copies", _share(random, "beats_the_mean"), "%"),
        *(
            _passing(f"{words}, by deletion and insertion alone", _of(every, name))
            for name, words in (("edges", "edge maps"), ("centre", "centre blobs"))
        ),
        *(_passing(f"{name} of trained networks", _of(trained, name)) for name in METHODS),
        *_where_truth_is_known(trained, random, _of(every, "object")),
    ]
    return Outcome(rows, {"runs": found, "quantiles": {"untrained": _quantiles(blank)}})


def _by_luck(count: int) -> Goal:
    """One in twenty passes; of so few maps, so many more may."""
    return Goal("at most", SURE + 2 * (SURE * (1 - SURE) / max(1, count)) ** 0.5, "%")


def _where_truth_is_known(
    trained: Sequence[Judged], random: Sequence[Judged], objects: Sequence[Judged]
) -> list[Row]:
    """On drawn scenes: is the object's own mask ever refused, and do maps lie on the object?"""
    if not objects:
        return []
    refused = statistics.fmean(row["verdict"] == "unreliable" for row in objects)
    rows = [
        _passing("the object's own mask", objects),
        Row("the object's own mask is refused", refused, "%", Goal("at most", SURE, "%")),
    ]
    heat = "heat on the object, times its share of the picture"
    ours, theirs = _on_object(trained), _on_object(random)
    rows.append(Row(heat, ours, "", Goal("at least", 1.5), theirs, "random maps", ours / theirs))
    passed, failed = (
        [row for row in trained if row["verdict"] == verdict] for verdict in ("passes", "unreliable")
    )
    if _known(passed) and _known(failed):
        rows.append(
            Row(f"{heat}: maps that pass", _on_object(passed), "", None, _on_object(failed), "refused")
        )
    return rows


def _known(rows: Sequence[Judged]) -> list[float]:
    return [row["times"] for row in rows if "times" in row]


def _on_object(rows: Sequence[Judged]) -> float:
    return statistics.median(_known(rows))


def _of(rows: Sequence[Judged], name: str) -> list[Judged]:
    return [row for row in rows if row["map"] == name]


def _share(rows: Sequence[Judged], what: str) -> float:
    return statistics.fmean(bool(row[what]) for row in rows) if rows else float("nan")


def _passing(what: str, rows: Sequence[Judged], goal: Goal | None = None) -> Row:
    share = statistics.fmean(row["verdict"] == "passes" for row in rows) if rows else float("nan")
    return Row(f"{what}, of {len(rows)}", share, "%", goal)


def _quantiles(rows: Sequence[Judged]) -> dict[str, list[float]]:
    """Each twentieth of what the fixed bounds are set by."""
    return {
        what: [round(one, 4) for one in statistics.quantiles(values, n=20)]
        for what in ("gain", "alike")
        if len(values := [row[what] for row in rows if row[what] is not None]) > 1
    }


def _data(run: Path) -> str:
    """The data that a run was trained on."""
    name = Run.open(run).header.data.name
    return name if name in EMBEDDED else str(pictures.needed(name))


def _train(bench: Workbench, data: str, task: str) -> Path:
    out = bench.fresh(data)
    bench.say(f"training on {data}")
    budget = ["--epochs", 1] if bench.quick else ["--time-budget", "30s"]
    bench.run_striate("train", data, "--task", task, "--out", out, "--model", "small-cnn", *budget)
    return out

"""One picture after another through a loaded run, against bare ONNX Runtime on the same graph."""

from __future__ import annotations

import statistics
from typing import Any

from bench.outcome import Goal, Outcome, Row, spread
from bench.processes import BenchmarkFailed
from bench.workbench import SIDE, Workbench


def run(bench: Workbench) -> Outcome:
    import striate

    picture, calls = bench.photos[1][0], bench.times(300, 30)
    model = striate.load(bench.small_run)
    graph = model.run.file(model.header.graphs["main"])
    how = model.task.facts.to_toml_dict()["fit"]
    bare = ["predict_bare", graph, picture, calls, SIDE, how]
    bench.say("one picture at a time, in turns")
    found: dict[str, list[dict[str, Any]]] = {"striate": [], "bare": [], "pillow": []}
    for _ in range(bench.times(7, 2)):
        found["striate"].append(bench.ask("predict_one", bench.small_run, picture, calls))
        found["bare"].append(bench.ask(str(bare[0]), *bare[1:], "striate"))
        found["pillow"].append(bench.ask(str(bare[0]), *bare[1:], "pillow"))
    _check(found["striate"][0]["scores"], found["bare"][0]["scores"])
    medians = {
        name: [statistics.median(one["times_s"]) for one in answers] for name, answers in found.items()
    }
    return Outcome(
        _rows(medians), {"calls": calls, "median_s_of": {n: spread(m) for n, m in medians.items()}}
    )


def _check(ours: list[float], theirs: list[float]) -> None:
    worst = max(abs(one - other) for one, other in zip(ours, theirs, strict=True))
    if worst > 1e-5:
        raise BenchmarkFailed(f"bare ONNX Runtime gives other scores, by {worst:.2g}: not the same work")


def _rows(medians: dict[str, list[float]]) -> list[Row]:
    middle = {name: statistics.median(found) for name, found in medians.items()}
    ratio = middle["striate"] / middle["bare"]
    what = "one picture, loaded run"
    return [
        Row(
            what,
            middle["striate"],
            "s",
            Goal("at most", 1.15),
            middle["bare"],
            "bare ONNX Runtime, same decode",
            ratio,
        ),
        Row(
            what,
            middle["striate"],
            "s",
            None,
            middle["pillow"],
            "bare ONNX Runtime, plain Pillow",
            middle["striate"] / middle["pillow"],
        ),
    ]

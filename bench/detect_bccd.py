"""Ways to detect blood cells, trained from scratch on BCCD for equal time: how good, fast and large.

    python -m bench detect_bccd --minutes 30                   # fcos
    python -m bench detect_bccd --methods rcnn,ssd --minutes 30
    python -m bench detect_bccd --run RUN                      # a run that is there, as it was trained

Each method has a file of its own in `bench/results/detect_bccd/`, written when it has been measured; a
method that is measured again replaces its own, and every call tells the table of all of them.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

from bench.outcome import Goal, Outcome, Row, shown
from bench.processes import BenchmarkFailed
from bench.record import results_folder
from bench.workbench import Workbench

METHODS = (
    "single",
    "fixed-slots",
    "sliding-window",
    "rcnn",
    "fast-rcnn",
    "faster-rcnn",
    "ssd",
    "retinanet",
    "fcos",
)
"""In the order of history, which is that of the table."""
_MINUTES = 30.0
_LIMIT_S = 3600.0
_KEPT = ("ap50", "ap75", "ap", "ap_small", "ap_medium", "ap_large", "pictures", "objects")


def run(bench: Workbench) -> Outcome:
    home = results_folder(quick=bench.quick) / "detect_bccd"
    home.mkdir(parents=True, exist_ok=True)
    wishes = bench.wishes
    failed = [words for trained in wishes.runs for words in _try(bench, home, trained.name, trained)]
    methods = wishes.methods or (() if wishes.runs else ("fcos",))
    for method in methods:
        failed += _try(bench, home, method, None)
    found = [json.loads(path.read_text("utf-8")) for path in sorted(home.glob("*.json"))]
    if failed and not found:
        raise BenchmarkFailed("; ".join(failed))
    found.sort(key=lambda one: (_place(one["method"]), one["training_s"]))
    details = {"failed": failed, "methods": found}
    return Outcome([*(_row(one) for one in found), _best(found, bench)], details)


def _try(bench: Workbench, home: Path, name: str, trained: Path | None) -> list[str]:
    """Measure and write one; what went wrong, so that the others are measured all the same."""
    try:
        found = _measured(bench, name, trained)
    except BenchmarkFailed as error:
        bench.say(f"{name} failed: {error}")
        return [f"{name}: {error}"]
    found["date"] = time.strftime("%Y-%m-%d %H:%M")
    path = home / f"{found['method']}.json"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return []


def _measured(bench: Workbench, method: str, trained: Path | None) -> dict[str, Any]:
    """Quality on the validation pictures, seconds of training, of a prediction, and bytes."""
    import striate

    out = trained or bench.train_detector(method, bench.wishes.minutes or _MINUTES)
    model = striate.load(out)
    header = model.header
    facts: Any = model.task.facts
    bench.say(f"evaluating {out.name}")
    words = ["evaluate", out, bench.cells, "--split", "validation", "--json"]
    told = json.loads(bench.run_striate(*words).output.splitlines()[-1])
    pictures = sorted((bench.cells / "JPEGImages").glob("*.jpg"))[:: bench.times(23, 4)][:16]
    timing = bench.ask("detect_one", out, "onnxruntime", bench.times(48, 3), *pictures)
    return {
        "method": str(facts.method),
        "model": str(facts.model),
        "size_hw": list(facts.size_hw),
        "command": f"striate train bccd --task detect --method {facts.method}" + _said(header.train),
        "training_s": round(sum(header.timings.values()), 1),
        "budget_s": header.train.get("time_budget"),
        "epochs": len(model.run.metrics_rows()),
        **{name: told[name] for name in _KEPT if name in told},
        "per_class": told.get("per_class"),
        "errors": told.get("errors"),
        "latency_s": statistics.median(timing["times_s"]),
        "detections": timing["detections"],
        "graph_bytes": sum(model.run.file(file).stat().st_size for file in header.graphs.values()),
        "machine": header.machine.to_toml_dict(),
    }


def _said(train: Any) -> str:
    budget = train.get("time_budget")
    return f" --time-budget {budget:g}s" if budget else ""


def _place(method: str) -> int:
    return METHODS.index(method) if method in METHODS else len(METHODS)


def _row(one: dict[str, Any]) -> Row:
    height, width = one["size_hw"]
    what = (
        f"BCCD, {one['method']} {height}×{width}, {one['training_s'] / 60:.0f} min: "
        f"AP50 (AP75 {_part(one['ap75'])}, AP {_part(one['ap'])}, "
        f"{shown(one['latency_s'], 's')} a picture, {one['graph_bytes'] / 1e6:.0f} MB)"
    )
    return Row(what, one["ap50"] or 0.0, "%")


def _part(value: float | None) -> str:
    return "undefined" if value is None else shown(value, "%")


def _best(found: list[dict[str, Any]], bench: Workbench) -> Row:
    """The figure to reach: from scratch, within an hour."""
    in_time = [one for one in found if one["training_s"] <= _LIMIT_S and one["ap50"] is not None]
    goal = Goal("at least", 0.80 if not bench.quick else 0.0, "%")
    if not in_time:
        return Row("BCCD from scratch within an hour: AP50", 0.0, "%", goal, fault="nothing was in time")
    best = max(in_time, key=lambda one: one["ap50"])
    what = f"BCCD from scratch within an hour: AP50 of the best ({best['method']})"
    return Row(what, best["ap50"], "%", goal)

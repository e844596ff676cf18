"""One picture file after another through a loaded detector, against ultralytics' ONNX path.

ultralytics gets the architecture and input size whose multiply-adds are nearest to ours. Its weights are
random and find nothing, so that it has no overlaps to settle: this favours it.
"""

from __future__ import annotations

import importlib.util
import statistics
from pathlib import Path
from typing import Any

from bench.outcome import Goal, Outcome, Row, spread
from bench.workbench import Workbench

_PICTURES, _CLASSES = 16, 3


def run(bench: Workbench) -> Outcome:
    trained = bench.detectors[0]
    cost = bench.ask("detect_cost", trained)
    bench.say("exporting the YOLO that costs as much")
    folder = bench.fresh("yolo")
    peer = bench.peers.ask(
        "ultralytics_detector.py", folder, cost["multiply_adds"], *cost["size_hw"], _CLASSES
    )
    backends = ["onnxruntime", *(["openvino"] if importlib.util.find_spec("openvino") else [])]
    pictures, calls = _pictures(bench), bench.times(48, 4)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*backends, "ultralytics")}
    bench.say("one picture at a time, in turns")
    for _ in range(bench.times(5, 1)):
        for backend in backends:
            found[backend].append(bench.ask("detect_one", trained, backend, calls, *pictures))
        words = ("ultralytics_one.py", peer["path"], *peer["size_hw"], calls, *pictures)
        found["ultralytics"].append(bench.peers.ask(*words))
    medians = {
        name: [statistics.median(one["times_s"]) for one in answers] for name, answers in found.items()
    }
    details = {
        "ours": cost,
        "peer": {name: value for name, value in peer.items() if name != "path"},
        "calls": calls,
        "detections": {name: answers[0]["detections"] for name, answers in found.items()},
        "median_s_of": {name: spread(values) for name, values in medians.items()},
    }
    return Outcome(_rows(medians, cost, peer), details)


def _pictures(bench: Workbench) -> list[Path]:
    """Some of the cells' files, spread over all."""
    files = sorted((bench.cells / "JPEGImages").glob("*.jpg"))
    return files[:: max(1, len(files) // _PICTURES)][:_PICTURES]


def _rows(medians: dict[str, list[float]], cost: dict[str, Any], peer: dict[str, Any]) -> list[Row]:
    theirs = statistics.median(medians["ultralytics"])
    named = f"{peer['name']} {_size(peer)}, ultralytics' ONNX path"
    rows = []
    for backend, title in (("onnxruntime", "ONNX Runtime"), ("openvino", "OpenVINO")):
        if backend not in medians:
            continue
        # each turn ran ours and theirs one after the other
        pairs = zip(medians[backend], medians["ultralytics"], strict=True)
        ratio = statistics.median(ours / other for ours, other in pairs)
        what = f"one picture, loaded {cost['method']} {_size(cost)}, {title}"
        goal = Goal("at most", 1.0) if backend == "onnxruntime" else None
        rows.append(Row(what, statistics.median(medians[backend]), "s", goal, theirs, named, ratio))
    return rows


def _size(one: dict[str, Any]) -> str:
    height, width = one["size_hw"]
    return f"{height}×{width} ({one['multiply_adds'] / 1e9:.1f} billion multiply-adds)"

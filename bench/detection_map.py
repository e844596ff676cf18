"""AP of many detections: from arrays to COCO's numbers, beside pycocotools and faster-coco-eval."""

from __future__ import annotations

import contextlib
import importlib
import io
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.outcome import Goal, Outcome, Row, spread
from bench.workbench import Workbench
from striate.types import Array

_PICTURES, _OBJECTS, _DETECTIONS = 2000, 15_000, 150_000
_CLASSES = (80, 3)
_SAME = 1e-6
_PEERS = {
    "pycocotools": ("pycocotools.coco", "COCO", "pycocotools.cocoeval", "COCOeval"),
    "faster-coco-eval": ("faster_coco_eval", "COCO", "faster_coco_eval", "COCOeval_faster"),
}


@dataclass(frozen=True, slots=True)
class _Scene:
    """Columns of objects and of detections about them, in no order; boxes left, top, right, bottom."""

    classes: int
    object_pictures: Array
    object_labels: Array
    object_boxes: Array
    pictures: Array
    labels: Array
    boxes: Array
    scores: Array


def run(bench: Workbench) -> Outcome:
    share = 0.02 if bench.quick else 1.0
    rows: list[Row] = []
    details: dict[str, Any] = {"pictures": int(_PICTURES * share), "seconds": {}, "differences": {}}
    for classes in _CLASSES:
        scene = _scene(classes, share)
        rows += _compare(bench, scene, details)
    rows.append(_meter_row(bench, details))
    return Outcome(rows, details)


def _scene(classes: int, share: float) -> _Scene:
    """Each detection is an object, moved and stretched at random; one in six has another class."""
    rng = np.random.default_rng(classes)
    pictures, objects, count = (int(n * share) for n in (_PICTURES, _OBJECTS, _DETECTIONS))
    where, labels = rng.integers(0, pictures, objects), rng.integers(0, classes, objects)
    corner = rng.uniform(0, 500, (objects, 2))
    size = np.clip(rng.lognormal(4, 0.8, (objects, 2)), 4, 300)
    source, noise = rng.integers(0, objects, count), rng.normal(0, 0.12, (count, 4))
    moved = corner[source] + noise[:, :2] * size[source]
    grown = size[source] * np.exp(noise[:, 2:])
    named = np.where(rng.random(count) < 5 / 6, labels[source], rng.integers(0, classes, count))
    return _Scene(
        classes,
        where,
        labels,
        np.concatenate([corner, corner + size], axis=1).astype(np.float32).astype(np.float64),
        where[source],
        named,
        np.concatenate([moved, moved + grown], axis=1).astype(np.float32).astype(np.float64),
        rng.random(count).astype(np.float32).astype(np.float64),
    )


def _compare(bench: Workbench, scene: _Scene, details: dict[str, Any]) -> list[Row]:
    ways: dict[str, Callable[[], Array]] = {"striate": lambda: _ours(scene)}
    for name, address in _PEERS.items():
        with contextlib.suppress(ModuleNotFoundError):
            ways[name] = _peer(scene, *address)
    found: dict[str, Array] = {}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    bench.say(f"{len(scene.scores)} detections of {scene.classes} classes")
    for _ in range(bench.times(3, 1)):
        for name, way in ways.items():
            began = time.perf_counter()
            found[name] = way()
            seconds[name].append(time.perf_counter() - began)
    ours = statistics.median(seconds["striate"])
    key = f"{scene.classes} classes"
    details["seconds"][key] = {name: spread(one) for name, one in seconds.items()}
    off = {name: float(np.abs(found[name] - found["striate"]).max()) for name in ways}
    details["differences"][key] = off
    rows = []
    for name in ways:
        if name == "striate":
            continue
        theirs = statistics.median(seconds[name])
        goal = Goal("at least", 5) if name == "pycocotools" else None
        fault = "" if off[name] <= _SAME else f"the numbers differ by {off[name]:.2g}"
        what = f"AP of {len(scene.scores)} detections, {key}"
        rows.append(Row(what, ours, "s", goal, theirs, name, theirs / ours, fault))
    return rows


def _ours(scene: _Scene) -> Array:
    from striate.metrics.detection.matching import match
    from striate.metrics.detection.precision import average, measure
    from striate.metrics.detection.tables import overlaps, sort_found, sort_truth

    crowd = np.zeros(len(scene.object_labels), bool)
    truth = sort_truth(scene.object_pictures, scene.object_labels, scene.object_boxes, crowd)
    found = sort_found(scene.pictures, scene.labels, scene.boxes, scene.scores)
    matches = match(found, truth, overlaps(found, truth, floor=0.5))
    one = measure(found, truth, matches, scene.classes)
    return np.array(
        [
            average(one.precision[..., 0]),
            average(one.precision[0, ..., 0]),
            average(one.precision[5, ..., 0]),
            *(average(one.precision[..., size]) for size in (1, 2, 3)),
            *(average(one.recall_of_few[..., most]) for most in range(3)),
            *(average(one.recall[..., size]) for size in (1, 2, 3)),
        ]
    )


def _peer(scene: _Scene, home: str, coco: str, place: str, evaluation: str) -> Callable[[], Array]:
    """COCO's twelve numbers by a package; its form of the truth is made beforehand."""
    known_type = getattr(importlib.import_module(home), coco)
    evaluation_type = getattr(importlib.import_module(place), evaluation)
    truth = _as_coco(scene)

    def tell() -> Array:
        with contextlib.redirect_stdout(io.StringIO()):
            known = known_type()
            known.dataset = truth
            known.createIndex()
            size = scene.boxes[:, 2:] - scene.boxes[:, :2]
            columns = (scene.pictures + 1, scene.boxes[:, :2], size, scene.scores, scene.labels + 1)
            tried = evaluation_type(known, known.loadRes(np.column_stack(columns)), "bbox")
            tried.evaluate()
            tried.accumulate()
            tried.summarize()
        return np.array(tried.stats[:12], float)

    return tell


def _as_coco(scene: _Scene) -> dict[str, Any]:
    size = scene.object_boxes[:, 2:] - scene.object_boxes[:, :2]
    boxes = np.concatenate([scene.object_boxes[:, :2], size], axis=1).tolist()
    columns = (scene.object_pictures.tolist(), scene.object_labels.tolist(), boxes)
    objects = [
        {
            "id": number + 1,
            "image_id": picture + 1,
            "category_id": label + 1,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": 0,
        }
        for number, (picture, label, box) in enumerate(zip(*columns, strict=True))
    ]
    return {
        "info": {},
        "images": [{"id": number + 1} for number in range(int(scene.object_pictures.max()) + 1)],
        "categories": [{"id": number + 1, "name": str(number)} for number in range(scene.classes)],
        "annotations": objects,
    }


def _meter_row(bench: Workbench, details: dict[str, Any]) -> Row:
    """Everything that `striate evaluate` tells, of 87 pictures with 300 answers each."""
    from striate.data.boxes.truth import Box
    from striate.tasks.detect.metrics import DetectMeter
    from striate.tasks.detect.types import Detections

    rng, names, pictures, answers = np.random.default_rng(0), ("a", "b", "c"), 87, 300
    predictions, targets = [], []
    for _ in range(pictures):
        corner, size = rng.uniform(0, 500, (13, 2)), rng.uniform(20, 120, (13, 2))
        boxes, labels = np.concatenate([corner, corner + size], axis=1), rng.integers(0, 3, 13)
        rows = zip(labels.tolist(), boxes.tolist(), strict=True)
        targets.append(tuple(Box(names[label], (a, b, c, d)) for label, (a, b, c, d) in rows))
        source = rng.integers(0, 13, answers)
        moved = boxes[source] + rng.normal(0, 8, (answers, 4))
        scores = -np.sort(-rng.random(answers)).astype(np.float32)
        found = Detections(names, moved.astype(np.float32), scores, labels[source].astype(np.int64))
        predictions.append(found)
    seconds = []
    for _ in range(bench.times(9, 2)):
        began = time.perf_counter()
        meter = DetectMeter(names)
        meter.update(predictions, targets)
        meter.compute()
        seconds.append(time.perf_counter() - began)
    details["meter_s"] = spread(seconds)
    per_picture = 1000 * statistics.median(seconds) / pictures
    return Row(
        "All metrics of a detector, for each picture", per_picture, "ms", Goal("at most", 5, "ms")
    )

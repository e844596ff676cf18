"""A loaded detector against the torch network behind it: `detect_same.py RUN DATA COUNT`.

Both see the same prepared pictures, `predict` through its exported graph; each detection is compared
with the nearest of its class in the other's answer, in pixels of the original picture. Scores within a
thousandth of the threshold below which none is given are left out: a hair decides whether they are
there.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

import striate
from bench.ours.rebuilt import Rebuilt
from striate.data.boxes.read import read_boxes
from striate.ops.boxes import iou_xyxy
from striate.tasks.detect.types import Detections
from striate.types import Picture

_SAME_OBJECT, _HAIR = 0.9, 1e-3


def main() -> None:
    run, data, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    model = striate.load(run)
    torch_model = Rebuilt(model)
    facts: Any = model.task.facts
    lowest = float(facts.score_threshold) + _HAIR
    records = [
        *read_boxes(data).only("validation").records,
        *read_boxes(data).only("train").records,
    ][:count]
    worst = {"edge_px": 0.0, "score": 0.0}
    compared = lost = 0
    for record in records:
        picture = record.origin.read()
        pair = model.predict(picture), _through_torch(model, torch_model, picture)
        for one, other in (pair, pair[::-1]):
            assert isinstance(one, Detections)
            assert isinstance(other, Detections)
            kept, alone = _compare(one, other, lowest, worst)
            compared, lost = compared + kept, lost + alone
    found = {
        "method": facts.method,
        "model": facts.model,
        "pictures": len(records),
    }
    print(json.dumps({**found, **worst, "compared": compared, "without_partner": lost}))


def _through_torch(model: striate.Model, torch_model: Rebuilt, picture: Picture) -> Any:
    prepared = model.task.prepare(picture)
    feeds = model.task.feeds(np.ascontiguousarray(prepared.pixels[None]))
    return model.task.decode(torch_model(feeds), [prepared])[0]


def _compare(
    one: Detections, other: Detections, lowest: float, worst: dict[str, float]
) -> tuple[int, int]:
    """How many of `one` were compared, and how many have nothing like them in `other`."""
    real = one.take(one.scores > lowest)
    if not len(real):
        return 0, 0
    alike = iou_xyxy(real.boxes_xyxy, other.boxes_xyxy) * (real.labels[:, None] == other.labels[None])
    nearest = alike.argmax(axis=1) if len(other) else np.zeros(len(real), np.int64)
    there = alike.max(axis=1, initial=0.0) >= _SAME_OBJECT
    if there.any():
        mine, theirs = np.flatnonzero(there), nearest[there]
        edges = np.abs(real.boxes_xyxy[mine] - other.boxes_xyxy[theirs])
        scores = np.abs(real.scores[mine] - other.scores[theirs])
        worst["edge_px"] = max(worst["edge_px"], float(edges.max()))
        worst["score"] = max(worst["score"], float(scores.max()))
    return len(real), int((~there).sum())


if __name__ == "__main__":
    main()

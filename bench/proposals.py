"""Region proposals on BCCD's validation pictures: seconds a picture and recall, beside OpenCV's own."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.outcome import Goal, Outcome, Row, spread
from bench.pictures import needed
from bench.workbench import Workbench

Array = NDArray[Any]
_MOST = 2000
_COUNTS = (10, 100, 300, 1000, _MOST)


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds of each picture, boxes a picture, and the recall curve."""

    seconds: list[float]
    boxes: float
    at_half: float
    at_seven_tenths: float
    details: dict[str, Any]


def run(bench: Workbench) -> Outcome:
    pictures, truths = _data(bench.times(8, 2))
    found: dict[str, Found] = {}
    for name, call in _methods().items():
        bench.say(f"{name}, {len(pictures)} pictures")
        found[name] = _measured(call, pictures, truths)
    details = {name: one.details for name, one in found.items()}
    objects = sum(map(len, truths))
    return Outcome(_rows(found), {"pictures": len(pictures), "objects": objects, "methods": details})


def _data(most: int) -> tuple[list[Array], list[Array]]:
    from striate.data.boxes.read import read_boxes

    data = read_boxes(needed("bccd")).only("validation")
    chosen = data.take([index * len(data) // most for index in range(most)])
    boxes = [np.array([one.box_xyxy for one in record.target]).reshape(-1, 4) for record in chosen]
    return [record.origin.read() for record in chosen], boxes


def _methods() -> Mapping[str, Callable[[Array], Array]]:
    from striate.features.proposals import METHODS, Method, propose

    def ours(method: Method) -> Callable[[Array], Array]:
        return lambda picture: propose(picture, method=method, most=_MOST).boxes_xyxy

    return {**{method: ours(method) for method in METHODS}, "OpenCV": _opencv}


def _opencv(picture: Array) -> Array:
    """Its fast selective search, the same colour spaces and likenesses, in its own (random) order."""
    import cv2

    search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
    search.setBaseImage(np.ascontiguousarray(picture[..., ::-1]))
    search.switchToSelectiveSearchFast()
    boxes = np.asarray(search.process()[:_MOST], np.float32)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def _measured(
    call: Callable[[Array], Array], pictures: Sequence[Array], truths: Sequence[Array]
) -> Found:
    from striate.features.proposals import recall_curve

    call(pictures[0])
    seconds, boxes = [], []
    for picture in pictures:
        began = time.perf_counter()
        boxes.append(call(picture))
        seconds.append(time.perf_counter() - began)
    curve = recall_curve(boxes, truths, counts=_COUNTS)
    number = statistics.mean(map(len, boxes))
    details = {"seconds": spread(seconds), "boxes": number, **curve.to_dict()}
    return Found(seconds, number, curve.at(_MOST, 0.5), curve.at(_MOST, 0.7), details)


def _rows(found: Mapping[str, Found]) -> list[Row]:
    theirs = found["OpenCV"]
    limits = {"selective-search": 2.0, "selective-search-quality": 20.0, "edge-boxes": 2.0, "grid": 0.1}
    rows = []
    for name, limit in limits.items():
        one = found[name]
        peered = name == "selective-search"
        peer = (lambda value: (value, "OpenCV, fast")) if peered else (lambda value: (None, ""))
        took, they_took = (statistics.median(each.seconds) for each in (one, theirs))
        rows += [
            Row(
                f"{name}: {one.boxes:.0f} boxes of a 480×640 picture",
                took,
                "s",
                Goal("at most", limit, "s"),
                *peer(they_took),
            ),
            Row(f"{name}: recall at IoU 0.5", one.at_half, "%", None, *peer(theirs.at_half)),
            Row(
                f"{name}: recall at IoU 0.7",
                one.at_seven_tenths,
                "%",
                None,
                *peer(theirs.at_seven_tenths),
            ),
        ]
    return rows

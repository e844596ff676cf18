"""How good a detector is: COCO's AP and AR, and why it is not better.

Everything is JSON-ready; what is undefined (no objects of a class) is None; intervals are [low, high]
at 95 %. Epochs are compared by "ap50".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.data.boxes.truth import Boxes
from striate.errors import UnknownNameError
from striate.metrics.calibration import reliability
from striate.metrics.detection import matching, precision
from striate.metrics.detection.confusion import confusion_with_background, most_confused
from striate.metrics.detection.errors import BACKGROUND_IOU, error_shares
from striate.metrics.detection.luck import bootstrap_ap50
from striate.metrics.detection.matching import Matches
from striate.metrics.detection.precision import Precision, average
from striate.metrics.detection.tables import Found, Pairs, Truth, overlaps, sort_found, sort_truth
from striate.metrics.detection.thresholds import Shown, best_f1, shown_from
from striate.metrics.plain import plain, plain_pair
from striate.tasks.detect.types import Detections
from striate.types import Array

__all__ = ["BACKGROUND", "DetectMeter", "tables_of"]

BACKGROUND = "background"
"""What the confusion calls an object that was not found, and an answer where there is nothing."""

_RIGHT_IOU = 0.5
_AT_50, _AT_75 = 0, 5
_MATRIX_CLASSES = 100
"""Up to so many classes the whole confusion is written; beyond, only its largest entries."""
_MOST_CONFUSED = 30


class DetectMeter:
    """Metrics of boxes, upright or turned.

    `names`: the classes. `score_from`: precision, recall, F1 and the confusion are of answers from this
    score on; AP is of all. `full`: everything for a report; without it only numbers of the whole, which
    is what an epoch needs.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        *,
        score_from: float = 0.3,
        oriented: bool = False,
        full: bool = True,
    ) -> None:
        self._names, self._score_from, self._full = names, score_from, full
        self._oriented = oriented
        self._predictions: list[Detections] = []
        self._targets: list[Boxes] = []

    def update(self, predictions: Sequence[Detections], targets: Sequence[Boxes]) -> None:
        """Take the answers to some pictures, and their truths."""
        assert len(predictions) == len(targets)
        self._predictions += predictions
        self._targets += targets

    def compute(self) -> dict[str, Any]:
        """All metrics of everything taken so far."""
        names = self._names
        found, truth = tables_of(self._predictions, self._targets, names, oriented=self._oriented)
        floor = BACKGROUND_IOU if self._full else _RIGHT_IOU
        pairs = overlaps(found, truth, floor=floor)
        matches = matching.match(found, truth, pairs)
        measured = precision.measure(found, truth, matches, len(names))
        objects = np.bincount(truth.labels[matches.objects[0]], minlength=len(names))
        # Detections hold float32: from 0.7 on means from 0.7 as they can have it
        score_from = float(np.float32(self._score_from))
        right, counted = matches.right[0, 0], matches.counted[0, 0]
        shown = shown_from(score_from, found.scores, found.labels, right, counted, objects)
        metrics = {
            **_coco(measured),
            **_at_threshold(shown, found, right, counted),
            "score_from": self._score_from,
            "n": len(self._targets),
            "pictures": len(self._targets),
            "objects": int(objects.sum()),
            "detections": sum(len(one) for one in self._predictions),
        }
        if not self._full:
            return metrics
        confusion = confusion_with_background(
            found, truth, pairs, matches, classes=len(names), score_from=score_from
        )
        return {
            **metrics,
            "ap50_interval": plain_pair(
                bootstrap_ap50(found, truth, matches, classes=len(names), pictures=len(self._targets))
            ),
            "per_class": _per_class(measured, shown, names),
            "errors": _errors(found, truth, pairs, matches, len(names)),
            **_confusion(confusion, (*names, BACKGROUND)),
            "curves": _curves(measured, names),
            **_calibration(found.scores[counted], right[counted], score_from),
        }


def tables_of(
    predictions: Sequence[Detections],
    targets: Sequence[Boxes],
    names: tuple[str, ...],
    *,
    oriented: bool = False,
) -> tuple[Found, Truth]:
    """Answers and truths of the same pictures as arrays. Labels are indices into `names`; a truth with
    another label is an `UnknownNameError`. Difficult objects are crowds."""
    index = {name: number for number, name in enumerate(names)}
    boxes = [(picture, box) for picture, found in enumerate(targets) for box in found]
    for _, box in boxes:
        if box.label not in index:
            raise UnknownNameError("class", box.label, names)
    truth = sort_truth(
        np.array([picture for picture, _ in boxes], np.int64),
        np.array([index[box.label] for _, box in boxes], np.int64),
        np.array([box.box_xyxy for _, box in boxes], np.float64),
        np.array([box.crowd or box.difficult for _, box in boxes], bool),
        np.array([box.angle_deg for _, box in boxes], np.float64) if oriented else None,
    )
    found = sort_found(
        np.repeat(np.arange(len(predictions)), [len(one) for one in predictions]),
        _joined([_labels(one, names, index) for one in predictions], np.int64),
        _joined([one.boxes_xyxy for one in predictions], np.float64, (0, 4)),
        _joined([one.scores for one in predictions], np.float64),
        _joined([_angles(one) for one in predictions], np.float64) if oriented else None,
    )
    return found, truth


def _labels(found: Detections, names: tuple[str, ...], index: dict[str, int]) -> Array:
    if found.names == names:
        return found.labels
    return np.array([index[name] for name in found.names], np.int64)[found.labels]


def _angles(found: Detections) -> Array:
    return np.zeros(len(found), np.float32) if found.angles_deg is None else found.angles_deg


def _joined(parts: Sequence[Array], dtype: type, shape: tuple[int, ...] = (0,)) -> Array:
    return np.concatenate([np.zeros(shape, dtype), *parts])


def _coco(measured: Precision) -> dict[str, Any]:
    """COCO's twelve numbers but the recalls by size."""
    by_size = {
        f"ap_{name}": plain(average(measured.precision[..., column]))
        for column, name in enumerate(matching.SIZES)
        if name != "all"
    }
    by_count = {
        f"ar_{most}": plain(average(measured.recall_of_few[..., column]))
        for column, most in enumerate(precision.KEEP)
    }
    return {
        "ap50": plain(average(measured.precision[_AT_50, ..., 0])),
        "ap75": plain(average(measured.precision[_AT_75, ..., 0])),
        "ap": plain(average(measured.precision[..., 0])),
        **by_size,
        **by_count,
    }


def _at_threshold(shown: Shown, found: Found, right: Array, counted: Array) -> dict[str, Any]:
    total = shown.total()
    score, f1 = best_f1(found.scores, right, counted, int(total.objects))
    return {
        "precision": plain(float(total.precision)),
        "recall": plain(float(total.recall)),
        "f1": plain(float(total.f1)),
        "best_f1": plain(f1),
        "best_f1_score": plain(score),
    }


def _per_class(measured: Precision, shown: Shown, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    values = measured.precision[..., 0]  # (T, 101, K)
    columns = {"precision": shown.precision, "recall": shown.recall, "f1": shown.f1}
    return {
        name: {
            "ap50": plain(average(values[_AT_50, :, k])),
            "ap75": plain(average(values[_AT_75, :, k])),
            "ap": plain(average(values[:, :, k])),
            "objects": int(shown.objects[k]),
            "answers": int(shown.answers[k]),
            **{key: plain(float(column[k])) for key, column in columns.items()},
        }
        for k, name in enumerate(names)
    }


def _errors(
    found: Found, truth: Truth, pairs: Pairs, matches: Matches, classes: int
) -> dict[str, dict[str, Any]]:
    shares = error_shares(found, truth, pairs, matches, classes)
    return {kind: {"count": one.count, "dAP50": plain(one.lost)} for kind, one in shares.items()}


def _confusion(counts: Array, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "confusion": {
            "names": list(names),
            "counts": counts.tolist() if len(names) <= _MATRIX_CLASSES + 1 else None,
        },
        "most_confused": [
            {"truth": names[truth], "answer": names[answer], "count": count}
            for truth, answer, count in most_confused(counts, _MOST_CONFUSED)
        ],
    }


def _curves(measured: Precision, names: tuple[str, ...]) -> dict[str, Any]:
    """Precision at 101 recalls, of each class; None without objects."""
    found: dict[str, Any] = {"recall": precision.RECALLS.round(2).tolist()}
    for key, row in (("precision50", _AT_50), ("precision75", _AT_75)):
        curves = measured.precision[row, :, :, 0].T  # (K, 101)
        found[key] = {
            name: None if np.isnan(curve).any() else curve.round(5).tolist()
            for name, curve in zip(names, curves, strict=True)
        }
    return found


def _calibration(scores: Array, right: Array, score_from: float) -> dict[str, Any]:
    """Detection ECE (Küppers et al. 2020, by score alone): score against precision at IoU 0.5."""
    scores = np.clip(scores, 0, 1)
    every, shown = reliability(scores, right), scores >= score_from
    return {
        "ece": plain(every.error),
        "ece_shown": plain(reliability(scores[shown], right[shown]).error),
        "calibration": {
            "score": every.confidence.round(5).tolist(),
            "precision": every.share.round(5).tolist(),
            "answers": every.count.tolist(),
        },
    }

"""Why answers are wrong, and what each kind of error costs (TIDE: Bolya et al. 2020).

Each wrong answer, and each object that was not found, is given one cause; the price of a cause is by how
much AP50 would rise if only these errors were put right. The prices do not add up to what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from striate.metrics.detection.matching import Matches
from striate.metrics.detection.precision import average, interpolated
from striate.metrics.detection.tables import Found, Pairs, Truth
from striate.types import Array

__all__ = ["BACKGROUND_IOU", "KINDS", "Causes", "ErrorShare", "causes_of", "error_shares"]

KINDS = ("class", "location", "both", "duplicate", "background", "missed")
"""Causes, in the order of the paper."""

BACKGROUND_IOU = 0.1
"""An answer that overlaps objects by less has found nothing."""
_RIGHT_IOU = 0.5
_CLASS, _LOCATION, _BOTH, _DUPLICATE, _BACKGROUND = range(5)


@dataclass(frozen=True, slots=True)
class ErrorShare:
    """How often, and the AP50 that is lost by it (NaN without objects)."""

    count: int
    lost: float


@dataclass(frozen=True, slots=True, eq=False)
class Causes:
    """Why each answer is wrong. `kind`: int64 (D,), index into `KINDS`, −1 for what is not wrong.

    `target`: int64 (D,), the free object that a wrong answer would be right about were it mended, −1 for
    none. `missed`: bool (G,), objects that no answer found, nor would if mended.
    """

    kind: Array
    target: Array
    missed: Array


def error_shares(
    found: Found, truth: Truth, pairs: Pairs, matches: Matches, classes: int
) -> Mapping[str, ErrorShare]:
    """Each of `KINDS`, then "false_positive" and "false_negative": all wrong answers, all not found.

    `pairs`: overlaps of at least `BACKGROUND_IOU`. `matches`: at an IoU of 0.5 first, any size first.
    """
    right, counted = matches.right[0, 0], matches.counted[0, 0]
    causes = causes_of(found, truth, pairs, matches)
    objects = np.bincount(truth.labels[matches.objects[0]], minlength=classes)
    missing = objects - np.bincount(found.labels[right], minlength=classes)
    missed = np.bincount(truth.labels[causes.missed], minlength=classes)
    scenes = _Scene(found.labels, found.scores, right, counted, objects)
    whole = scenes.ap50(objects)

    def share(count: int, scene: _Scene) -> ErrorShare:
        gained = scene.ap50(objects) - whole
        return ErrorShare(int(count), float(np.maximum(gained, 0.0)))

    shares = {}
    for index, kind in enumerate(KINDS[:-1]):
        these = causes.kind == index
        if index in (_CLASS, _LOCATION):
            scene = _put_right(scenes, these, _best_of_targets(found, causes), truth, causes.target)
        else:
            scene = scenes.without(these)
        shares[kind] = share(these.sum(), scene)
    shares["missed"] = share(causes.missed.sum(), scenes.with_objects(objects - missed))
    wrong = counted & ~right
    shares["false_positive"] = share(wrong.sum(), scenes.without(wrong))
    shares["false_negative"] = share(missing.sum(), scenes.with_objects(objects - missing))
    return shares


def causes_of(found: Found, truth: Truth, pairs: Pairs, matches: Matches) -> Causes:
    """The cause of each error, by section 2.2 of the paper; arguments as of `error_shares`."""
    count, took = len(found), matches.truth_of[0, 0]
    wrong = matches.counted[0, 0] & (took < 0)
    pairs = pairs.take(wrong[pairs.found] & ~truth.crowd[pairs.truth])
    same = found.labels[pairs.found] == truth.labels[pairs.truth]
    own, own_iou = _best(pairs.take(same), count)
    other, other_iou = _best(pairs.take(~same), count)
    kind = np.full(count, _BACKGROUND)
    # from the weakest claim to the strongest
    kind[np.maximum(own_iou, other_iou) > BACKGROUND_IOU] = _BOTH
    kind[own_iou >= _RIGHT_IOU] = _DUPLICATE
    kind[other_iou >= _RIGHT_IOU] = _CLASS
    kind[(own_iou >= BACKGROUND_IOU) & (own_iou < _RIGHT_IOU)] = _LOCATION
    kind[~wrong] = -1
    target = np.where(kind == _LOCATION, own, np.where(kind == _CLASS, other, -1))
    free = matches.objects[0].copy()
    free[took[took >= 0]] = False
    target[target >= 0] = np.where(free[target[target >= 0]], target[target >= 0], -1)
    missed = free.copy()
    missed[target[target >= 0]] = False
    return Causes(kind, target, missed)


def _best(pairs: Pairs, count: int) -> tuple[Array, Array]:
    """For each of `count` answers the object that it overlaps most (−1 for none), and by how much."""
    target, iou = np.full(count, -1, np.int64), np.zeros(count)
    order = np.lexsort((pairs.truth, -pairs.iou, pairs.found))
    rows, first = np.unique(pairs.found[order], return_index=True)
    target[rows], iou[rows] = pairs.truth[order][first], pairs.iou[order][first]
    return target, iou


def _best_of_targets(found: Found, causes: Causes) -> Array:
    """Of the wrong answers that could be right about one object, the surest: bool (D,)."""
    rows = np.flatnonzero(causes.target >= 0)
    order = rows[np.argsort(-found.scores[rows], kind="stable")]
    _, first = np.unique(causes.target[order], return_index=True)
    best = np.zeros(len(found), bool)
    best[order[first]] = True
    return best


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """Answers as they are, or as they would be: arrays (D,), and the objects of each class (K,)."""

    labels: Array
    scores: Array
    right: Array
    counted: Array
    objects: Array

    def without(self, rows: Array) -> _Scene:
        return _Scene(self.labels, self.scores, self.right, self.counted & ~rows, self.objects)

    def with_objects(self, objects: Array) -> _Scene:
        return _Scene(self.labels, self.scores, self.right, self.counted, objects)

    def ap50(self, among: Array) -> float:
        """Mean over the classes that have objects in `among`; NaN if none has."""
        order = np.lexsort((-self.scores, self.labels))
        ends = np.searchsorted(self.labels[order], np.arange(len(self.objects) + 1))
        values = np.full(len(self.objects), np.nan)
        for k in np.flatnonzero(among):
            rows = order[ends[k] : ends[k + 1]]
            curve = interpolated(self.right[rows], self.counted[rows], max(int(self.objects[k]), 1))
            values[k] = curve.mean()
        return average(values)


def _put_right(scene: _Scene, these: Array, best: Array, truth: Truth, target: Array) -> _Scene:
    """Errors become right answers about their targets; where several could, the others go."""
    mended = these & best
    labels = scene.labels.copy()
    labels[mended] = truth.labels[target[mended]]
    right = scene.right | mended
    return _Scene(labels, scene.scores, right, scene.counted & ~(these & ~best), scene.objects)

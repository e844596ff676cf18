"""One linear support vector machine against all else, with hard negatives and honest margins."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from striate.types import Array

__all__ = ["Machine", "fit_machine", "platt"]

_NORM, _C, _BIAS, _POSITIVE_WEIGHT = 20.0, 1e-2, 10.0, 2.0
"""Mean length that vectors are scaled to, cost of errors, weight of the bias and of positives: the
numbers of R-CNN's code, but for a cost ten times as high on vectors that are standardised first, which
ranked regions of unseen pictures better."""
_FIRST, _ADDED, _ROUNDS = 5_000, 5_000, 5
"""Negatives to begin with, most that a round adds, most rounds."""
_FEW = 50
"""Where a class has fewer objects, regions that overlap one by 0.7 join them."""
_HARD, _EASY = -1.0, -1.2
"""A negative above the one margin is hard; below the other it makes room."""
_NEVER = -20.0
"""Bias of a class that has no object: a score of 2e-9."""


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """`weight` float32 (D,) and `bias`: the sigmoid of what they make of a vector is the share of right
    regions. `rounds`: how often hard negatives were looked for."""

    weight: Array
    bias: float
    rounds: int


def fit_machine(
    vectors: Array, *, positives: Array, likely: Array, negatives: Array, judged: Array, right: Array
) -> Machine:
    """A machine that tells `positives` from `negatives`, flags (R,) of `vectors` float32 (R, D).

    `likely` (R,) join few positives. The sigmoid is fitted to the margins of the regions `judged` (R,),
    of which those flagged in `right` (J,) hold an object.
    """
    if positives.sum() < _FEW:
        positives = positives | likely
    if not positives.any() or not negatives.any():
        return Machine(np.zeros(vectors.shape[1], np.float32), _NEVER, 0)
    fitted = positives | negatives
    mean, spread = vectors[fitted].mean(axis=0), vectors[fitted].std(axis=0) + np.float32(1e-6)
    length = float(np.linalg.norm((vectors[fitted] - mean) / spread, axis=1).mean())
    scale = np.float32(_NORM / max(length, 1e-6)) / spread
    weight, bias, rounds = _with_hard_negatives(
        (vectors - mean) * scale, positives, np.flatnonzero(negatives)
    )
    weight, bias = weight * scale, bias - float(mean @ (weight * scale))
    slope, shift = platt(vectors[judged] @ weight + bias, right)
    return Machine((slope * weight).astype(np.float32), slope * bias + shift, rounds)


def _with_hard_negatives(vectors: Array, positives: Array, negatives: Array) -> tuple[Array, float, int]:
    """Weight, bias and rounds: each adds the negatives that the last machine took for objects."""
    good = vectors[positives]
    drawn = np.random.default_rng(0).permutation(len(negatives))[:_FIRST]
    used = np.zeros(len(negatives), bool)
    used[drawn] = True
    number = 0
    while True:
        number += 1
        weight, bias = _fit(good, vectors[negatives[used]])
        margins = vectors[negatives] @ weight + bias
        hard = np.flatnonzero((margins > _HARD) & ~used)
        if not len(hard) or number == _ROUNDS:
            return weight, bias, number
        used &= margins > _EASY
        used[hard[np.argsort(-margins[hard], kind="stable")][:_ADDED]] = True


def _fit(good: Array, bad: Array) -> tuple[Array, float]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    learner = LinearSVC(
        C=_C, dual=False, intercept_scaling=_BIAS, class_weight={1: _POSITIVE_WEIGHT}, max_iter=200
    )
    labels = np.repeat([1, 0], [len(good), len(bad)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a nearly best plane serves as well
        learner.fit(np.concatenate([good, bad]), labels)
    return learner.coef_[0].astype(np.float32), float(learner.intercept_[0])


def platt(margins: Array, right: Array) -> tuple[float, float]:
    """Slope and shift of the sigmoid that makes margins (J,) the share of `right` ones, bool (J,).

    Platt 1999, with his targets that keep off 0 and 1. (1, 0) where all or none is right, or where the
    right ones have the lower margins.
    """
    from sklearn.linear_model import LogisticRegression

    count = int(right.sum())
    if count in (0, len(right)):
        return 1.0, 0.0
    sure = np.where(right, (count + 1) / (count + 2), 1 / (len(right) - count + 2))
    twice = np.concatenate([margins, margins]).astype(np.float64)[:, None]
    labels = np.repeat([1, 0], len(margins))
    model = LogisticRegression(C=1e4, max_iter=1000)
    model.fit(twice, labels, sample_weight=np.concatenate([sure, 1 - sure]))
    slope, shift = float(model.coef_[0, 0]), float(model.intercept_[0])
    return (slope, shift) if slope > 0 else (1.0, 0.0)

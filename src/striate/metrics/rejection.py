"""What saying "unknown" buys: the risk among accepted answers against the share accepted.

A threshold with a promise is chosen as in Learn then Test (Angelopoulos et al. 2021) for the selective
classification of Geifman & El-Yaniv 2017: a few coverages, fixed before looking at the answers, are
each tested by the exact Clopper–Pearson bound at delta / tests; the largest that passes is kept.
(A binary search over coverages, as in the latter, starts in the middle and gives up on small sets.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from striate.metrics.intervals import binomial_upper
from striate.types import Array

__all__ = ["REJECT_ALL", "Rejection", "area_under_risk_coverage", "choose_rejection", "risk_coverage"]

REJECT_ALL = 2.0
"""A threshold that no probability reaches: nothing can be promised, everything is unknown."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Accept confidences >= `threshold`.

    `error_bound`: the error among accepted is at most this, with the confidence asked for;
    `coverage`: the share of the calibration answers that is accepted.
    """

    threshold: float
    error_bound: float
    coverage: float


def risk_coverage(confidence: Array, wrong: Array) -> tuple[Array, Array]:
    """Coverage (N,) = 1/N … 1 and the error among that many most confident answers, (N,).

    Answers of equal confidence count with their mean error, so the order of the records is of no
    consequence.
    """
    values, group = np.unique(-np.asarray(confidence, dtype=np.float64), return_inverse=True)
    group = group.reshape(-1)
    size = np.bincount(group, minlength=len(values))
    mean_wrong = np.bincount(group, weights=np.asarray(wrong, dtype=np.float64)) / np.maximum(size, 1)
    accepted = np.arange(1, len(group) + 1)
    return accepted / max(len(group), 1), np.cumsum(np.repeat(mean_wrong, size)) / accepted


def area_under_risk_coverage(confidence: Array, wrong: Array) -> float:
    """AURC: the mean error over all coverages (Geifman et al. 2019); lower is better, NaN for none."""
    _, risk = risk_coverage(confidence, wrong)
    return float(risk.mean()) if len(risk) else float("nan")


def choose_rejection(
    confidence: Array, wrong: Array, *, max_error: float, delta: float = 0.05
) -> Rejection:
    """The lowest threshold found at which the error among accepted is surely <= `max_error`.

    `confidence` (N,), `wrong` (N,) bool: answers that were not trained on. The promise holds with
    probability 1 − `delta` over the draw of these answers, for new ones drawn alike. If even the
    surest answers are too few or too often wrong, the threshold is `REJECT_ALL`.
    """
    order = np.argsort(-np.asarray(confidence), kind="stable")
    ranked, mistakes = np.asarray(confidence)[order], np.cumsum(np.asarray(wrong)[order])
    tested = _tested_ranks(len(ranked), max_error, delta)
    for rank in reversed(tested):
        threshold = float(ranked[rank - 1])
        accepted = int(np.searchsorted(-ranked, -threshold, side="right"))  # with its equals
        bound = binomial_upper(int(mistakes[accepted - 1]), accepted, delta=delta / len(tested))
        if bound <= max_error:
            return Rejection(threshold, bound, accepted / len(ranked))
    return Rejection(REJECT_ALL, 1.0, 0.0)


def _tested_ranks(n: int, max_error: float, delta: float, most: int = 16) -> list[int]:
    """How many of the `n` surest answers to try to accept, rising; chosen without looking at them.

    Fewer than the least could not pass even without a mistake, so no test is spent on them.
    """
    for tests in range(most, 0, -1):
        least = math.ceil(math.log(delta / tests) / math.log1p(-max_error))
        if least <= n:
            return [round(rank) for rank in np.linspace(least, n, tests).tolist()]
    return []

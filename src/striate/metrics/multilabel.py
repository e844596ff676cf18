"""Measures of answers with any number of labels a picture.

Truths and answers are bool (N, K), scores float (N, K). A label without positives has no average
precision and no AUROC (NaN); means leave it out.
"""

from __future__ import annotations

import numpy as np

from striate.metrics.classification import ClassScores, ratio, scores_from_counts
from striate.metrics.ranks import average_ranks
from striate.types import Array

__all__ = [
    "auroc",
    "average_precision",
    "best_f1_threshold",
    "bootstrap_mean_average_precision",
    "hamming_loss",
    "label_scores",
    "micro_f1",
    "subset_accuracy",
]


def average_precision(truth: Array, scores: Array) -> float:
    """Mean over positives of the precision at their score: Σ (Rᵢ − Rᵢ₋₁) Pᵢ, no interpolation.

    `truth` bool (N,), `scores` (N,). Equal scores are taken together. NaN without positives.
    """
    truth = np.asarray(truth, dtype=bool)
    if not truth.any():
        return float("nan")
    hits, taken = _cuts(truth, np.asarray(scores))
    gained = np.diff(hits, prepend=0)
    return float((gained * hits / taken).sum() / truth.sum())


def auroc(truth: Array, scores: Array) -> float:
    """Probability that a positive scores above a negative, ties half; NaN without one of both.

    Mann–Whitney U over the number of pairs.
    """
    truth = np.asarray(truth, dtype=bool)
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return float("nan")
    rank_sum = average_ranks(np.asarray(scores))[truth].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def label_scores(truth: Array, answer: Array) -> ClassScores:
    """Precision, recall, F1 and support of each label, arrays (K,)."""
    truth, answer = np.asarray(truth, dtype=bool), np.asarray(answer, dtype=bool)
    return scores_from_counts((truth & answer).sum(axis=0), answer.sum(axis=0), truth.sum(axis=0))


def micro_f1(truth: Array, answer: Array) -> float:
    """F1 over all (picture, label) pairs together; NaN if nothing is true or answered."""
    truth, answer = np.asarray(truth, dtype=bool), np.asarray(answer, dtype=bool)
    return float(ratio(2 * (truth & answer).sum(), truth.sum() + answer.sum()))


def subset_accuracy(truth: Array, answer: Array) -> float:
    """Share of pictures whose labels are all right and complete; NaN for none."""
    return float((truth == answer).all(axis=1).mean()) if len(truth) else float("nan")


def hamming_loss(truth: Array, answer: Array) -> float:
    """Share of (picture, label) pairs that are wrong; NaN for none."""
    return float((truth != answer).mean()) if np.size(truth) else float("nan")


def best_f1_threshold(truth: Array, scores: Array) -> float:
    """The score from which to say yes so that F1 on these (N,) is highest; NaN without positives.

    Half-way between the two scores that it parts; of equal F1, the highest threshold.
    """
    truth = np.asarray(truth, dtype=bool)
    if not truth.any():
        return float("nan")
    scores = np.asarray(scores, dtype=np.float64)
    hits, taken = _cuts(truth, scores)
    best = int(np.argmax(2 * hits / (taken + truth.sum())))
    distinct = np.unique(scores)[::-1]
    below = distinct[best + 1] if best + 1 < len(distinct) else 0.0
    return float((distinct[best] + min(below, distinct[best])) / 2)


def bootstrap_mean_average_precision(
    truth: Array, scores: Array, *, resamples: int = 200, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of the mean average precision over labels, for `truth` bool (N, K).

    Pictures are drawn; each label is sorted once and the draws are weights. Every extra million of
    (picture, label) pairs takes resamples away, down to 40, so that it stays a matter of seconds.
    """
    n, labels = truth.shape
    if not n:
        return float("nan"), float("nan")
    resamples = int(np.clip(20_000_000 // (n * labels), 40, resamples))
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, n, (resamples, n))
    weights = np.stack([np.bincount(drawn, minlength=n) for drawn in draws])  # (R, N)
    of_labels = [_weighted_precision(truth[:, k], scores[:, k], weights) for k in range(labels)]
    found = np.stack(of_labels)  # (K, R)
    defined = ~np.isnan(found)
    means = ratio(np.where(defined, found, 0.0).sum(axis=0), defined.sum(axis=0))
    means = means[~np.isnan(means)]
    if not len(means):
        return float("nan"), float("nan")
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _weighted_precision(truth: Array, scores: Array, weights: Array) -> Array:
    """Average precision of pictures counted `weights` (R, N) times, (R,); NaN without positives."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    counted = weights[:, order]
    hits = np.cumsum(counted * truth[order], axis=1)[:, ends]
    taken = np.cumsum(counted, axis=1)[:, ends]
    gained = np.diff(hits, axis=1, prepend=0)
    return ratio((gained * hits / np.maximum(taken, 1)).sum(axis=1), hits[:, -1])


def _cuts(truth: Array, scores: Array) -> tuple[Array, Array]:
    """(true positives, positives answered) at each distinct score, falling; int64 (D,)."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    return np.cumsum(truth[order])[ends], ends + 1

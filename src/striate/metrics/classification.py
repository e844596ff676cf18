"""Measures of answers with one class a picture.

Classes are integers 0 … K-1. Truths and answers are integer arrays (N,), scores float (N, K).
A measure that is 0/0 is NaN, never a flattering or damning number; averages leave it out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.types import Array

__all__ = [
    "ClassScores",
    "accuracy",
    "balanced_accuracy",
    "brier_score",
    "class_scores",
    "confusion_counts",
    "log_loss",
    "macro_f1",
    "mean_over_classes",
    "most_confused",
    "ratio",
    "scores_from_counts",
    "top_k_hits",
    "weighted_over_classes",
]


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Per class, arrays (K,): `precision`, `recall`, `f1` in [0, 1] or NaN, `support` int64."""

    precision: Array
    recall: Array
    f1: Array
    support: Array


def ratio(part: Array, whole: Array) -> Array:
    """`part / whole`, float64; NaN where `whole` is 0."""
    whole = np.asarray(whole, dtype=np.float64)
    found: Array = np.full(np.broadcast(part, whole).shape, np.nan)
    np.divide(part, whole, out=found, where=whole != 0)
    return found


def accuracy(truth: Array, answer: Array) -> float:
    """Share of right answers; NaN for no answers."""
    return float(np.mean(truth == answer)) if len(truth) else float("nan")


def top_k_hits(truth: Array, scores: Array, k: int) -> Array:
    """Whether the true class is among the `k` best scored, bool (N,).

    Of equal scores the lower class index goes first, as in `argmax`: k = 1 is plain accuracy.
    """
    own = scores[np.arange(len(truth)), truth][:, None]
    earlier = np.arange(scores.shape[1])[None, :] < np.asarray(truth)[:, None]
    rank = ((scores > own) | ((scores == own) & earlier)).sum(axis=1)
    hits: Array = rank < k
    return hits


def confusion_counts(truth: Array, answer: Array, classes: int) -> Array:
    """Counts int64 (classes, classes): row = truth, column = answer.

    >>> confusion_counts(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    flat = np.bincount(np.asarray(truth) * classes + np.asarray(answer), minlength=classes * classes)
    return flat.reshape(classes, classes)


def scores_from_counts(hits: Array, answered: Array, support: Array) -> ClassScores:
    """Per-class scores from true positives, answers and truths per class, each (K,)."""
    return ClassScores(
        precision=ratio(hits, answered),
        recall=ratio(hits, support),
        f1=ratio(2 * hits, answered + support),
        support=support,
    )


def class_scores(confusion: Array) -> ClassScores:
    """Precision, recall, F1 and support of each class from a confusion (K, K)."""
    return scores_from_counts(np.diagonal(confusion), confusion.sum(axis=0), confusion.sum(axis=1))


def mean_over_classes(values: Array) -> float:
    """Macro average: the mean over classes whose value is defined; NaN if there is none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def weighted_over_classes(values: Array, support: Array) -> float:
    """Average over classes weighted by how often each is the truth."""
    defined = ~np.isnan(values)
    return float(ratio((values[defined] * support[defined]).sum(), support[defined].sum()))


def balanced_accuracy(confusion: Array) -> float:
    """Mean recall over the classes that occur in the truth (Brodersen et al. 2010)."""
    return mean_over_classes(class_scores(confusion).recall)


def macro_f1(truth: Array, answer: Array, classes: int) -> float:
    """Mean F1 over classes that occur in truth or answer; O(N + K), fit for resampling."""
    truth, answer = np.asarray(truth), np.asarray(answer)
    hits = np.bincount(truth[truth == answer], minlength=classes)
    answered = np.bincount(answer, minlength=classes)
    support = np.bincount(truth, minlength=classes)
    return mean_over_classes(scores_from_counts(hits, answered, support).f1)


def log_loss(truth: Array, probabilities: Array) -> float:
    """Mean −ln p of the true class, nats; p is kept within the precision of its dtype off 0."""
    if not len(truth):
        return float("nan")
    smallest = np.finfo(probabilities.dtype).eps
    own = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(own, smallest, 1.0), dtype=np.float64).mean())


def brier_score(truth: Array, probabilities: Array) -> float:
    """Mean squared distance of the probabilities from the one-hot truth, 0 … 2 (Brier 1950)."""
    if not len(truth):
        return float("nan")
    probabilities = probabilities.astype(np.float64)
    own = probabilities[np.arange(len(truth)), truth]
    return float(((probabilities**2).sum(axis=1) - 2.0 * own + 1.0).mean())


def most_confused(confusion: Array, limit: int) -> list[tuple[int, int, int]]:
    """The commonest mistakes: (truth, answer, count), most frequent first, at most `limit`."""
    mistakes = confusion.copy()
    np.fill_diagonal(mistakes, 0)
    rows, columns = np.nonzero(mistakes)
    counts = mistakes[rows, columns]
    order = np.lexsort((columns, rows, -counts))[:limit]
    return [(int(rows[i]), int(columns[i]), int(counts[i])) for i in order]

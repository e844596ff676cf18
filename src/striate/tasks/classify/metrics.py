"""How good a classifier is: one meter for one class a picture, one for any number of labels.

Both give `headline_score`, by which epochs are compared: accuracy, or mean average precision.
Everything is JSON-ready; what is undefined is None; intervals are [low, high] at 95 %.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from striate.metrics import classification as one
from striate.metrics import multilabel as many
from striate.metrics.calibration import expected_calibration_error
from striate.metrics.intervals import bootstrap_interval, wilson_interval
from striate.metrics.plain import plain, plain_pair
from striate.metrics.rejection import area_under_risk_coverage
from striate.tasks.classify.config import ClassifyFacts
from striate.tasks.classify.data import Labels, encode
from striate.tasks.classify.types import Classification
from striate.types import Array

__all__ = ["ClassMeter", "LabelMeter"]

_MATRIX_CLASSES = 100
"""Up to so many classes the whole confusion is written; beyond, its largest entries."""
_MOST_CONFUSED = 30


class ClassMeter:
    """Metrics of one class a picture."""

    def __init__(self, facts: ClassifyFacts, *, top_k: int) -> None:
        self._facts, self._top_k = facts, top_k
        self._truth: list[Array] = []
        self._probabilities: list[Array] = []
        self._known: list[bool] = []

    def update(self, predictions: Sequence[Classification], targets: Sequence[Labels]) -> None:
        """Take the answers to some pictures, and their truths."""
        if not predictions:
            return
        self._truth.append(encode(targets, self._facts.names, multi_label=False))
        self._probabilities.append(np.stack([found.probabilities for found in predictions]))
        self._known += [found.known for found in predictions]
        assert len(self._truth[-1]) == len(predictions)

    def compute(self) -> dict[str, Any]:
        """All metrics of everything taken so far."""
        facts = self._facts
        empty = np.zeros((0, len(facts.names)), np.float32)
        truth = np.concatenate([np.zeros(0, np.int64), *self._truth])
        probabilities = np.concatenate([empty, *self._probabilities])  # (N, K)
        answer = probabilities.argmax(axis=1)
        right = truth == answer
        confusion = one.confusion_counts(truth, answer, len(facts.names))
        accuracy = plain(one.accuracy(truth, answer))
        return {
            "n": len(truth),
            "headline_score": accuracy,
            "accuracy": accuracy,
            "accuracy_interval": _share_interval(right),
            "baseline_accuracy": _baseline(truth, facts.counts),
            **_top_k(truth, probabilities, self._top_k),
            "balanced_accuracy": plain(one.balanced_accuracy(confusion)),
            **_f1(truth, answer, confusion),
            **_trust(truth, probabilities, right),
            **_acceptance(right, np.asarray(self._known, dtype=bool)),
            "per_class": _per_class(confusion, facts.names),
            **_confusions(confusion, facts.names),
        }


def _share_interval(right: Array) -> list[float] | None:
    if not len(right):
        return None
    low, high = wilson_interval(int(right.sum()), len(right))
    return [float(low), float(high)]


def _baseline(truth: Array, counts: tuple[int, ...]) -> float | None:
    """Accuracy of always answering the class that was commonest in training."""
    if not counts or not len(truth):
        return None
    return float(np.mean(truth == int(np.argmax(counts))))


def _top_k(truth: Array, probabilities: Array, k: int) -> dict[str, Any]:
    hits = one.top_k_hits(truth, probabilities, k)
    share = float(hits.mean()) if len(hits) else None
    return {f"top{k}": share, f"top{k}_error": None if share is None else 1.0 - share}


def _f1(truth: Array, answer: Array, confusion: Array) -> dict[str, Any]:
    scores, classes = one.class_scores(confusion), len(confusion)
    interval = bootstrap_interval(
        lambda rows: one.macro_f1(truth[rows], answer[rows], classes),
        len(truth),
        resamples=1000 if len(truth) <= 2000 else 200,
    )
    return {
        "macro_f1": plain(one.mean_over_classes(scores.f1)),
        "macro_f1_interval": plain_pair(interval),
        "weighted_f1": plain(one.weighted_over_classes(scores.f1, scores.support)),
    }


def _trust(truth: Array, probabilities: Array, right: Array) -> dict[str, Any]:
    confidence = probabilities.max(axis=1, initial=0.0)
    return {
        "log_loss": plain(one.log_loss(truth, probabilities)),
        "brier": plain(one.brier_score(truth, probabilities)),
        "ece": plain(expected_calibration_error(confidence, right)),
        "ece_equal_mass": plain(expected_calibration_error(confidence, right, by="mass")),
        "aurc": plain(area_under_risk_coverage(confidence, ~right)),
    }


def _acceptance(right: Array, known: Array) -> dict[str, Any]:
    accepted = right[known]
    return {
        "accepted": float(known.mean()) if len(known) else None,
        "accepted_error": float((~accepted).mean()) if len(accepted) else None,
        "accepted_error_interval": _share_interval(~accepted),
    }


def _per_class(confusion: Array, names: Labels) -> dict[str, dict[str, Any]]:
    scores = one.class_scores(confusion)
    low, high = wilson_interval(np.diagonal(confusion), scores.support)
    return {
        name: {
            "precision": plain(scores.precision[k]),
            "recall": plain(scores.recall[k]),
            "recall_interval": [float(low[k]), float(high[k])] if scores.support[k] else None,
            "f1": plain(scores.f1[k]),
            "support": int(scores.support[k]),
        }
        for k, name in enumerate(names)
    }


def _confusions(confusion: Array, names: Labels) -> dict[str, Any]:
    worst = one.most_confused(confusion, _MOST_CONFUSED)
    return {
        "confusion": confusion.tolist() if len(names) <= _MATRIX_CLASSES else None,
        "most_confused": [
            {"truth": names[truth], "answer": names[answer], "count": count}
            for truth, answer, count in worst
        ],
    }


class LabelMeter:
    """Metrics of any number of labels a picture."""

    def __init__(self, facts: ClassifyFacts) -> None:
        self._facts = facts
        self._truth: list[Array] = []
        self._answer: list[Array] = []
        self._probabilities: list[Array] = []

    def update(self, predictions: Sequence[Classification], targets: Sequence[Labels]) -> None:
        """Take the answers to some pictures, and their truths."""
        if not predictions:
            return
        names, answers = self._facts.names, [found.labels for found in predictions]
        self._truth.append(encode(targets, names, multi_label=True).astype(bool))
        self._answer.append(encode(answers, names, multi_label=True).astype(bool))
        self._probabilities.append(np.stack([found.probabilities for found in predictions]))
        assert len(self._truth[-1]) == len(predictions)

    def compute(self) -> dict[str, Any]:
        """All metrics of everything taken so far."""
        empty = np.zeros((0, len(self._facts.names)), bool)
        truth = np.concatenate([empty, *self._truth])  # (N, K)
        answer = np.concatenate([empty, *self._answer])
        probabilities = np.concatenate([empty.astype(np.float32), *self._probabilities])
        scores = many.label_scores(truth, answer)
        precisions = _of_labels(many.average_precision, truth, probabilities)
        precision = plain(one.mean_over_classes(precisions))
        interval = many.bootstrap_mean_average_precision(truth, probabilities)
        return {
            "n": len(truth),
            # where no label has a positive there is nothing to rank: the worst score, not none
            "headline_score": precision if precision is not None or not len(truth) else 0.0,
            "map": precision,
            "map_interval": plain_pair(interval),
            "baseline_map": plain(one.mean_over_classes(_occurring(truth))),
            "micro_f1": plain(many.micro_f1(truth, answer)),
            "macro_f1": plain(one.mean_over_classes(scores.f1)),
            "accuracy": plain(many.subset_accuracy(truth, answer)),
            "accuracy_interval": _share_interval((truth == answer).all(axis=1)),
            "hamming": plain(many.hamming_loss(truth, answer)),
            "ece": plain(expected_calibration_error(probabilities.ravel(), truth.ravel())),
            "per_class": _per_label(truth, probabilities, scores, precisions, self._facts.names),
        }


def _of_labels(measure: Callable[[Array, Array], float], truth: Array, probabilities: Array) -> Array:
    """`measure` of each label, float64 (K,)."""
    return np.array([measure(truth[:, k], probabilities[:, k]) for k in range(truth.shape[1])])


def _occurring(truth: Array) -> Array:
    """Share of pictures with each label: the average precision of guessing; NaN where none has it."""
    share = truth.sum(axis=0) / max(len(truth), 1)
    return np.where(share > 0, share, np.nan)


def _per_label(
    truth: Array, probabilities: Array, scores: one.ClassScores, precisions: Array, names: Labels
) -> dict[str, dict[str, Any]]:
    areas = _of_labels(many.auroc, truth, probabilities)
    return {
        name: {
            "average_precision": plain(precisions[k]),
            "auroc": plain(areas[k]),
            "precision": plain(scores.precision[k]),
            "recall": plain(scores.recall[k]),
            "f1": plain(scores.f1[k]),
            "support": int(scores.support[k]),
        }
        for k, name in enumerate(names)
    }

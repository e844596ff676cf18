"""What training makes small: cross-entropy in its three forms, and squared error, with gradients.

The last axis holds the classes; over all leading axes (rows of a batch) the mean is taken. The
gradient has the shape of the prediction and is that of the mean. Float64 throughout.
"""

from __future__ import annotations

import numpy as np

from striate.arithmetic.activations import sigmoid, softmax
from striate.arithmetic.pairing import paired, rows_of
from striate.errors import UsageError
from striate.types import Array

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_gradient",
    "binary_cross_entropy_of_logits",
    "binary_cross_entropy_of_logits_gradient",
    "categorical_cross_entropy",
    "categorical_cross_entropy_gradient",
    "cross_entropy",
    "cross_entropy_gradient",
    "log_softmax",
    "mean_squared_error",
    "mean_squared_error_gradient",
    "one_hot",
]


def mean_squared_error(truth: Array, predicted: Array) -> float:
    """mean (ŷ − y)² over all numbers. Any shape, the same for both."""
    truth, predicted = paired(truth=truth, predicted=predicted)
    return float(np.mean((predicted - truth) ** 2))


def mean_squared_error_gradient(truth: Array, predicted: Array) -> Array:
    """2 (ŷ − y) / n."""
    truth, predicted = paired(truth=truth, predicted=predicted)
    found: Array = 2 * (predicted - truth) / truth.size
    return found


def cross_entropy(truth: Array, predicted: Array) -> float:
    """−Σ y log ŷ along the last axis, mean over rows.

    `truth`: what is true, (…, classes), usually one 1 among zeros. `predicted`: probabilities of the
    same shape, such as softmax gives. The minus sign belongs to it: log ŷ is negative, and without the
    sign the worst answer would have the smallest loss. Where y = 0 nothing is added, whatever ŷ; where
    y > 0 and ŷ = 0 the loss is infinite. A `UsageError` for a ŷ outside 0 to 1.
    """
    truth, predicted = _shares(truth, predicted)
    return float(-_times_log(truth, predicted).sum() / rows_of(truth))


def cross_entropy_gradient(truth: Array, predicted: Array) -> Array:
    """−y/ŷ, over the number of rows; minus infinity where y > 0 and ŷ = 0."""
    truth, predicted = _shares(truth, predicted)
    return -_over(truth, predicted) / rows_of(truth)


def binary_cross_entropy(truth: Array, predicted: Array) -> float:
    """−y log ŷ − (1 − y) log(1 − ŷ), mean over all numbers: each is a yes or no of its own.

    This, behind a sigmoid, is for several labels at once; softmax is not, its shares compete.
    """
    truth, predicted = _shares(truth, predicted)
    both = _times_log(truth, predicted) + _times_log(1 - truth, 1 - predicted)
    return float(-np.mean(both))


def binary_cross_entropy_gradient(truth: Array, predicted: Array) -> Array:
    """(−y/ŷ + (1 − y)/(1 − ŷ)) / n."""
    truth, predicted = _shares(truth, predicted)
    return (_over(1 - truth, 1 - predicted) - _over(truth, predicted)) / truth.size


def binary_cross_entropy_of_logits(truth: Array, logits: Array) -> float:
    """`binary_cross_entropy` of sigmoid(z), finite for every z: max(z, 0) − z y + log(1 + e^−|z|)."""
    truth, logits = paired(truth=truth, logits=logits)
    return float(np.mean(np.maximum(logits, 0) - logits * truth + np.log1p(np.exp(-np.abs(logits)))))


def binary_cross_entropy_of_logits_gradient(truth: Array, logits: Array) -> Array:
    """(sigmoid(z) − y) / n."""
    truth, logits = paired(truth=truth, logits=logits)
    return (sigmoid(logits) - truth) / truth.size


def log_softmax(logits: Array) -> Array:
    """log softmax along the last axis, without taking the log of a tiny share."""
    logits = np.asarray(logits, dtype=np.float64)
    shifted = logits - logits.max(axis=-1, keepdims=True)
    found: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return found


def categorical_cross_entropy(labels: Array, logits: Array) -> float:
    """−log softmax(z) of the true class, mean over rows: softmax and cross-entropy in one, stable.

    `labels`: whole numbers from 0 below the number of classes, (…); `logits`: (…, classes). A
    `UsageError` for a label that is no class.
    """
    labels, logits = _labelled(labels, logits)
    chosen = np.take_along_axis(log_softmax(logits), labels[..., None], axis=-1)
    return float(-np.mean(chosen))


def categorical_cross_entropy_gradient(labels: Array, logits: Array) -> Array:
    """(softmax(z) − y) / rows, y the true class as one 1 among zeros."""
    labels, logits = _labelled(labels, logits)
    found: Array = (softmax(logits) - one_hot(labels, logits.shape[-1])) / rows_of(logits)
    return found


def one_hot(labels: Array, classes: int) -> Array:
    """Whole numbers (…) as rows of one 1 among zeros, float64 (…, classes)."""
    found: Array = np.eye(classes)[np.asarray(labels)]
    return found


def _labelled(labels: Array, logits: Array) -> tuple[Array, Array]:
    """Labels as int64 and logits as float64, checked against one another."""
    labels, logits = np.asarray(labels), np.asarray(logits, dtype=np.float64)
    if logits.ndim == 0 or logits.size == 0 or labels.shape != logits.shape[:-1]:
        raise UsageError(
            f"labels of shape {labels.shape} for logits of shape {logits.shape}",
            expected="one label for each row of logits (…, classes), and at least one row",
        )
    classes = logits.shape[-1]
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= classes:
        raise UsageError(
            f"labels {np.unique(labels)[:8].tolist()}",
            expected=f"whole numbers from 0 to {classes - 1}, as there are {classes} classes",
        )
    return labels.astype(np.int64), logits


def _shares(truth: Array, predicted: Array) -> list[Array]:
    found = paired(truth=truth, predicted=predicted)
    for name, values in zip(("truth", "predicted"), found, strict=True):
        if not ((values >= 0) & (values <= 1)).all():
            raise UsageError(
                f"{name} holds numbers from {values.min():g} to {values.max():g}",
                expected="probabilities, from 0 to 1",
                remedy="scores that are not yet probabilities go to the function …_of_logits, or "
                "through softmax or sigmoid first",
            )
    return found


def _times_log(weight: Array, share: Array) -> Array:
    """weight · log share, 0 where the weight is."""
    with np.errstate(divide="ignore"):
        logs = np.log(share)
    found: Array = np.where(weight == 0, 0.0, weight * np.where(weight == 0, 0.0, logs))
    return found


def _over(weight: Array, share: Array) -> Array:
    """weight / share, 0 where the weight is."""
    found = np.zeros_like(weight)
    with np.errstate(divide="ignore"):
        np.divide(weight, share, out=found, where=weight != 0)
    return found

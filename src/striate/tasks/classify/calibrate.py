"""Make probabilities honest, and choose what they must reach, on pictures not trained on.

One temperature divides all logits: it cannot change which class is first, only how sure the answer
sounds (Guo et al. 2017, "On calibration of modern neural networks").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from striate.metrics.multilabel import best_f1_threshold
from striate.metrics.rejection import choose_rejection
from striate.tasks.classify.config import ClassifyConfig, ClassifyFacts
from striate.tasks.classify.data import Labels, encode
from striate.tasks.classify.decode import logits_from, probabilities_from, sigmoid, softmax
from striate.types import Array

__all__ = ["calibrated_facts", "fit_temperature"]

_LEAST = 20
"""Fewer pictures than this say nothing about confidence: the temperature stays 1."""
_RANGE = (1 / 50, 50.0)
_CELLS = 4_000_000  # more logits sharpen nothing, and cost memory


def calibrated_facts(
    outputs: Mapping[str, Array],
    targets: Sequence[Labels],
    facts: ClassifyFacts,
    config: ClassifyConfig,
) -> ClassifyFacts:
    """`facts` with temperature, label thresholds and reject threshold from a validation set.

    `outputs` hold logits (N, K). The reject threshold promises an error of at most
    `config.reject_at` with 95 % confidence, see `striate.metrics.rejection`.
    """
    logits = logits_from(outputs, facts)
    truth = encode(targets, facts.names, multi_label=facts.multi_label)
    found = facts.model_copy(
        update={
            "temperature": fit_temperature(logits, truth),
            "thresholds": (),
            "reject_threshold": None,
            "reject_error": None,
            "reject_coverage": None,
        }
    )
    probabilities = probabilities_from({"logits": logits}, found)
    if facts.multi_label:
        return found.model_copy(update={"thresholds": _thresholds(truth, probabilities, config)})
    if config.reject_at is None:
        return found
    wrong = probabilities.argmax(axis=1) != truth
    surest = probabilities.max(axis=1, initial=0.0)
    chosen = choose_rejection(surest, wrong, max_error=config.reject_at)
    return found.model_copy(
        update={
            "reject_threshold": chosen.threshold,
            "reject_error": chosen.error_bound,
            "reject_coverage": chosen.coverage,
        }
    )


def _thresholds(truth: Array, probabilities: Array, config: ClassifyConfig) -> tuple[float, ...]:
    """Of each label, the probability with the best F1; one half for a label never seen."""
    labels = int(truth.shape[1])
    if config.threshold is not None or len(truth) < _LEAST:
        return (0.5 if config.threshold is None else config.threshold,) * labels
    best = [best_f1_threshold(truth[:, k], probabilities[:, k]) for k in range(labels)]
    return tuple(0.5 if math.isnan(value) else round(value, 6) for value in best)


def fit_temperature(logits: Array, truth: Array) -> float:
    """The temperature T at which softmax(logits / T), or the sigmoid, fits the truth best.

    `logits` (N, K); `truth` int (N,), or 0 and 1 (N, K) for one sigmoid a label. Minimises the
    cross-entropy, which is convex in 1/T, against truths smoothed as by Platt (1999) in the
    proportion 1 / (N + 2), so that a validation set without a mistake does not claim certainty.
    1 for fewer than 20 pictures.
    """
    if len(logits) < _LEAST:
        return 1.0
    most = min(len(logits), _CELLS // logits.shape[1])
    rows = np.linspace(0, len(logits) - 1, most).astype(np.int64)
    z, smoothing = np.asarray(logits, np.float64)[rows], 1.0 / (len(rows) + 2)
    if not np.ptp(z):
        return 1.0
    if truth.ndim == 2:
        soft = truth[rows] * (1 - smoothing) + smoothing / 2
        wanted = (soft * z).sum()
        return 1.0 / _rising_root(lambda beta: float((sigmoid(beta * z) * z).sum() - wanted))
    z = z - z.mean(axis=1, keepdims=True)  # the uniform part of the smoothed truth drops out
    wanted = (1 - smoothing) * z[np.arange(len(rows)), truth[rows]].sum()
    return 1.0 / _rising_root(lambda beta: float((softmax(beta * z) * z).sum() - wanted))


def _rising_root(slope: Callable[[float], float]) -> float:
    """The inverse temperature at which the rising `slope` of the loss is 0, within a sane range."""
    low, high = math.log(_RANGE[0]), math.log(_RANGE[1])
    if slope(math.exp(low)) >= 0:
        return math.exp(low)
    if slope(math.exp(high)) <= 0:
        return math.exp(high)
    for _ in range(30):  # bisection of log(1/T): 1e-8 of its range
        middle = (low + high) / 2
        low, high = (middle, high) if slope(math.exp(middle)) < 0 else (low, middle)
    return math.exp((low + high) / 2)

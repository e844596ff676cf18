"""From the graph's outputs to answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from striate.errors import RunError
from striate.tasks.classify.config import ClassifyFacts
from striate.tasks.classify.types import Classification
from striate.types import Array

__all__ = ["answers_from", "logits_from", "probabilities_from", "sigmoid", "softmax"]


def softmax(logits: Array) -> Array:
    """exp(z) / Σ exp(z) along the last axis, float64; no logit is too large.

    >>> softmax(np.array([1000.0, 1000.0])).tolist()
    [0.5, 0.5]
    """
    logits = np.asarray(logits, dtype=np.float64)
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: Array = raised / raised.sum(axis=-1, keepdims=True)
    return found


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(−z)), float64; no logit is too large."""
    logits = np.asarray(logits, dtype=np.float64)
    small = np.exp(-np.abs(logits))
    found: Array = np.where(logits >= 0, 1.0, small) / (1.0 + small)
    return found


def logits_from(outputs: Mapping[str, Array], facts: ClassifyFacts) -> Array:
    """Finite logits (B, K) of the graph; a `RunError` if it does not belong to these facts."""
    return _checked(outputs, "logits", facts)


def probabilities_from(outputs: Mapping[str, Array], facts: ClassifyFacts) -> Array:
    """Probabilities float32 (B, K): the graph's own, or from its logits at the temperature."""
    if "probabilities" in outputs:
        return _checked(outputs, "probabilities", facts).astype(np.float32)
    scaled = logits_from(outputs, facts).astype(np.float64) / facts.temperature
    return (sigmoid(scaled) if facts.multi_label else softmax(scaled)).astype(np.float32)


def answers_from(outputs: Mapping[str, Array], facts: ClassifyFacts) -> list[Classification]:
    """One answer a picture."""
    probabilities = probabilities_from(outputs, facts)
    if facts.multi_label:
        return _many_labels(probabilities, facts)
    names = facts.names
    answers = [(name,) for name in names]
    best = probabilities.argmax(axis=1)
    surest = probabilities[np.arange(len(best)), best]
    # the threshold was chosen in float64 on float32 scores: equality must hold
    known = surest >= np.float32(facts.reject_threshold or 0.0)
    rows = zip(probabilities, best.tolist(), known.tolist(), strict=True)
    return [Classification(names, row, answers[index], sure) for row, index, sure in rows]


def _many_labels(probabilities: Array, facts: ClassifyFacts) -> list[Classification]:
    thresholds = np.asarray(facts.thresholds or (0.5,) * len(facts.names), dtype=np.float32)
    found = []
    for row in probabilities:
        order = np.argsort(-row, kind="stable")
        labels = tuple(facts.names[i] for i in order if row[i] >= thresholds[i])
        found.append(Classification(facts.names, row, labels, multi_label=True))
    return found


def _checked(outputs: Mapping[str, Array], name: str, facts: ClassifyFacts) -> Array:
    if name not in outputs:
        raise RunError(
            f"the graph has no output {name!r} but {', '.join(outputs)}",
            expected="the graph of a classifier",
            remedy="export the run again",
        )
    found = np.asarray(outputs[name])
    if found.ndim != 2 or found.shape[1] != len(facts.names):
        raise RunError(
            f"the graph's output {name!r} has the shape {found.shape}",
            expected=f"a row a picture and {len(facts.names)} columns, one a class",
            remedy="the graph belongs to another run: restore it, or export again",
        )
    if not np.isfinite(found).all():
        raise RunError(
            f"the graph's output {name!r} holds numbers that are not finite",
            remedy="the weights are damaged or training diverged: train again with a lower lr",
        )
    return found

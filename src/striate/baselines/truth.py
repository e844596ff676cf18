"""What a learner is to learn, whatever the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from striate.types import Array

__all__ = ["Kind", "Truth"]

Kind = Literal["classes", "labels", "columns"]


@dataclass(frozen=True, slots=True)
class Truth:
    """The truths of N pictures.

    `values`: "classes" int64 (N,), the index of each picture's class; "labels" int64 (N, K), 0 or 1;
    "columns" float32 (N, K), numbers of mean 0 and spread 1 or so. `outputs`: K. `weights` float64
    (N,): how much each picture counts.
    """

    kind: Kind
    values: Array
    outputs: int
    weights: Array

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Array | slice) -> Truth:
        """The truths of some pictures."""
        return Truth(self.kind, self.values[rows], self.outputs, self.weights[rows])

    def targets(self) -> Array:
        """One column an output, float32 (N, K): 1 for the class or label, else 0; or the numbers."""
        if self.kind != "classes":
            return self.values.astype(np.float32)
        found = np.zeros((len(self), self.outputs), np.float32)
        found[np.arange(len(self)), self.values] = 1
        return found

    def loss(self, scores: Array) -> float:
        """How wrong `scores` (N, K) are, on average: cross-entropy after the best common temperature,
        or squared error. NaN without pictures."""
        if not len(self):
            return float("nan")
        if self.kind == "columns":
            return float(np.square(scores - self.values).mean())
        return min(_entropy(self, scores * scale) for scale in 2.0 ** np.arange(-4, 7))


def _entropy(truth: Truth, logits: Array) -> float:
    if truth.kind == "classes":
        shifted = logits - logits.max(axis=1, keepdims=True)
        chosen = shifted[np.arange(len(truth)), truth.values]
        return float((np.log(np.exp(shifted).sum(axis=1)) - chosen).mean())
    signed = np.where(truth.values > 0, -logits, logits)
    return float(np.logaddexp(0, signed).mean())

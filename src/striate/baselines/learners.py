"""The learners there are, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from striate.baselines.linear import fit_logistic, fit_ridge, fit_svm
from striate.baselines.mlp import fit_mlp
from striate.baselines.solution import Budget, Solution
from striate.baselines.trees import fit_boosting, fit_forest
from striate.baselines.truth import Truth
from striate.types import Array

__all__ = ["LEARNING", "Learner"]


class Learner(Protocol):
    """Fits vectors (N, D) float32 to truths; `held` ones choose what must be chosen."""

    def __call__(
        self, vectors: Array, truth: Truth, held: Array, held_truth: Truth, *, seed: int, done: Budget
    ) -> Solution: ...


LEARNING: Mapping[str, Learner] = {
    "logistic": fit_logistic,
    "ridge": fit_ridge,
    "svm": fit_svm,
    "forest": fit_forest,
    "boosting": fit_boosting,
    "mlp": fit_mlp,
}

"""Linear learners: logistic regression, support vector machine, ridge.

All are convex. Their regularisation runs from strong to weak with warm starts, and the pictures held
out choose. Features are standardised first, so that one path suits them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from striate.baselines.solution import Budget, Dense, Scale
from striate.baselines.truth import Truth
from striate.types import Array

__all__ = ["PATH", "fit_logistic", "fit_ridge", "fit_svm"]

PATH: tuple[float, ...] = (10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5)
"""λ of the penalty λ/2 ‖W‖² beside the mean loss, on standardised features, strongest first."""
_ITERATIONS = 100
_PATIENCE = 1
"""The held-out loss is nearly convex along the path: a rise ends it."""
_SCOUTS = 6000
"""Pictures on which the path is walked first."""
_BLIND = 0.01
"""The penalty taken where no pictures are held out."""
_TUBE = 0.1
"""Errors up to this, of a number with spread 1, cost a support vector regression nothing."""

Loss = Callable[[Array, Truth], tuple[float, Array]]
"""Scores (N, K) → mean loss, and its gradient by the scores."""


def fit_logistic(
    vectors: Array, truth: Truth, held: Array, held_truth: Truth, *, seed: int, done: Budget
) -> Dense:
    """Multinomial logistic regression, or one logistic regression a label."""
    del seed  # convex: there is one solution
    loss = _cross_entropy if truth.kind == "classes" else _label_entropy
    return _along_path(loss, vectors, truth, held, held_truth, done)


def fit_svm(
    vectors: Array, truth: Truth, held: Array, held_truth: Truth, *, seed: int, done: Budget
) -> Dense:
    """Linear support vector machines, one an output, with squared loss (as LIBLINEAR's L2 loss, Fan et
    al. 2008): hinge against all other classes, or tube for numbers."""
    del seed
    loss = _squared_tube if truth.kind == "columns" else _squared_hinge
    return _along_path(loss, vectors, truth, held, held_truth, done)


def fit_ridge(
    vectors: Array, truth: Truth, held: Array, held_truth: Truth, *, seed: int, done: Budget
) -> Dense:
    """Ridge regression (Hoerl & Kennard 1970)."""
    del seed
    return _along_path(_squares, vectors, truth, held, held_truth, done)


@dataclass(frozen=True, slots=True)
class _Fit:
    """What one penalty gave."""

    parameters: Array
    penalty: float
    loss: float


def _along_path(
    loss: Loss, vectors: Array, truth: Truth, held: Array, held_truth: Truth, done: Budget
) -> Dense:
    scale = Scale.of(vectors)
    x, held_x = scale.apply(vectors), scale.apply(held)

    def fit(rows: slice, penalty: float, start: Array) -> _Fit:
        found = _minimise(loss, x[rows], truth.take(rows), penalty, start, done)
        scores = held_x @ found[:, :-1].T.astype(np.float32) + found[:, -1]
        return _Fit(found, penalty, held_truth.loss(scores))

    start = np.zeros((truth.outputs, x.shape[1] + 1))
    # the strong end of the path is found on a part of the pictures; all of them need less penalty
    some = slice(None, None, max(1, len(x) // _SCOUTS))
    best = _descend(lambda penalty, at: fit(some, penalty, at), PATH, start, done)
    if some.step > 1 and not done():
        path = PATH[min(PATH.index(best.penalty) + 1, len(PATH) - 1) :]
        best = _descend(lambda penalty, at: fit(slice(None), penalty, at), path, best.parameters, done)
    said = f"regularisation {best.penalty:g}" + (
        "" if np.isnan(best.loss) else f", chosen on held-out pictures (loss {best.loss:.4f})"
    )
    return Dense.folded([(best.parameters[:, :-1], best.parameters[:, -1])], scale, said)


def _descend(
    fit: Callable[[float, Array], _Fit], path: Sequence[float], start: Array, done: Budget
) -> _Fit:
    """The best of the fits along `path`, each started from the one before; ends where it worsens."""
    best: _Fit | None = None
    rises = 0
    for penalty in path:
        found = fit(penalty, start)
        start = found.parameters
        if best is None or found.loss < best.loss or (np.isnan(found.loss) and penalty >= _BLIND):
            best, rises = found, 0
        else:
            rises += 1
        if rises >= _PATIENCE or done():
            break
    assert best is not None
    return best


def _minimise(loss: Loss, x: Array, truth: Truth, penalty: float, start: Array, done: Budget) -> Array:
    """The parameters (K, D + 1) that minimise mean loss + λ/2 ‖W‖²; the bias is free."""
    from scipy.optimize import minimize

    def objective(flat: Array) -> tuple[float, Array]:
        weight, bias = flat.reshape(start.shape)[:, :-1], flat.reshape(start.shape)[:, -1]
        # float32 products: the features are float32, and half the memory is twice the speed
        value, slope = loss(x @ weight.T.astype(np.float32) + bias.astype(np.float32), truth)
        gradient = np.concatenate(
            [slope.T @ x + penalty * weight, slope.sum(axis=0, dtype=np.float64)[:, None]], axis=1
        )
        return value + penalty / 2 * float(np.square(weight).sum()), gradient.ravel()

    def look(intermediate_result: object) -> None:
        if done():
            raise StopIteration

    options = {"maxiter": _ITERATIONS, "maxcor": 10, "gtol": 1e-6, "ftol": 3e-6}
    found = minimize(
        objective, start.ravel(), jac=True, method="L-BFGS-B", callback=look, options=options
    )
    result: Array = found.x.reshape(start.shape)
    return result


# -- losses: mean over pictures (weighted), and gradient by the scores ------------------------------


def _cross_entropy(scores: Array, truth: Truth) -> tuple[float, Array]:
    """Cross-entropy of softmax."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    raised = np.exp(shifted)
    total = raised.sum(axis=1, keepdims=True)
    rows, share = np.arange(len(truth)), _shares(truth)
    value = float((share * (np.log(total[:, 0]) - shifted[rows, truth.values])).sum(dtype=np.float64))
    raised /= total
    raised[rows, truth.values] -= 1
    return value, raised * share[:, None]


def _label_entropy(scores: Array, truth: Truth) -> tuple[float, Array]:
    """Binary cross-entropy of a sigmoid a label, summed over the labels."""
    sign = np.where(truth.values > 0, np.float32(-1), np.float32(1))
    margin = sign * scores
    share = _shares(truth)[:, None]
    value = float((share * np.logaddexp(0, margin)).sum(dtype=np.float64))
    return value, share * sign / (1 + np.exp(-margin))


def _squared_hinge(scores: Array, truth: Truth) -> tuple[float, Array]:
    """max(0, 1 − y s)², y = ±1, summed over the classes."""
    sign = 2 * truth.targets() - 1
    short = np.maximum(0, 1 - sign * scores)
    share = _shares(truth)[:, None]
    return float((share * short * short).sum(dtype=np.float64)), -2 * share * sign * short


def _squared_tube(scores: Array, truth: Truth) -> tuple[float, Array]:
    """max(0, |error| − ε)², summed over the numbers."""
    error = scores - truth.values
    beyond = np.maximum(0, np.abs(error) - np.float32(_TUBE))
    share = _shares(truth)[:, None]
    return float((share * beyond * beyond).sum(dtype=np.float64)), 2 * share * np.sign(error) * beyond


def _squares(scores: Array, truth: Truth) -> tuple[float, Array]:
    """error² / 2, summed over the numbers."""
    error = scores - truth.values
    share = _shares(truth)[:, None]
    return float((share * error * error).sum(dtype=np.float64)) / 2, share * error


def _shares(truth: Truth) -> Array:
    """How much each picture counts; they sum to 1."""
    found: Array = (truth.weights / truth.weights.sum()).astype(np.float32)
    return found

"""A linear support vector machine whose weights may have lower bounds."""

from __future__ import annotations

import numpy as np

from striate.types import Array

__all__ = ["fit_weights"]


def fit_weights(
    samples: Array,
    signs: Array,
    *,
    penalty: float,
    importance: Array | None = None,
    start: Array | None = None,
    lowest: Array | None = None,
) -> Array:
    """Weights (D,) that minimise |w|² / 2 + penalty · Σ importance · max(0, 1 - sign · (sample · w))².

    `samples`: float32 (N, D), the last column all ones: its weight, the bias, is not made small.
    `signs`: (N,), +1 or -1. `importance`: (N,), all 1 by default. `lowest`: (D,), -inf where there is no
    bound. `start`: where to begin. The squared hinge loss is that of scikit-learn's `LinearSVC`; bounds
    it does not have. L-BFGS-B.
    """
    from scipy.optimize import minimize

    # contiguous once: the transposed product would otherwise copy it in every step
    rows = np.ascontiguousarray(samples, np.float32)
    signs = signs.astype(np.float32)
    dear = np.ones(len(rows), np.float32) if importance is None else importance.astype(np.float32)

    def cost(weights: Array) -> tuple[float, Array]:
        slack = np.maximum(1.0 - signs * (rows @ weights.astype(np.float32)), 0.0)
        slope = weights - 2.0 * penalty * (rows.T @ (dear * signs * slack)).astype(np.float64)
        slope[-1] -= weights[-1]
        plain = weights[:-1]
        errors = float((dear * slack * slack).sum(dtype=np.float64))
        return 0.5 * float(plain @ plain) + penalty * errors, slope

    width = rows.shape[1]
    first = np.zeros(width) if start is None else start.astype(np.float64)
    bounds = None
    if lowest is not None:
        first = np.maximum(first, lowest)
        bounds = [(None if np.isneginf(low) else float(low), None) for low in lowest]
    options = {"maxiter": 300, "maxcor": 20, "ftol": 1e-6, "gtol": 1e-4}
    found = minimize(cost, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    weights: Array = found.x.astype(np.float32)
    return weights

"""Is a gradient right? Compared with what happens when each number is moved a little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from striate.errors import UsageError
from striate.types import Array

__all__ = ["GradientCheck", "check_gradient", "numeric_gradient"]

STEP = 1e-5
"""Central differences err by step² and by rounding / step; at 1e-5 both are about 1e-10."""


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """How far an analytic gradient is from the measured one.

    `worst`: the largest |a − n| / max(1, |a|, |n|) over all numbers; `at`: its index; `analytic`,
    `numeric`: both values there. `passed`: whether `worst` is within `tolerance`.
    """

    worst: float
    at: tuple[int, ...]
    analytic: float
    numeric: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Within the tolerance."""
        return self.worst <= self.tolerance

    def __str__(self) -> str:
        verdict = "passes" if self.passed else "FAILS"
        return (
            f"gradient check {verdict}: at {self.at} analytic {self.analytic:.8g}, "
            f"measured {self.numeric:.8g}, difference {self.worst:.1e}"
        )


def numeric_gradient(
    function: Callable[[Array], Array | float], x: Array, *, step: float = STEP
) -> Array:
    """∂function/∂x by central differences, (f(x + h) − f(x − h)) / 2h, one number of x at a time.

    `function` may answer with a number or an array: the result has the shape of the answer followed by
    the shape of x. x is not changed.
    """
    x = np.asarray(x, dtype=np.float64)
    columns = []
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] += step
        below[index] -= step
        difference = np.asarray(function(above)) - np.asarray(function(below))
        columns.append(difference / (above[index] - below[index]))
    if not columns:
        return np.zeros((*np.shape(function(x)), *x.shape))
    stacked: Array = np.stack(columns, axis=-1)
    return stacked.reshape((*stacked.shape[:-1], *x.shape))


def check_gradient(
    function: Callable[[Array], Array | float],
    gradient: Array,
    x: Array,
    *,
    step: float = STEP,
    tolerance: float = 1e-6,
) -> GradientCheck:
    """Compare `gradient`, claimed to be ∂function/∂x at x, with the measured one.

    Near a corner (of ReLU, of max) the two may differ although both are right; move x away from it.
    A `UsageError` where `gradient` has the wrong shape.
    """
    measured = numeric_gradient(function, x, step=step)
    claimed = np.asarray(gradient, dtype=np.float64)
    if claimed.shape != measured.shape:
        raise UsageError(
            f"the gradient has shape {claimed.shape}", expected=f"shape {measured.shape}: value, then x"
        )
    if not claimed.size:
        return GradientCheck(0.0, (), 0.0, 0.0, tolerance)
    scale = np.maximum(1.0, np.maximum(np.abs(claimed), np.abs(measured)))
    error = np.abs(claimed - measured) / scale
    error = np.where(np.isfinite(error), error, np.inf)
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(error)), error.shape))
    return GradientCheck(float(error[at]), at, float(claimed[at]), float(measured[at]), tolerance)

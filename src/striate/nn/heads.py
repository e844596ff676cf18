"""Linear heads solved on fixed features: convex, one optimum, no learning rate.

Features are standardised for the solver and the scales folded back into the weights, so that one
regularisation path suits every backbone. The path runs from strong to weak with warm starts; the
held-out loss chooses. All arithmetic is float64 on the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from striate.nn.recipe import HeadSolution

__all__ = ["PATH", "solve_binary", "solve_logistic", "solve_ridge"]

PATH: tuple[float, ...] = (1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5)
"""L2 penalties on standardised features, relative to the mean loss, strongest first."""
_MAX_ITERATIONS = 100
_PATIENCE = 2
"""The held-out loss is nearly convex along the path: two rises in a row end it."""


@dataclass(frozen=True, slots=True)
class _Scale:
    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, features: Tensor) -> _Scale:
        std, mean = torch.std_mean(features, dim=0, correction=0)
        return cls(mean, torch.where(std > 1e-8, std, torch.ones_like(std)))

    def apply(self, features: Tensor) -> Tensor:
        return (features - self.mean) / self.std

    def fold(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Weights for the features as they were before scaling."""
        scaled = weight / self.std
        return scaled.float(), (bias - scaled @ self.mean).float()


def solve_logistic(
    features: Tensor, labels: Tensor, classes: int, held_features: Tensor, held_labels: Tensor
) -> HeadSolution:
    """Multinomial logistic regression by L-BFGS. `features` (N, D), `labels` (N,) int64."""
    return _along_path(
        features,
        held_features,
        classes,
        fit=lambda logits: F.cross_entropy(logits, labels),
        held=lambda logits: F.cross_entropy(logits, held_labels),
    )


def solve_binary(
    features: Tensor, labels: Tensor, held_features: Tensor, held_labels: Tensor
) -> HeadSolution:
    """One logistic regression a label, together. `labels` (N, K), 0 or 1."""
    own, held = labels.double(), held_labels.double()
    return _along_path(
        features,
        held_features,
        labels.shape[1],
        fit=lambda logits: F.binary_cross_entropy_with_logits(logits, own),
        held=lambda logits: F.binary_cross_entropy_with_logits(logits, held),
    )


def _along_path(
    features: Tensor,
    held_features: Tensor,
    outputs: int,
    *,
    fit: Callable[[Tensor], Tensor],
    held: Callable[[Tensor], Tensor],
) -> HeadSolution:
    features, held_features = features.double(), held_features.double()
    scale = _Scale.of(features)
    x, held_x = scale.apply(features), scale.apply(held_features)
    weight = torch.zeros(outputs, x.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(outputs, dtype=torch.float64, requires_grad=True)
    best: HeadSolution | None = None
    tried: list[tuple[float, float]] = []
    for penalty in PATH:
        _minimise([weight, bias], partial(_penalised, fit, x, weight, bias, penalty))
        with torch.no_grad():
            loss = float(held(held_x @ weight.T + bias)) if len(held_x) else float("nan")
        tried.append((penalty, loss))
        # without held-out pictures the middle of the path is taken
        if best is None or loss < best.validation_loss or (math.isnan(loss) and penalty >= 0.01):
            folded = scale.fold(weight.detach(), bias.detach())
            best = HeadSolution(*folded, penalty, loss)
        if _rising(tried):
            break
    assert best is not None
    return HeadSolution(best.weight, best.bias, best.regularisation, best.validation_loss, tried)


def _penalised(
    fit: Callable[[Tensor], Tensor], x: Tensor, weight: Tensor, bias: Tensor, penalty: float
) -> Tensor:
    """The convex objective: mean loss + λ/2 ‖W‖²."""
    return fit(x @ weight.T + bias) + penalty * weight.square().sum() / 2


def _rising(tried: Sequence[tuple[float, float]]) -> bool:
    losses = [loss for _, loss in tried]
    return len(losses) > _PATIENCE and all(
        later > earlier
        for earlier, later in zip(losses[-_PATIENCE - 1 :], losses[-_PATIENCE:], strict=False)
    )


def _minimise(parameters: list[Tensor], objective: Callable[[], Tensor]) -> None:
    solver = torch.optim.LBFGS(
        parameters,
        max_iter=_MAX_ITERATIONS,
        history_size=10,
        tolerance_grad=1e-6,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        solver.zero_grad()
        with torch.enable_grad():
            value = objective()
        value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return value

    solver.step(closure)  # type: ignore[no-untyped-call]  # torch leaves it untyped


def solve_ridge(
    features: Tensor, values: Tensor, held_features: Tensor, held_values: Tensor
) -> HeadSolution:
    """Ridge regression in closed form (Hoerl & Kennard 1970). `values` (N, K), standardised.

    One eigendecomposition serves the whole path: W = Q (Λ + nλ)⁻¹ Qᵀ Xᵀ Y.
    """
    features, held_features = features.double(), held_features.double()
    own, held = values.double(), held_values.double()
    scale = _Scale.of(features)
    x, held_x = scale.apply(features), scale.apply(held_features)
    bias = own.mean(dim=0)
    eigenvalues, q = torch.linalg.eigh(x.T @ x)
    projected = q.T @ (x.T @ (own - bias))
    best: HeadSolution | None = None
    tried: list[tuple[float, float]] = []
    for penalty in PATH:
        weight = (q @ (projected / (eigenvalues.clamp_min(0) + len(x) * penalty)[:, None])).T
        loss = float((held_x @ weight.T + bias - held).square().mean()) if len(held_x) else float("nan")
        tried.append((penalty, loss))
        if best is None or loss < best.validation_loss or (math.isnan(loss) and penalty >= 0.01):
            best = HeadSolution(*scale.fold(weight, bias), penalty, loss)
    assert best is not None
    return HeadSolution(best.weight, best.bias, best.regularisation, best.validation_loss, tried)

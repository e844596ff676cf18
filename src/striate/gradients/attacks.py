"""Small changes of pictures that make a network wrong, found along its gradient.

A change is bounded by its `strength`: with the norm "linf", no number of the picture moves by more grey
levels; with "l2", the root of the summed squares of all moves is no larger, grey levels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from torch import Tensor

__all__ = ["Harm", "Norm", "fgsm", "pgd", "project", "random_start"]

Norm: TypeAlias = Literal["linf", "l2"]
Harm: TypeAlias = Callable[[Tensor], Tensor]
"""What an attack raises: pixels float (B, 3, h, w), 0 … 255 → (B,), or () where only a sum is known."""

_REACH = 2.5
"""All steps together go so many times the strength: to any corner, and back (Madry et al. 2018)."""


def fgsm(harm: Harm, pixels: Tensor, strength: float) -> Tensor:
    """The fast gradient sign method: one step to a corner of the box (Goodfellow et al. 2015, eq. 2).

    `pixels` float (B, 3, h, w), 0 … 255; the result too, every number within `strength` of its own.
    """
    step = strength * gradient(harm, pixels).sign()
    return (pixels + step).clamp(0, 255)


def pgd(
    harm: Harm,
    pixels: Tensor,
    strength: float,
    *,
    norm: Norm = "linf",
    steps: int = 10,
    start: Tensor | None = None,
    step: float | None = None,
    keep_worst: bool = True,
) -> Tensor:
    """Projected gradient ascent (Madry et al. 2018, eq. 4).

    The worst point of its path, picture by picture, where `harm` tells them apart; without `keep_worst`
    its end, which saves looking at it.

    `start`: where it sets out, within `strength` of `pixels` (`random_start`); by default the pictures
    themselves. `step`: length of one; by default 2.5 · strength / steps.
    """
    if strength <= 0:
        return pixels.clone()
    length = _REACH * strength / steps if step is None else step
    found = pixels.clone() if start is None else start.clone()
    worst, most = found.clone(), None
    for _ in range(steps):
        value, slope = value_and_gradient(harm, found)
        worst, most = _worse(worst, most, found, value)
        found = project(found + length * _direction(slope, norm), pixels, strength, norm)
    if not keep_worst:
        return found
    with torch.no_grad():
        value = harm(found)
    return _worse(worst, most, found, value)[0]


def _worse(
    worst: Tensor, most: Tensor | None, found: Tensor, value: Tensor
) -> tuple[Tensor, Tensor | None]:
    """The worse of two points, picture by picture; the later one where pictures are not told apart."""
    if value.ndim == 0:
        return found, None
    if most is None:
        return found, value
    better = value > most
    return torch.where(better[:, None, None, None], found, worst), torch.where(better, value, most)


def random_start(pixels: Tensor, strength: float, norm: Norm, seeds: list[int]) -> Tensor:
    """A random picture within `strength` of each of `pixels`; `seeds`: one a picture.

    Uniform in the box of "linf"; with "l2" a random direction of uniform length.
    """
    drawn = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        shape = pixels.shape[1:]
        if norm == "linf":
            drawn.append(2 * torch.rand(shape, generator=generator) - 1)
        else:
            noise = torch.randn(shape, generator=generator)
            drawn.append(noise / noise.norm().clamp_min(1e-12) * torch.rand((), generator=generator))
    change = strength * torch.stack(drawn).to(pixels)
    return project(pixels + change, pixels, strength, norm)


def project(found: Tensor, pixels: Tensor, strength: float, norm: Norm) -> Tensor:
    """The nearest picture, 0 … 255, within `strength` of `pixels`."""
    change = found - pixels
    if norm == "linf":
        change = change.clamp(-strength, strength)
    else:
        length = change.flatten(1).norm(dim=1).clamp_min(1e-12)
        change = change * (strength / length).clamp_max(1.0)[:, None, None, None]
    # what is clipped only comes nearer
    return (pixels + change).clamp(0, 255)


def gradient(harm: Harm, pixels: Tensor) -> Tensor:
    """d harm / d pixels, (B, 3, h, w)."""
    return value_and_gradient(harm, pixels)[1]


def value_and_gradient(harm: Harm, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """(B,) or (), and (B, 3, h, w); pictures in a batch do not see one another in evaluation mode."""
    with torch.enable_grad():
        given = pixels.detach().requires_grad_(True)
        value = harm(given)
        (found,) = torch.autograd.grad(value.sum(), given)
    return value.detach(), found


def _direction(slope: Tensor, norm: Norm) -> Tensor:
    """The steepest way up of length 1 in the norm."""
    if norm == "linf":
        return slope.sign()
    length: Tensor = slope.flatten(1).norm(dim=1)
    found: Tensor = slope / length.clamp_min(1e-20)[:, None, None, None]
    return found

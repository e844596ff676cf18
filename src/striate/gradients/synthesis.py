"""Activation maximisation: the picture that one channel answers to most.

Coefficients of a picture are climbed uphill (Adam) while the picture is shifted, turned and scaled a
little at every step, so that only what survives that is made, and neighbouring pixels are kept alike.
After Erhan et al. 2009 and Olah, Mordvintsev and Schubert, "Feature visualization", Distill 2017.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.gradients.fourier import noise_spectrum, to_pictures
from striate.gradients.listening import Place, hear
from striate.gradients.nonlinear import Nonlinear, redirected
from striate.types import SizeHW

__all__ = ["Climb", "Synthesised", "synthesise", "total_variation"]

_MEMORY = (0.9, 0.95)
"""Of Adam: gradients shrink while activations grow, and the first ones are to be forgotten."""
_WAKE_STEPS = 16
"""Steps in which a silent unit may be woken (lucid's)."""
_PLACES = 0.5
"""Of a map's places, the strongest ones that are climbed: all would have to agree on where a pattern
begins, and one alone makes a lonely spot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """How a picture is climbed.

    `lr`: of Adam. `smoothness`: weight of the mean difference of neighbouring pixels (0 … 1) against
    the activation, which counts by its logarithm. `shift`: as a part of the side; `turn_deg` and
    `scale`: the picture is turned by up to so much either way, and scaled by up to so much.
    """

    steps: int = 160
    lr: float = 0.05
    smoothness: float = 1.0
    shift: float = 1 / 16
    turn_deg: float = 10.0
    scale: float = 1.1


@dataclass(frozen=True, slots=True, eq=False)
class Synthesised:
    """`pictures` uint8 (B, 3, h, w), and how strong each channel is anywhere in its own: float (B,).

    `at_start`: in the noise that it was made from.
    """

    pictures: Tensor
    strength: Tensor
    at_start: Tensor


def synthesise(
    module: nn.Module,
    layer: Place,
    channels: Sequence[int],
    size_hw: SizeHW,
    *,
    climb: Climb | None = None,
    seed: int = 0,
    listen: Callable[[int, int], None] | None = None,
) -> Synthesised:
    """One picture of `size_hw` for each of `channels` of `layer`, made together.

    What is climbed is the mean of a channel over the stronger half of its map, so that a texture fills
    the picture; of a vector (a class) the number itself. `listen` hears steps done, of all.
    """
    how = climb or Climb()
    device = next(module.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    spectrum = noise_spectrum(len(channels), size_hw, generator).to(device).requires_grad_(True)
    optimizer = torch.optim.Adam([spectrum], lr=how.lr, betas=_MEMORY)
    rows = torch.arange(len(channels), device=device)
    wanted = torch.tensor(list(channels), device=device)
    was_training = module.training
    module.eval()
    try:
        start = _strength(module, layer, _rounded(spectrum, size_hw), rows, wanted)
        for step in range(how.steps):
            pictures = to_pictures(spectrum, size_hw)
            moved = _moved(pictures, how, generator)
            with Nonlinear(redirected) if step < _WAKE_STEPS else nullcontext():
                values = hear(module, layer, 255 * moved)[rows, wanted]
                found = _wanted(values)
                share = found / found.detach().abs().clamp_min(1e-6)
                loss = (how.smoothness * total_variation(pictures) - share).sum()
                (spectrum.grad,) = torch.autograd.grad(loss, spectrum)
            optimizer.step()
            if listen is not None:
                listen(step + 1, how.steps)
        made = _rounded(spectrum, size_hw)
        return Synthesised(
            made.to(torch.uint8).cpu(), _strength(module, layer, made, rows, wanted), start
        )
    finally:
        module.train(was_training)


def _wanted(values: Tensor) -> Tensor:
    """What is climbed, float (B,), of maps (B, h, w) or of numbers (B,)."""
    if values.ndim == 1:
        return values
    places = values.flatten(1)
    return places.topk(math.ceil(_PLACES * places.shape[1]), dim=1).values.mean(dim=1)


def total_variation(pictures: Tensor) -> Tensor:
    """Mean absolute difference of neighbouring pixels, down and across, float (B,)."""
    down = (pictures[:, :, 1:] - pictures[:, :, :-1]).abs().sum(dim=(1, 2, 3))
    across = (pictures[:, :, :, 1:] - pictures[:, :, :, :-1]).abs().sum(dim=(1, 2, 3))
    return (down + across) / pictures[0].numel()


def _rounded(spectrum: Tensor, size_hw: SizeHW) -> Tensor:
    """As they can be shown: whole numbers from 0 to 255."""
    return (255 * to_pictures(spectrum.detach(), size_hw)).round()


def _strength(module: nn.Module, layer: Place, pixels: Tensor, rows: Tensor, wanted: Tensor) -> Tensor:
    """Of each channel at its strongest place, float (B,)."""
    values = hear(module, layer, pixels).detach()[rows, wanted]
    return values.flatten(1).amax(dim=1).cpu() if values.ndim == 3 else values.cpu()


def _moved(pictures: Tensor, how: Climb, generator: torch.Generator) -> Tensor:
    """Each picture shifted, turned and scaled by chance, mirrored beyond its edges."""
    count, _, height, width = pictures.shape
    turn, scale, down, across = 2 * torch.rand(4, count, generator=generator) - 1
    angle = turn * math.radians(how.turn_deg)
    size = torch.exp(scale * math.log(how.scale))
    cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
    # coordinates run from −1 to 1 on both axes, whatever their lengths
    rows = [
        torch.stack([cos, -sin * height / width, 2 * how.shift * across], dim=1),
        torch.stack([sin * width / height, cos, 2 * how.shift * down], dim=1),
    ]
    grid = F.affine_grid(
        torch.stack(rows, dim=1).to(pictures.device), list(pictures.shape), align_corners=False
    )
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)

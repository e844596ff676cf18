"""Blur and sharpening, each picture by its own strength. Batched, float32."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from striate.types import Array

__all__ = ["blur_pictures", "sharpen_pictures"]

_SHARP_SIGMA = 1.0


def blur_pictures(pictures: Tensor, sigma: Array, most: float) -> Tensor:
    """Gaussian blur of float32 (B, 3, H, W) by `sigma` (B,) pixels, none above `most`.

    Separable, three standard deviations wide; the edge is continued. How wide the sums are depends on
    `most` alone, and they are taken pointwise, so that a picture is the same in any batch.
    """
    reach = max(1, math.ceil(3.0 * most))
    places = torch.arange(-reach, reach + 1, dtype=torch.float64)
    spread = torch.from_numpy(sigma).clamp_min(1e-3)[:, None]
    weights = torch.exp(-0.5 * (places / spread) ** 2)
    weights = (weights / weights.sum(dim=1, keepdim=True)).to(pictures.device, torch.float32)
    return _along(_along(pictures, weights, 2), weights, 3).clamp_(0.0, 255.0)


def _along(pictures: Tensor, weights: Tensor, dim: int) -> Tensor:
    """Weighted sums of neighbours along rows (3) or columns (2); weights (B, 2r + 1), symmetric."""
    reach = weights.shape[1] // 2
    padding = (0, 0, reach, reach) if dim == 2 else (reach, reach, 0, 0)
    wide, side = F.pad(pictures, padding, mode="replicate"), pictures.shape[dim]
    shaped = weights[:, :, None, None, None]
    found = pictures * shaped[:, reach]
    for away in range(1, reach + 1):
        both = wide.narrow(dim, reach - away, side) + wide.narrow(dim, reach + away, side)
        found.addcmul_(both, shaped[:, reach + away])
    return found


def sharpen_pictures(pictures: Tensor, amount: Array) -> Tensor:
    """Unsharp masking of float32 (B, 3, H, W): `amount` (B,) times the detail finer than a pixel."""
    ones = torch.full((len(pictures),), _SHARP_SIGMA, dtype=torch.float64).numpy()
    smooth = blur_pictures(pictures, ones, _SHARP_SIGMA)
    share = torch.from_numpy(amount).to(pictures.device, torch.float32)[:, None, None, None]
    return torch.addcmul(pictures, pictures - smooth, share).clamp_(0.0, 255.0)

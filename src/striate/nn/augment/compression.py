"""What JPEG does to a picture, without its entropy coding: batched, float32.

Brightness and colour apart, colour at half the resolution, cosine transforms of 8 × 8 blocks, rounded
to multiples of the standard's tables (ITU-T T.81, Annex K), scaled by quality as libjpeg does.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from striate.types import Array

__all__ = ["compress_pictures"]

_SIDE = 8
# fmt: off
_LUMA_TABLE = np.array([
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
]).reshape(8, 8)
_COLOUR_TABLE = np.array([
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    *[99] * 32,
]).reshape(8, 8)
# fmt: on


def compress_pictures(pictures: Tensor, quality: Array) -> Tensor:
    """`pictures` float32 (B, 3, H, W), 0 … 255, as they come back from a JPEG of `quality` (B,)."""
    height, width = pictures.shape[2:]
    red, green, blue = pictures.round().unbind(dim=1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    colours = torch.stack([(blue - luma) * 0.564, (red - luma) * 0.713], dim=1)  # around 0
    plain = _rounded(_padded(luma[:, None] - 128.0, _SIDE), _scaled(_LUMA_TABLE, quality))
    luma = plain[:, 0, :height, :width].round_().clamp_(-128, 127) + 128.0
    half = F.avg_pool2d(_padded(colours, 2 * _SIDE), 2)
    coarse = _rounded(half, _scaled(_COLOUR_TABLE, quality)).round_()
    full = F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
    more_blue, more_red = full[:, :, :height, :width].unbind(dim=1)
    found = torch.empty_like(pictures)
    found[:, 0] = luma + 1.402 * more_red
    found[:, 1] = luma - 0.344136 * more_blue - 0.714136 * more_red
    found[:, 2] = luma + 1.772 * more_blue
    return found.round_().clamp_(0.0, 255.0)


def _scaled(table: Array, quality: Array) -> Array:
    """The steps that coefficients are rounded to, (B, 8, 8)."""
    whole = np.clip(np.round(quality), 1, 100)
    scale = np.where(whole < 50, 5000.0 / whole, 200.0 - 2.0 * whole)
    steps: Array = np.clip(np.floor((table * scale[:, None, None] + 50.0) / 100.0), 1, 255)
    return steps


def _padded(planes: Tensor, multiple: int) -> Tensor:
    """Continued at the right and below to whole blocks."""
    height, width = planes.shape[2:]
    return F.pad(planes, (0, -width % multiple, 0, -height % multiple), mode="replicate")


def _rounded(planes: Tensor, steps: Array) -> Tensor:
    """Blocks of (B, C, H, W) transformed, rounded to multiples of `steps` (B, 8, 8), and back."""
    count, channels, height, width = planes.shape
    shape = (count, channels, height // _SIDE, _SIDE, width // _SIDE, _SIDE)
    blocks = planes.view(shape).permute(0, 1, 2, 4, 3, 5)  # (B, C, rows, columns, 8, 8)
    basis = _basis().to(planes.device)
    step = torch.from_numpy(steps).to(planes.device, torch.float32)[:, None, None, None]
    coefficients = _product(_product(blocks, basis, -2), basis, -1)
    coefficients = torch.round(coefficients / step) * step
    back = _product(_product(coefficients, basis.T, -2), basis.T, -1)
    return back.permute(0, 1, 2, 4, 3, 5).reshape(planes.shape)


def _product(blocks: Tensor, basis: Tensor, dim: int) -> Tensor:
    """`basis` (8, 8) applied along a dimension, pointwise: alike in any batch."""
    parts = blocks.unbind(dim=dim)
    rows = []
    for row in range(_SIDE):
        total = parts[0] * basis[row, 0]
        for column in range(1, _SIDE):
            total.add_(parts[column] * basis[row, column])
        rows.append(total)
    return torch.stack(rows, dim=dim)


def _basis() -> Tensor:
    """The orthonormal cosine transform of 8 values."""
    k, n = np.mgrid[:_SIDE, :_SIDE]
    rows = np.cos(np.pi * (2 * n + 1) * k / (2 * _SIDE)) * np.sqrt(2 / _SIDE)
    rows[0] /= np.sqrt(2)
    return torch.from_numpy(rows).to(torch.float32)

"""Adaptive average pooling that every exporter can write: two small matrix products."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from striate.types import SizeHW

__all__ = ["FixedAverage"]


class FixedAverage(nn.Module):
    """Maps (B, C, *from_hw) averaged to (B, C, *to_hw), as torch's AdaptiveAvgPool2d does it.

    ONNX has no such operator where the sizes do not divide. For one input size the average is linear
    and separable: rows · maps · columns. It has no entry in the state.
    """

    def __init__(self, from_hw: SizeHW, to_hw: SizeHW) -> None:
        super().__init__()
        self.register_buffer("rows", _bins(from_hw[0], to_hw[0]), persistent=False)
        self.register_buffer("columns", _bins(from_hw[1], to_hw[1]).T.contiguous(), persistent=False)
        self.rows: Tensor
        self.columns: Tensor

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, *to_hw)."""
        found: Tensor = self.rows.to(maps.dtype) @ maps @ self.columns.to(maps.dtype)
        return found


def _bins(inputs: int, outputs: int) -> Tensor:
    """(outputs, inputs): output i is the mean of inputs ⌊i·n/m⌋ … ⌈(i+1)·n/m⌉ − 1."""
    order = torch.arange(outputs)[:, None]
    first = torch.div(order * inputs, outputs, rounding_mode="floor")
    last = -torch.div(-(order + 1) * inputs, outputs, rounding_mode="floor")
    place = torch.arange(inputs)[None]
    inside = ((place >= first) & (place < last)).float()
    return inside / inside.sum(dim=1, keepdim=True)

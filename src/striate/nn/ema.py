"""The exponential moving average of a network's weights (Polyak & Juditsky 1992)."""

from __future__ import annotations

import copy
from typing import final

import torch
from torch import nn

__all__ = ["ExponentialMovingAverage"]


@final
class ExponentialMovingAverage:
    """`module`: a copy in evaluation mode whose weights follow, and whose buffers are copied.

    Its `state_dict` is all its state.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"decay {decay} is not in [0, 1)")
        self.decay = decay
        self.module = copy.deepcopy(module).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, module: nn.Module, *, step: int | None = None) -> None:
        """Move towards `module`, of the same architecture.

        With `step` (0 for the first), early steps decay less, at most (1 + step) / (10 + step): a
        long average does not remember the random start.
        """
        decay = self.decay if step is None else min(self.decay, (1 + step) / (10 + step))
        for average, parameter in zip(self.module.parameters(), module.parameters(), strict=True):
            average.lerp_(parameter, 1.0 - decay)
        for copied, buffer in zip(self.module.buffers(), module.buffers(), strict=True):
            copied.copy_(buffer)

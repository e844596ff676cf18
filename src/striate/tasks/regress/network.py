"""The regressor: a head with one column a number, two (sine, cosine) an angle, and a spread each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["RegressGraph", "RegressHead", "values_from_columns"]


class RegressHead(nn.Module):
    """Features (B, D) → columns (B, C) and log spreads (B, K).

    The spread is read from features that it cannot change, see `loss.spread_per_picture`.
    """

    def __init__(self, features: int, *, columns: int, targets: int) -> None:
        super().__init__()
        self.columns = nn.Linear(features, columns)
        self.spread = nn.Linear(features, targets)
        nn.init.zeros_(self.spread.weight)
        nn.init.zeros_(self.spread.bias)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Both, float."""
        return self.columns(features), self.spread(features.detach())


def values_from_columns(
    columns: Tensor, is_angle: Sequence[bool], mean: Tensor, scale: Tensor
) -> Tensor:
    """Columns (B, C) as values (B, K) in the targets' own units; angles in degrees, (−180, 180]."""
    values, at = [], 0
    for index, angle in enumerate(is_angle):
        if angle:
            # written out: the exporter knows no rad2deg
            values.append(torch.atan2(columns[:, at], columns[:, at + 1]) * (180.0 / math.pi))
        else:
            values.append(columns[:, at] * scale[index] + mean[index])
        at += 2 if angle else 1
    return torch.stack(values, dim=1)


class RegressGraph(nn.Module):
    """uint8 (B, H, W, 3) → values (B, K) and sigmas (B, K), in the targets' own units."""

    def __init__(
        self,
        network: nn.Module,
        *,
        is_angle: Sequence[bool],
        mean: Sequence[float],
        scale: Sequence[float],
    ) -> None:
        super().__init__()
        self.network, self.is_angle = network, tuple(is_angle)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32))
        self.mean: Tensor
        self.scale: Tensor

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Both outputs, float32."""
        return self.answer(pictures.permute(0, 3, 1, 2).float())

    def answer(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The same for float (B, 3, H, W), 0..255."""
        columns, spread = self.network(pixels)
        values = values_from_columns(columns.float(), self.is_angle, self.mean, self.scale)
        return values, torch.exp(spread.float().clamp(-7.0, 7.0)) * self.scale

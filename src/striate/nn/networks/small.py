"""A small convolutional network for training from scratch on a CPU."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from striate.nn.networks.backbone import Backbone
from striate.types import SizeHW

__all__ = ["small_cnn"]

_FIRST_SIDE = 48
"""The stem halves a picture until its shorter side is at most about this long."""


def small_cnn(in_channels: int, size_hw: SizeHW, *, width: int = 64, depth: int = 2) -> Backbone:
    """Three stages of `depth` 3×3 convolutions with `width`, 2·`width` and 4·`width` channels.

    Each stage halves the picture after its first convolution (Page 2018); further ones are residual
    from the third on. Batch normalisation, maximum over all places at the end. Any size fits.
    """
    halvings = max(0, math.ceil(math.log2(min(size_hw) / _FIRST_SIDE)))
    model = _SmallCnn(in_channels, width=width, depth=depth, halvings=halvings)
    stages = (("stem",), ("stage1",), ("stage2",), ("stage3",))
    return Backbone(model, features_dim=4 * width, stages=stages)


class _SmallCnn(nn.Module):
    def __init__(self, in_channels: int, *, width: int, depth: int, halvings: int) -> None:
        super().__init__()
        stem_width = max(8, 3 * width // 8)
        parts: list[nn.Module] = [_Unit(in_channels, stem_width, stride=2 if halvings else 1)]
        parts += [_Unit(stem_width, stem_width, stride=2) for _ in range(halvings - 1)]
        self.stem = nn.Sequential(*parts)
        self.stage1 = _Stage(stem_width, width, depth)
        self.stage2 = _Stage(width, 2 * width, depth)
        self.stage3 = _Stage(2 * width, 4 * width, depth)

    def forward(self, pictures: Tensor) -> Tensor:
        maps: Tensor = self.stage3(self.stage2(self.stage1(self.stem(pictures))))
        return maps.amax(dim=(2, 3))


class _Unit(nn.Sequential):
    """Convolution, optional pooling, normalisation, GELU."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, pool: bool = False) -> None:
        conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        # the first filters hand on their input: a deep stack learns from the first step (Jordan 2024)
        with torch.no_grad():
            nn.init.dirac_(conv.weight[: min(inputs, outputs)])
        shrink: list[nn.Module] = [nn.MaxPool2d(2, ceil_mode=True)] if pool else []
        super().__init__(conv, *shrink, nn.BatchNorm2d(outputs), nn.GELU())


class _Stage(nn.Module):
    def __init__(self, inputs: int, outputs: int, depth: int) -> None:
        super().__init__()
        self.first = _Unit(inputs, outputs, pool=True)
        self.rest = nn.ModuleList([_Unit(outputs, outputs) for _ in range(depth - 1)])

    def forward(self, maps: Tensor) -> Tensor:
        maps = self.first(maps)
        for index, unit in enumerate(self.rest):
            maps = maps + unit(maps) if index else unit(maps)
        return maps

"""Networks that see a picture as a list of numbers: the baselines that convolutions must beat."""

from __future__ import annotations

from torch import nn

from striate.nn.networks.backbone import Backbone
from striate.types import SizeHW

__all__ = ["pixels_linear", "pixels_mlp"]


def pixels_linear(channels: int, size_hw: SizeHW) -> Backbone:
    """The pixels themselves, C·H·W features: with a linear head, softmax regression."""
    return Backbone(nn.Flatten(), features_dim=channels * size_hw[0] * size_hw[1], stages=())


def pixels_mlp(channels: int, size_hw: SizeHW, *, widths: tuple[int, ...] = (512, 256)) -> Backbone:
    """A dense net on the pixels: `widths` hidden units a layer, ReLU between."""
    layers: list[nn.Module] = [nn.Flatten()]
    inputs = channels * size_hw[0] * size_hw[1]
    for width in widths:
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    stages = [(str(2 * index + 1),) for index in range(len(widths))]
    return Backbone(nn.Sequential(*layers), features_dim=inputs, stages=stages)

"""The maps of a backbone at several resolutions, and a pyramid that makes them alike."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from striate.errors import UsageError
from striate.nn.networks.backbone import Backbone
from striate.types import SizeHW

__all__ = ["MapShape", "MapsOf", "Pyramid"]


@dataclass(frozen=True, slots=True)
class MapShape:
    """One map: its channels, its height and width, and how many input pixels one of its places spans."""

    channels: int
    size_hw: SizeHW
    stride: int


class MapsOf:
    """Reads the maps at some strides out of a backbone, whose parameters stay the backbone's own.

    `shapes`: one a map, finest first. A `UsageError` where the architecture has no such maps.
    """

    def __init__(
        self, backbone: Backbone, *, name: str, channels: int, size_hw: SizeHW, strides: Sequence[int]
    ) -> None:
        model: Any = backbone.model
        if not callable(getattr(model, "forward_intermediates", None)):
            raise UsageError(
                f"{name} has no maps of several resolutions to find objects on",
                remedy="choose another --model, such as resnet18",
            )
        found = [int(one["reduction"]) for one in model.feature_info]
        missing = [stride for stride in strides if stride not in found]
        if missing:
            raise UsageError(
                f"{name} has maps at strides {sorted(set(found))}, not at {missing[0]}",
                remedy="choose another --model, such as resnet18",
            )
        # the last map of a stride is the one that saw most
        self.indices = [len(found) - 1 - found[::-1].index(stride) for stride in strides]
        self._model = model
        was_training = model.training
        model.eval()
        with torch.no_grad():
            maps = self(torch.zeros(1, channels, *size_hw))
        model.train(was_training)
        self.shapes = tuple(
            MapShape(one.shape[1], (one.shape[2], one.shape[3]), stride)
            for one, stride in zip(maps, strides, strict=True)
        )

    def __call__(self, pictures: Tensor) -> list[Tensor]:
        """Maps (B, C, h, w) of normalised pictures (B, C, H, W), finest first."""
        found: list[Tensor] = self._model.forward_intermediates(
            pictures,
            indices=self.indices,
            stop_early=True,
            output_fmt="NCHW",
            intermediates_only=True,
        )
        return found


class Pyramid(nn.Module):
    """Feature pyramid (Lin et al. 2017): maps of `channels` each, the coarse ones told to the fine.

    `extra`: so many maps are added, each half the size of the last. `shapes`: one a map, finest first.
    """

    def __init__(self, shapes: Sequence[MapShape], channels: int, *, extra: int = 0) -> None:
        super().__init__()
        from torchvision.ops import FeaturePyramidNetwork

        self.merge = FeaturePyramidNetwork([one.channels for one in shapes], channels)
        self.extra = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, stride=2, padding=1) for _ in range(extra)
        )
        found = [MapShape(channels, one.size_hw, one.stride) for one in shapes]
        for _ in range(extra):
            height, width = found[-1].size_hw
            found.append(MapShape(channels, (-(-height // 2), -(-width // 2)), found[-1].stride * 2))
        self.shapes = tuple(found)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Maps (B, channels, h, w), finest first."""
        merged = self.merge(OrderedDict((str(i), one) for i, one in enumerate(maps)))
        found = list(merged.values())
        for layer in self.extra:
            found.append(layer(torch.relu(found[-1])))
        return found

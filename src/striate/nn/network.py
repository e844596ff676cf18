"""A whole network: raw pictures in, answers out. Normalisation is inside, so that it is exported too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self, final, get_args

import torch
from torch import Tensor, nn

from striate.errors import UnknownNameError
from striate.nn.augment.colour import LUMA
from striate.nn.networks.backbone import Backbone, LearnsInput, Normalisation
from striate.nn.networks.registry import build_backbone, check_name
from striate.types import SizeHW

__all__ = ["Depth", "Network", "PictureNetwork", "build_network"]

Depth = Literal["head", "last", "all"]
"""What is trained: the head; the backbone's last stage too; everything."""


class PictureNetwork(nn.Module):
    """Pictures uint8 or float (B, 3, H, W), 0 … 255 → [luma] → normalisation → backbone → head.

    What all networks have in common, whatever the head makes of what the backbone sees. `name`,
    `channels`, `size_hw`: what the backbone was built for. With one channel, colours are first weighed
    to luma.
    """

    def __init__(
        self,
        backbone: Backbone,
        head: nn.Module,
        *,
        name: str,
        channels: int,
        size_hw: SizeHW,
        norm: Normalisation | None = None,
    ) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head
        self.name, self.channels, self.size_hw = name, channels, size_hw
        self.depth: Depth = "all"
        # what a network keeps fixed by design (a computed first layer) stays so at every depth
        self._fixed = frozenset(n for n, p in self.named_parameters() if not p.requires_grad)
        norm = norm or backbone.preferred_norm.for_channels(channels)
        mean, std = torch.tensor(norm.mean).view(1, -1, 1, 1), torch.tensor(norm.std).view(1, -1, 1, 1)
        # x · scale + shift is (x / 255 − mean) / std in one pass
        self.register_buffer("scale", 1.0 / (255.0 * std))
        self.register_buffer("shift", -mean / std)
        self.register_buffer("luma", torch.tensor(LUMA).view(1, 3, 1, 1), persistent=False)
        self.scale: Tensor
        self.shift: Tensor
        self.luma: Tensor

    @torch.no_grad()
    def learn_input(self, pictures: Tensor) -> None:
        """Normalise by the mean and spread of training `pictures` (N, 3, H, W), 0 … 255.

        For networks that start from random weights; loaded ones keep what they were trained with.
        """
        pixels = pictures.double()
        if self.channels == 1:
            pixels = (pixels * self.luma.double()).sum(dim=1, keepdim=True)
        std, mean = torch.std_mean(pixels, dim=(0, 2, 3), keepdim=True, correction=0)
        std = std.clamp_min(0.5)  # constant pictures
        self.scale.copy_(1.0 / std)
        self.shift.copy_(-mean / std)
        if isinstance(self.backbone.model, LearnsInput):
            self.backbone.model.learn_input(self.normalise(pictures))

    def normalise(self, pictures: Tensor) -> Tensor:
        """Float (B, C, H, W) as the backbone wants them."""
        pixels = pictures.to(self.scale.dtype)
        if self.channels == 1:
            pixels = (pixels * self.luma).sum(dim=1, keepdim=True)
        found = torch.addcmul(self.shift, pixels, self.scale)
        kind = pictures.device.type
        # cast once here, not in front of every layer
        return found.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else found

    def freeze(self, depth: Depth) -> None:
        """Train only the head, the last stage too, or all. Frozen parts stay in evaluation mode.

        So their batch statistics, dropout and features are those of use, whatever `train()` says.
        """
        if depth not in get_args(Depth):
            raise UnknownNameError("depth", depth, get_args(Depth))
        self.depth = depth
        self.requires_grad_(True)
        if depth != "all":
            self.backbone.requires_grad_(False)
            for part in self._trained_parts():
                part.requires_grad_(True)
        for name in self._fixed:
            self.get_parameter(name).requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        if self.depth != "all":
            self.backbone.train(False)
            for part in self._trained_parts():
                part.train(mode)
        return self

    def _trained_parts(self) -> list[nn.Module]:
        """What of the backbone is trained besides the head, when it is not all of it."""
        return self.backbone.stages()[-1:] if self.depth == "last" else []


@final
class Network(PictureNetwork):
    """A network whose head sees pooled features: one vector a picture."""

    def features(self, pictures: Tensor) -> Tensor:
        """Pooled features float (B, D): all that the head sees."""
        found: Tensor = self.backbone(self.normalise(pictures))
        return found

    def forward(self, pictures: Tensor) -> Any:
        """What the head answers: a tensor (B, K), or several."""
        return self.head(self.features(pictures))


def build_network(
    model: str,
    *,
    in_channels: int,
    size_hw: SizeHW,
    head: Callable[[int], nn.Module],
    norm: Normalisation | None = None,
) -> Network:
    """The network `model` with random weights from torch's generator; `head` makes one for D features.

    Errors: `UnknownNameError` with the nearest names; `UsageError` with the smallest size that fits.
    """
    backbone = build_backbone(model, channels=in_channels, size_hw=size_hw)
    return Network(
        backbone,
        head(backbone.features_dim),
        name=check_name(model),
        channels=in_channels,
        size_hw=size_hw,
        norm=norm,
    )

"""A small convolutional network that trains from scratch on a CPU in a minute or two.

The parts, each measured on CIFAR-10 with two cores (`docs/benchmarks.md`): a frozen whitening layer
computed from training pictures instead of learnt (so nothing is back-propagated at full size), three
stages that pool early, filters that start as a pass-through, batch normalisation without a learnt
scale, maximum over all places. After Page (2018) and Jordan (2024, "94 % on CIFAR-10 in 3.29 s").
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.nn.networks.backbone import Backbone, LearnsInput
from striate.types import SizeHW

__all__ = ["small_cnn"]

_STEM_WIDTH = 48
_SCALE = 9.0
"""Features are divided by this, so that a fresh head starts with small, equal probabilities."""
_FEW_PLACES = 16


def small_cnn(in_channels: int, size_hw: SizeHW, *, width: int = 64, depth: int = 2) -> Backbone:
    """Three stages of `depth` 3×3 convolutions with `width`, 2·`width` and 4·`width` channels.

    Each stage halves the picture after its first convolution, further ones are residual from the third
    on. The stem's stride suits the size: 1 up to 40 px, 2 up to 80, 4 and more above; pictures of at
    most 12 px skip the first halving. Any size fits.
    """
    model = _SmallCnn(in_channels, size_hw, width=width, depth=depth)
    stages = (("stem",), ("stage1",), ("stage2",), ("stage3",))
    return Backbone(model, features_dim=4 * width, stages=stages)


class _SmallCnn(LearnsInput):
    def __init__(self, in_channels: int, size_hw: SizeHW, *, width: int, depth: int) -> None:
        super().__init__()
        self.stem = _make_stem(in_channels, size_hw)
        first_halves = min(size_hw) > 12
        self.stage1 = _Stage(self.stem.out_channels, width, depth, halve=first_halves)
        self.stage2 = _Stage(width, 2 * width, depth)
        self.stage3 = _Stage(2 * width, 4 * width, depth)

    def forward(self, pictures: Tensor) -> Tensor:
        maps = F.gelu(self.stem(pictures))  # 32 px: (B, 24, 31, 31)
        maps = self.stage3(
            self.stage2(self.stage1(maps))
        )  # (B, 64, 15, 15) (B, 128, 7, 7) (B, 256, 3, 3)
        strongest: Tensor = maps.amax(dim=(2, 3))
        return strongest.float() / _SCALE

    @torch.no_grad()
    def learn_input(self, pictures: Tensor) -> None:
        """Make the stem whiten patches of `pictures` (N, C, H, W), normalised: w = V / √λ and −w.

        Directions without variance (grey pictures as RGB) are left at zero.
        """
        kernel = self.stem.kernel_size[0]
        if min(pictures.shape[2:]) < kernel:
            return
        patches = F.unfold(pictures[:2000].float(), kernel).transpose(1, 2)  # (N, L, C·k·k)
        patches = patches.reshape(-1, patches.shape[2])
        patches = patches[:: max(1, len(patches) // 100_000)].double()
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = vectors / (values + 5e-4).sqrt() * (values > 1e-6 * values.max())
        half = self.stem.out_channels // 2
        # largest variance first; a fixed sign, since a solver may return either
        filters = filters.T.flip(0)[:half]
        filters = filters * torch.where(filters.sum(1, keepdim=True) < 0, -1.0, 1.0)
        white = filters.reshape(half, pictures.shape[1], kernel, kernel).to(self.stem.weight.dtype)
        self.stem.weight.copy_(torch.cat([white, -white]))


def _make_stem(in_channels: int, size_hw: SizeHW) -> _Conv:
    side = max(size_hw)
    stride = 1 if side <= 40 else 2 if side <= 80 else 4 * 2 ** max(0, math.ceil(math.log2(side / 160)))
    kernel = max(stride, 3 if in_channels == 1 else 2)
    if min(size_hw) < kernel:  # a thin strip
        stride, kernel = 1, 1
    width = min(2 * in_channels * kernel * kernel, _STEM_WIDTH)
    stem = _Conv(in_channels, width, kernel, stride=stride, padding=1 if kernel == 3 else 0, bias=False)
    stem.weight.requires_grad = False
    return stem


class _Conv(nn.Conv2d):
    """A convolution whose float32 weight is cast to the type of its input."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # torch's name
        weight = self.weight.to(input.dtype)
        places = input.shape[2] * input.shape[3]
        if (
            self.training
            and input.dtype == torch.bfloat16
            and places <= _FEW_PLACES
            and self.padding == (1, 1)
        ):
            found: Tensor = _ConvOfFewPlaces.apply(input, weight)
            return found
        return F.conv2d(input, weight, None, self.stride, self.padding)


class _ConvOfFewPlaces(torch.autograd.Function):
    """3×3, stride 1, padding 1, with the weight's gradient as one matrix product.

    oneDNN's own bfloat16 weight gradient is three to five times slower on maps of 4×4 and less.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(maps, weight)
        return F.conv2d(maps, weight, padding=1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        maps, weight = ctx.saved_tensors  # (B, I, H, W), (O, I, 3, 3)
        of_maps = torch.ops.aten.convolution_backward(
            gradient, maps, weight, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [True, False, False]
        )[0]
        batch, inputs, height, width = maps.shape
        outputs = gradient.shape[1]
        padded = F.pad(maps.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
        columns = padded.unfold(1, 3, 1).unfold(2, 3, 1)  # (B, H, W, I, 3, 3)
        columns = columns.permute(0, 1, 2, 4, 5, 3).reshape(batch * height * width, 9 * inputs)
        of_weight = columns.t() @ gradient.permute(0, 2, 3, 1).reshape(-1, outputs)  # (9·I, O)
        return of_maps, of_weight.view(3, 3, inputs, outputs).permute(3, 2, 0, 1)


class _Stage(nn.Module):
    def __init__(self, inputs: int, outputs: int, depth: int, *, halve: bool = True) -> None:
        super().__init__()
        pool = nn.MaxPool2d(2, ceil_mode=True) if halve else nn.Identity()
        self.first = nn.Sequential(_conv3(inputs, outputs), pool, _norm(outputs), nn.GELU())
        rest = [
            nn.Sequential(_conv3(outputs, outputs), _norm(outputs), nn.GELU()) for _ in range(depth - 1)
        ]
        self.rest = nn.ModuleList(rest)

    def forward(self, maps: Tensor) -> Tensor:
        maps = self.first(maps)
        for index, layer in enumerate(self.rest):
            maps = maps + layer(maps) if index else layer(maps)
        return maps


def _conv3(inputs: int, outputs: int) -> _Conv:
    conv = _Conv(inputs, outputs, 3, padding=1, bias=False)
    with torch.no_grad():
        nn.init.dirac_(conv.weight[: min(inputs, outputs)])
    return conv


def _norm(channels: int) -> nn.BatchNorm2d:
    """Scale fixed at 1, fast statistics: a short training has few steps to average over."""
    norm = nn.BatchNorm2d(channels, momentum=0.4)
    norm.weight.requires_grad = False
    return norm

"""Sliding windows: a classifier of cut-outs, run over every place and size of a picture.

The network has no padding, so that the answer of a window is the same whether it is cut out or seen as a
part of the whole picture; run on the picture it shares nearly all of its sums among windows (Sermanet et
al. 2014). `windows_one_by_one` is the naïve way, kept for comparison.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import box_iou, roi_align

from striate.nn.networks.backbone import Backbone
from striate.nn.networks.maps import MapShape
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.network import Candidates, DetectHead, Objects, Raw, See, objects_of
from striate.types import SizeHW

__all__ = ["STRIDE", "WINDOW", "SlidingWindow", "window_network"]

WINDOW, STRIDE = 40, 4
"""Side of a window and the step to the next, pixels of the scaled picture."""
_WIDTHS = (16, 16, 32, 32, 64, 64, 96)
_HALVED_AFTER = (1, 3)
"""Layers (3 × 3, no padding) by their channels, and those behind which the map is halved."""
_RATIO = 1.3
"""From one window size to the next."""
_SAMPLED = 64
_OBJECTS_SHARE = 0.5
_FULL, _EMPTY = 0.5, 0.35
"""A window shows an object from this overlap on, and background below that one."""


def window_network() -> nn.Module:
    """40 × 40 pixels → one vector of 96; larger pictures → a map of them, a step of 4 pixels apart."""
    layers: list[nn.Module] = []
    inputs = 3
    for row, outputs in enumerate(_WIDTHS):  # 40 → 36 → 18 → 14 → 7 → 5 → 3 → 1
        layers += [nn.Conv2d(inputs, outputs, 3, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if row in _HALVED_AFTER else []
        inputs = outputs
    return nn.Sequential(*layers)


class SlidingWindow(DetectHead):
    """Windows of many sizes at every step, each one of the classes or background."""

    strides: ClassVar[tuple[int, ...]] = ()
    places: Tensor

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__(shapes, facts)
        self.judge = nn.Conv2d(_WIDTHS[-1], len(facts.names) + 1, 1)
        self.sizes_hw = [_scaled(facts.size_hw, side) for side in _sides(facts)]
        boxes = torch.cat([_windows(size_hw, facts.size_hw) for size_hw in self.sizes_hw])
        self.register_buffer("places", boxes, persistent=False)

    @classmethod
    def backbone(cls, facts: DetectFacts) -> Backbone:
        network = window_network()
        learnt = [
            name for name, part in network.named_children() if any(True for _ in part.parameters())
        ]
        return Backbone(network, features_dim=_WIDTHS[-1], stages=[[name] for name in learnt])

    def forward(self, see: See, pictures: Tensor, targets: Mapping[str, Tensor] | None) -> Raw:
        if targets is not None:
            boxes, labels = self._sampled(objects_of(targets))
            crops = roi_align(pictures.float(), boxes, WINDOW, 1.0, 2)
            return {"logits": self.judge(see(crops)).flatten(1).float(), "labels": labels}
        maps = [self.judge(see(_resized(pictures, size_hw))) for size_hw in self.sizes_hw]
        return {"logits": torch.cat([one.flatten(2) for one in maps], dim=2).transpose(1, 2).float()}

    def windows_one_by_one(self, see: See, picture: Tensor) -> Tensor:
        """The logits (N, K + 1) of one picture (1, C, H, W), each window cut out and seen on its own."""
        found = []
        for size_hw in self.sizes_hw:
            scaled = _resized(picture, size_hw)
            for y in range(0, size_hw[0] - WINDOW + 1, STRIDE):
                for x in range(0, size_hw[1] - WINDOW + 1, STRIDE):
                    found.append(self.judge(see(scaled[:, :, y : y + WINDOW, x : x + WINDOW])))
        return torch.cat(found).flatten(1).float()

    def losses(self, raw: Raw, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Softmax over the classes and background."""
        return {"class": F.cross_entropy(raw["logits"], raw["labels"])}

    def candidates(self, raw: Raw) -> Candidates:
        scores = raw["logits"].softmax(dim=2)[:, :, :-1]
        return Candidates(self.places.expand(scores.shape[0], -1, -1), scores)

    def remarks(self) -> list[str]:
        windows = len(self.places)
        apart = windows * _multiply_adds((WINDOW, WINDOW))
        together = sum(_multiply_adds(size_hw) for size_hw in self.sizes_hw)
        return [
            f"{windows} windows of {len(self.sizes_hw)} sizes a picture: one by one they take "
            f"{apart / 1e9:.3g} billion multiply-adds, as one convolution {together / 1e9:.3g} billion"
        ]

    def _sampled(self, objects: list[Objects]) -> tuple[list[Tensor], Tensor]:
        """Windows for training, a tensor (64, 4) a picture, and what they show (B·64,)."""
        boxes, labels = [], []
        for one in objects:
            chosen, shown = self._of_picture(one)
            boxes.append(chosen)
            labels.append(shown)
        return boxes, torch.cat(labels)

    def _of_picture(self, objects: Objects) -> tuple[Tensor, Tensor]:
        classes = len(self.facts.names)
        device = self.places.device
        if not len(objects["labels"]):
            rows = torch.randint(len(self.places), (_SAMPLED,), device=device)
            return self.places[rows], torch.full((_SAMPLED,), classes, device=device)
        overlap, nearest = box_iou(self.places, objects["boxes"]).max(dim=1)
        # a window round each object too: the grid may have none that fits it
        around, named = _around(objects, self.facts.size_hw)
        full = torch.nonzero(overlap >= _FULL)[:, 0]
        boxes = torch.cat([around, self.places[full]])
        shown = torch.cat([named, objects["labels"][nearest[full]]])
        most = int(_SAMPLED * _OBJECTS_SHARE)
        chosen = torch.randperm(len(boxes), device=device)[:most]
        empty = torch.nonzero(overlap < _EMPTY)[:, 0]
        if not len(empty):
            empty = overlap.argmin()[None]
        others = empty[torch.randint(len(empty), (_SAMPLED - len(chosen),), device=device)]
        nothing = torch.full((len(others),), classes, device=device)
        return torch.cat([boxes[chosen], self.places[others]]), torch.cat([shown[chosen], nothing])


def _around(objects: Objects, size_hw: SizeHW) -> tuple[Tensor, Tensor]:
    """Square windows round the objects, a little beside them; (M, 4) and labels (M,)."""
    boxes = objects["boxes"]
    size = boxes[:, 2:] - boxes[:, :2]
    side = size.amax(dim=1, keepdim=True) * (0.9 + 0.3 * torch.rand(len(boxes), 1, device=boxes.device))
    middle = (boxes[:, 2:] + boxes[:, :2]) / 2
    middle = middle + 0.2 * side * (torch.rand_like(middle) - 0.5)
    height, width = size_hw
    limit = boxes.new_tensor([width, height])
    low = torch.minimum((middle - side / 2).clamp_min(0), (limit - side).clamp_min(0))
    found = torch.cat([low, low + side], dim=1)
    overlap = box_iou(found, boxes).diagonal()
    return found[overlap >= _FULL], objects["labels"][overlap >= _FULL]


def _sides(facts: DetectFacts) -> list[float]:
    """Sides of the windows in input pixels: from the small objects of training to the largest."""
    low, *_, high = facts.side_quantiles or (24.0, min(facts.size_hw) / 2)
    smallest = max(12.0, low, (facts.side_quantiles or (low,) * 2)[1] / 2.5)
    largest = min(max(high, smallest), *facts.size_hw)
    steps = max(1, math.ceil(math.log(max(largest / smallest, 1.0)) / math.log(_RATIO)))
    return [smallest * (largest / smallest) ** (step / steps) for step in range(steps + 1)]


def _scaled(size_hw: SizeHW, side: float) -> SizeHW:
    """The size of the picture in which a window spans `side` of the input."""
    return tuple(max(WINDOW, round(length * WINDOW / side)) for length in size_hw)  # type: ignore[return-value]


def _windows(scaled_hw: SizeHW, size_hw: SizeHW) -> Tensor:
    """Boxes of all windows of a scaled picture, in input pixels, row by row; (N, 4)."""
    rows, columns = (1 + (length - WINDOW) // STRIDE for length in scaled_hw)
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    low = torch.stack([x, y], dim=2).view(-1, 2).float() * STRIDE
    ratio = torch.tensor([size_hw[1] / scaled_hw[1], size_hw[0] / scaled_hw[0]])
    return torch.cat([low * ratio, (low + WINDOW) * ratio], dim=1)


def _resized(pictures: Tensor, size_hw: SizeHW) -> Tensor:
    """Bilinear; what becomes less than half as large is halved by averaging first."""
    pictures = pictures.float()
    while pictures.shape[2] >= 2 * size_hw[0] and pictures.shape[3] >= 2 * size_hw[1]:
        pictures = F.avg_pool2d(pictures, 2)
    return F.interpolate(pictures, size=size_hw, mode="bilinear", align_corners=False)


def _multiply_adds(size_hw: SizeHW) -> int:
    """Of the window network on a picture of that size."""
    total, (height, width), inputs = 0, size_hw, 3
    for row, outputs in enumerate(_WIDTHS):
        height, width = height - 2, width - 2
        total += height * width * inputs * outputs * 9
        inputs = outputs
        if row in _HALVED_AFTER:
            height, width = height // 2, width // 2
    return total

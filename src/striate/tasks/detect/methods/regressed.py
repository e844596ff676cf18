"""Boxes as plain regression: one a picture, or a fixed number of them. What comes of it is the
lesson.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.nn.networks.maps import MapShape
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.network import Candidates, DetectHead, Raw, See

__all__ = ["FixedSlots", "Single"]

_HIDDEN = 256
_GRID = 4
_BOX_WEIGHT = 20.0
"""Squared distances of parts of a picture are tiny beside a softmax."""


class _Slots(DetectHead):
    """`slots` answers a picture, each a class (or none) and a box (x, y, w, h) as parts of the input.

    The loss is the sum of a softmax and an L2 loss, slot by slot: the k-th object is the k-th slot's.
    """

    strides: ClassVar[tuple[int, ...]] = (32,)

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts, *, slots: int) -> None:
        super().__init__(shapes, facts)
        self.slots, self.classes = slots, len(facts.names)
        # where something is matters here: a coarse grid is kept, not one mean
        self.pool = nn.AdaptiveAvgPool2d(_GRID) if _divides(shapes[-1]) else nn.Identity()
        places = _GRID**2 if _divides(shapes[-1]) else shapes[-1].size_hw[0] * shapes[-1].size_hw[1]
        self.hidden = nn.Sequential(
            nn.Flatten(), nn.Linear(shapes[-1].channels * places, _HIDDEN), nn.GELU()
        )
        self.answer = nn.Linear(_HIDDEN, slots * (self.classes + 1 + 4))

    def forward(self, see: See, pictures: Tensor, targets: Mapping[str, Tensor] | None) -> Raw:
        found = self.answer(self.hidden(self.pool(see(pictures)[-1]))).float()
        found = found.view(-1, self.slots, self.classes + 5)
        return {"logits": found[..., : self.classes + 1], "boxes": found[..., self.classes + 1 :]}

    def losses(self, raw: Raw, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`class`: softmax over classes and none; `box`: L2 of (x, y, w, h) where there is an object."""
        boxes, labels = self._slotted(targets["boxes"], targets["labels"])
        wanted = torch.where(labels >= 0, labels, self.classes)  # the last class is none
        by_class = F.cross_entropy(raw["logits"].flatten(0, 1), wanted.flatten())
        there = labels >= 0
        missed = (raw["boxes"] - self._parts(boxes)).square().sum(dim=2) * there
        return {"class": by_class, "box": _BOX_WEIGHT * missed.sum() / there.sum().clamp_min(1)}

    def _slotted(self, boxes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The first `slots` objects in the method's order: boxes (B, S, 4), labels (B, S), −1 for
        none.
        """
        rank = self._rank(boxes).masked_fill(labels < 0, float("inf"))
        order = rank.argsort(dim=1, stable=True)[:, : self.slots]
        boxes = boxes.gather(1, order[..., None].expand(-1, -1, 4))
        labels = labels.gather(1, order)
        short = self.slots - labels.shape[1]
        return F.pad(boxes, (0, 0, 0, max(0, short))), F.pad(labels, (0, max(0, short)), value=-1)

    @abstractmethod
    def _rank(self, boxes: Tensor) -> Tensor:
        """What objects (B, M, 4) are put in order by, smallest first; float (B, M)."""

    def _parts(self, boxes: Tensor) -> Tensor:
        """xyxy in pixels as middle, width and height in parts of the input."""
        height, width = self.facts.size_hw
        size = boxes.new_tensor([width, height])
        middle = (boxes[..., :2] + boxes[..., 2:]) / 2
        return torch.cat([middle / size, (boxes[..., 2:] - boxes[..., :2]) / size], dim=-1)

    def candidates(self, raw: Raw) -> Candidates:
        height, width = self.facts.size_hw
        size = raw["boxes"].new_tensor([width, height])
        middle, half = raw["boxes"][..., :2] * size, raw["boxes"][..., 2:].clamp_min(0) * size / 2
        boxes = torch.cat([middle - half, middle + half], dim=-1)
        limit = boxes.new_tensor([width, height, width, height])
        boxes = torch.minimum(boxes.clamp_min(0), limit)
        return Candidates(boxes, raw["logits"].softmax(dim=2)[..., : self.classes])


class Single(_Slots):
    """One object a picture, the largest: class and box, softmax and L2 summed."""

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__(shapes, facts, slots=1)

    def _rank(self, boxes: Tensor) -> Tensor:
        size = boxes[..., 2:] - boxes[..., :2]
        return -size[..., 0] * size[..., 1]


class FixedSlots(_Slots):
    """As many answers as the fullest training picture has objects, from left to right.

    It does not scale: the layer grows with the number of objects, no picture may have more of them than
    were ever seen, and a small shift moves an object into another slot.
    """

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__(shapes, facts, slots=max(2, facts.most_boxes))

    def _rank(self, boxes: Tensor) -> Tensor:
        return (boxes[..., 0] + boxes[..., 2]) / 2


def _divides(shape: MapShape) -> bool:
    """Whether the grid fits the map evenly, which an exported graph needs."""
    return all(side % _GRID == 0 for side in shape.size_hw)

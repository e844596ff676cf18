"""One look, no proposals: SSD, RetinaNet and FCOS, with torchvision's heads, matching and losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection import FCOS, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOSHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.detection.ssd import SSD
from torchvision.ops import box_iou

from striate.nn.networks.maps import MapShape, Pyramid
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.network import Candidates, DetectHead, Objects, Raw, See, objects_of
from striate.types import SizeHW

__all__ = ["Fcos", "Retina", "Ssd"]

_CHANNELS = 128
_CONVOLUTIONS = 2
"""torchvision's 256 channels and 4 convolutions are for COCO and an accelerator."""
_FIRST_DISTANCE = 1.0
"""Steps of the map from a place to each edge before anything is learnt."""


class _NoBackbone(nn.Module):
    """torchvision's classes want a backbone; ours is elsewhere, so that its weights keep their names."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out_channels = channels


def anchors_of(make: Any, shapes: Sequence[MapShape], size_hw: SizeHW) -> Tensor:
    """All anchors of a picture, float32 (N, 4), map by map."""
    blank = torch.zeros(1, 3, *size_hw)
    maps = [torch.zeros(1, 1, *one.size_hw) for one in shapes]
    found: Tensor = make(ImageList(blank, [size_hw]), maps)[0]
    return found


class _OneStage(DetectHead):
    """What the three share: a pyramid, torchvision's head on it, anchors that never change."""

    anchors: Tensor
    model: Any
    """torchvision's detector: its head, its matching and its losses are used."""

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts, *, extra: int) -> None:
        super().__init__(shapes, facts)
        self.pyramid = Pyramid(shapes, _CHANNELS, extra=extra)

    def _fix_anchors(self, make: Any) -> None:
        anchors = anchors_of(make, self.pyramid.shapes, self.facts.size_hw)
        self.register_buffer("anchors", anchors, persistent=False)

    def forward(self, see: See, pictures: Tensor, targets: Mapping[str, Tensor] | None) -> Raw:
        """Raw outputs of the head for every anchor."""
        found: dict[str, Tensor] = self.model.head(self.pyramid(see(pictures)))
        return {name: value.float() for name, value in found.items()}

    def losses(self, raw: Raw, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """torchvision's losses of the method."""
        objects = objects_of(targets)
        return self._losses(dict(raw), objects, [self.anchors] * len(objects))

    def _losses(
        self, raw: dict[str, Tensor], objects: list[Objects], anchors: list[Tensor]
    ) -> dict[str, Tensor]:
        found: dict[str, Tensor] = self.model.compute_loss(objects, raw, anchors)
        return found

    def _decoded(self, codes: Tensor) -> Tensor:
        """Boxes (B, N, 4) of the method's codes for every anchor."""
        anchors = self.anchors.expand(codes.shape[0], -1, -1)
        boxes: Tensor = self.model.box_coder.decode_single(codes.flatten(0, 1), anchors.flatten(0, 1))
        return boxes.view(codes.shape)


class Retina(_OneStage):
    """RetinaNet (Lin et al. 2017): nine anchors a place, focal loss."""

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__(shapes, facts, extra=1)
        sizes = tuple(
            tuple(one.stride * 4 * 2 ** (step / 3) for step in range(3)) for one in self.pyramid.shapes
        )
        anchors = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))
        head = RetinaNetHead(_CHANNELS, 9, len(facts.names), norm_layer=_group_norm)
        self.model = RetinaNet(
            _NoBackbone(_CHANNELS), len(facts.names), anchor_generator=anchors, head=head
        )
        self._fix_anchors(anchors)

    def candidates(self, raw: Raw) -> Candidates:
        return Candidates(self._decoded(raw["bbox_regression"]), raw["cls_logits"].sigmoid())


class Ssd(_OneStage):
    """SSD (Liu et al. 2016): six shapes a place, softmax with hard negatives."""

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__(shapes, facts, extra=2)
        sides = [one.stride * 3.0 for one in self.pyramid.shapes]
        sizes = tuple((side, side * 2**0.5) for side in sides)
        anchors = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))
        self.model = SSD(
            _NoBackbone(_CHANNELS),
            anchors,
            facts.size_hw[::-1],
            len(facts.names) + 1,
            head=_ssd_head([_CHANNELS] * len(sizes), [6] * len(sizes), len(facts.names) + 1),
        )
        self._fix_anchors(anchors)

    def _losses(
        self, raw: dict[str, Tensor], objects: list[Objects], anchors: list[Tensor]
    ) -> dict[str, Tensor]:
        shifted = [{"boxes": one["boxes"], "labels": one["labels"] + 1} for one in objects]
        matched = [self._matched(one["boxes"]) for one in objects]
        found: dict[str, Tensor] = self.model.compute_loss(shifted, raw, anchors, matched)
        return found

    def _matched(self, boxes: Tensor) -> Tensor:
        if not len(boxes):
            return torch.full((len(self.anchors),), -1, device=boxes.device)
        found: Tensor = self.model.proposal_matcher(box_iou(boxes, self.anchors))
        return found

    def candidates(self, raw: Raw) -> Candidates:
        scores = raw["cls_logits"].softmax(dim=2)[:, :, 1:]  # without the background
        return Candidates(self._decoded(raw["bbox_regression"]), scores)


class Fcos(_OneStage):
    """FCOS (Tian et al. 2019): each place tells the distances to the four edges, and how central it
    is.
    """

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__(shapes, facts, extra=1)
        sizes = tuple((float(one.stride),) for one in self.pyramid.shapes)
        anchors = AnchorGenerator(sizes, ((1.0,),) * len(sizes))
        self.model = FCOS(
            _NoBackbone(_CHANNELS),
            len(facts.names),
            anchor_generator=anchors,
            head=FCOSHead(_CHANNELS, 1, len(facts.names), num_convs=_CONVOLUTIONS),
        )
        # its distances end in a ReLU: an edge that starts below zero everywhere would never be learnt
        nn.init.constant_(self.model.head.regression_head.bbox_reg.bias, _FIRST_DISTANCE)
        self._fix_anchors(anchors)
        self._places = [one.size_hw[0] * one.size_hw[1] for one in self.pyramid.shapes]

    def _losses(
        self, raw: dict[str, Tensor], objects: list[Objects], anchors: list[Tensor]
    ) -> dict[str, Tensor]:
        found: dict[str, Tensor] = self.model.compute_loss(objects, raw, anchors, self._places)
        return found

    def _decoded(self, codes: Tensor) -> Tensor:
        found: Tensor = self.model.box_coder.decode(codes, self.anchors.expand(codes.shape))
        return found

    def candidates(self, raw: Raw) -> Candidates:
        scores = (raw["cls_logits"].sigmoid() * raw["bbox_ctrness"].sigmoid()).sqrt()
        return Candidates(self._decoded(raw["bbox_regression"]), scores)


def _group_norm(channels: int) -> nn.Module:
    return nn.GroupNorm(32, channels)


def _ssd_head(channels: list[int], anchors: list[int], classes: int) -> nn.Module:
    from torchvision.models.detection.ssd import SSDHead

    head: nn.Module = SSDHead(channels, anchors, classes)
    return head

"""First where, then what: R-CNN, Fast R-CNN and Faster R-CNN, with torchvision's matching and losses."""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import RoIHeads, fastrcnn_loss
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import roi_align

from striate.nn.networks.backbone import Backbone
from striate.nn.networks.maps import MapShape, Pyramid
from striate.nn.networks.registry import build_backbone
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.methods.one_stage import anchors_of
from striate.tasks.detect.network import Candidates, DetectHead, Objects, Raw, See, objects_of
from striate.tasks.detect.suppress import best_of

__all__ = ["CROP", "FastRcnn", "FasterRcnn", "Rcnn"]

CROP = 64
"""Height and width that R-CNN warps a proposal to, pixels."""
_AGAIN = 50
"""R-CNN cuts out so many of the best boxes of a picture at each later look, where they were moved to."""
_AT_ONCE = 1024
"""Cut-outs that the network sees in one step outside of training: gigabytes would be held otherwise."""
_CHANNELS, _WIDTH, _POOLED, _SAMPLES = 128, 256, 7, 2
_PROPOSALS = 200
_CANONICAL_SIDE, _CANONICAL_STRIDE = 224, 16
"""A proposal of this side is pooled from the map of this stride (Lin et al. 2017, equation 1)."""


class _RegionHead(DetectHead):
    """What all have in common: what is made of the vector of a region.

    Regions are taken from whatever `_look` makes of the pictures.
    """

    judges_regions: ClassVar[bool] = True

    def __init__(
        self, shapes: Sequence[MapShape], facts: DetectFacts, *, width: int, sampled: int
    ) -> None:
        super().__init__(shapes, facts)
        # torchvision's matching, sampling and box arithmetic; pooling and vectors are ours
        self.regions = RoIHeads(
            None,
            None,
            FastRCNNPredictor(width, len(facts.names) + 1),
            fg_iou_thresh=0.5,
            bg_iou_thresh=0.5,
            batch_size_per_image=sampled,
            positive_fraction=0.25,
            bbox_reg_weights=None,
            score_thresh=0.0,
            nms_thresh=facts.iou_threshold,
            detections_per_img=facts.max_detections,
        )

    @abstractmethod
    def _look(self, see: See, pictures: Tensor) -> Any:
        """What regions are taken from."""

    @abstractmethod
    def _vectors(self, seen: Any, rois: Tensor) -> Tensor:
        """A vector a region (R, D), for `rois` float32 (R, 5): number of the picture, xyxy."""

    def _taught(self, seen: Any, proposals: list[Tensor], objects: list[Objects]) -> dict[str, Tensor]:
        """Losses on regions sampled from `proposals`, one tensor (P, 4) a picture, and the truth."""
        shifted = [{"boxes": one["boxes"], "labels": one["labels"] + 1} for one in objects]
        chosen, _, labels, wanted = self.regions.select_training_samples(proposals, shifted)
        numbers = [one.new_full((len(one), 1), float(row)) for row, one in enumerate(chosen)]
        rois = torch.cat([torch.cat(numbers), torch.cat(chosen)], dim=1)
        logits, deltas = self.regions.box_predictor(self._vectors(seen, rois))
        by_class, by_box = fastrcnn_loss(logits.float(), deltas.float(), labels, wanted)
        return {"class": by_class, "box": by_box}

    def _told(self, seen: Any, proposals: Tensor) -> Raw:
        """`REGION_OUTPUTS` for proposals (B, P, 4); all-zero ones score 0.

        The sums of torchvision's own, without its lists of pictures, which an exported graph lacks.
        """
        batch, count = proposals.shape[:2]
        flat = proposals.flatten(0, 1)
        picture = torch.arange(batch, device=flat.device).repeat_interleave(count)
        rois = torch.cat([picture[:, None].to(flat), flat], dim=1)
        logits, deltas = self.regions.box_predictor(self._vectors(seen, rois))
        classes = len(self.facts.names)
        boxes = self.regions.box_coder.decode_single(deltas.float(), flat)
        boxes = self._within(boxes.view(batch, count, classes + 1, 4)[:, :, 1:])
        there = (proposals[..., 2:] > proposals[..., :2]).all(dim=2)
        scores = self.scores(logits.float()).view(batch, count, classes + 1)[:, :, 1:]
        return {
            "regions": proposals,
            "region_scores": scores * there[..., None],
            "region_boxes": boxes,
        }

    def scores(self, logits: Tensor) -> Tensor:
        """Scores (R, K + 1) of logits (R, K + 1), background first."""
        return logits.softmax(dim=1)

    def _within(self, boxes: Tensor) -> Tensor:
        height, width = self.facts.size_hw
        return torch.minimum(boxes.clamp_min(0), boxes.new_tensor([width, height, width, height]))

    def losses(self, raw: Raw, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What `forward` computed from the places it chose."""
        found: dict[str, Tensor] = raw["losses"]
        return found

    def candidates(self, raw: Raw) -> Candidates:
        """One candidate a proposal and class: each class has adjusted its own box."""
        scores = raw["region_scores"]
        apart = scores[..., None] * torch.eye(scores.shape[2], device=scores.device)  # (B, P, K, K)
        return Candidates(raw["region_boxes"].flatten(1, 2), apart.flatten(1, 2))


class _OutsideHead(_RegionHead):
    """Proposals come from outside, with the targets or as the graph's second input."""

    proposes_outside: ClassVar[bool] = True

    def forward(self, see: See, pictures: Tensor, targets: Mapping[str, Tensor] | None) -> Raw:
        assert targets is not None, "proposals come with the targets"
        seen = self._look(see, pictures)
        padded = targets["proposals"]
        if "labels" not in targets:
            return self._told(seen, padded)
        real = [one[(one[:, 2:] > one[:, :2]).all(dim=1)] for one in padded]
        return {"losses": self._taught(seen, real, objects_of(targets))}


class Rcnn(_OutsideHead):
    """R-CNN (Girshick et al. 2014): each proposal is cut out, warped to one size, and seen on its own.

    The adjusted boxes of the likeliest class are cut out and adjusted again, `facts.looks` − 1 times, so
    that a proposal beside its object moves to it in steps. Cutting out is one operation for all, and the
    network sees one batch. With `facts.classifier` "svm" the weights of the class scores are replaced
    when training ends (`solved`), and `fitted` says so in the graph.
    """

    strides: ClassVar[tuple[int, ...]] = ()
    fitted: Tensor

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__(shapes, facts, width=shapes[0].channels, sampled=32)
        self.judged_apart = facts.classifier == "svm"
        if self.judged_apart:
            self.register_buffer("fitted", torch.zeros(()))

    @classmethod
    def backbone(cls, facts: DetectFacts) -> Backbone:
        return build_backbone(facts.model, channels=3, size_hw=(CROP, CROP))

    def _look(self, see: See, pictures: Tensor) -> tuple[See, Tensor]:
        return see, pictures.float()

    def _vectors(self, seen: tuple[See, Tensor], rois: Tensor) -> Tensor:
        see, pictures = seen
        # one batch for its statistics, one step in a graph; otherwise a part at a time
        if self.training or torch.onnx.is_in_onnx_export():
            vectors: Tensor = see(roi_align(pictures, rois, CROP, 1.0, _SAMPLES))
            return vectors
        parts = torch.split(rois, _AT_ONCE)
        return torch.cat([see(roi_align(pictures, one, CROP, 1.0, _SAMPLES)) for one in parts])

    def vectors_of(self, see: See, pictures: Tensor, rois: Tensor) -> Tensor:
        """The vectors (R, D) of `rois` float32 (R, 5), number of the picture and xyxy, in normalised
        `pictures` (B, C, H, W)."""
        return self._vectors(self._look(see, pictures), rois)

    def scores(self, logits: Tensor) -> Tensor:
        """By softmax until support vector machines have been fitted; their margins by a sigmoid."""
        scores = super().scores(logits)
        return torch.where(self.fitted > 0, logits.sigmoid(), scores) if self.judged_apart else scores

    def _told(self, seen: Any, proposals: Tensor) -> Raw:
        looks = [super()._told(seen, proposals)]
        for _ in range(1, self.facts.looks):
            looks.append(super()._told(seen, _moved(looks[-1])))
        return {name: torch.cat([look[name] for look in looks], dim=1) for name in looks[0]}


def _moved(look: Raw) -> Tensor:
    """Where the `_AGAIN` likeliest regions were moved to by their likeliest class: (B, A, 4)."""
    scores, boxes = look["region_scores"], look["region_boxes"]
    best, label = scores.max(dim=2)  # (B, P)
    _, rows = best.topk(min(_AGAIN, best.shape[1]), dim=1)
    moved = boxes.gather(1, rows[..., None, None].expand(-1, -1, *boxes.shape[2:]))
    own = label.gather(1, rows)[..., None, None].expand(-1, -1, 1, 4)
    found: Tensor = moved.gather(2, own)[:, :, 0]
    return found


class _OnMaps(_RegionHead):
    """The picture is seen once; regions are pooled from a pyramid of its maps."""

    coarser: ClassVar[int] = 0
    """Further maps of the pyramid, from which nothing is pooled."""

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__(shapes, facts, width=_WIDTH, sampled=128)
        self.pyramid = Pyramid(shapes, _CHANNELS, extra=self.coarser)
        self.dense = TwoMLPHead(_CHANNELS * _POOLED**2, _WIDTH)

    def _look(self, see: See, pictures: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.pyramid(see(pictures))
        return maps

    def _vectors(self, seen: list[Tensor], rois: Tensor) -> Tensor:
        """Each region from the map that suits its size."""
        sides = ((rois[:, 3] - rois[:, 1]) * (rois[:, 4] - rois[:, 2])).clamp_min(0).sqrt()
        step = torch.floor(torch.log2(sides / _CANONICAL_SIDE + 1e-6) + 1e-6)
        finest, coarsest = self.shapes[0].stride, self.shapes[-1].stride
        strides = (_CANONICAL_STRIDE * 2.0**step).clamp(finest, coarsest)
        pooled = rois.new_zeros(())
        for shape, level in zip(self.shapes, seen, strict=False):
            here = roi_align(level.float(), rois, _POOLED, 1.0 / shape.stride, _SAMPLES)
            pooled = pooled + here * (strides == shape.stride).to(here)[:, None, None, None]
        vectors: Tensor = self.dense(pooled)
        return vectors


class FastRcnn(_OutsideHead, _OnMaps):
    """Fast R-CNN (Girshick 2015): proposals come from outside; the network sees the picture once."""


class FasterRcnn(_OnMaps):
    """Faster R-CNN (Ren et al. 2015): a small network on the maps proposes."""

    coarser: ClassVar[int] = 1
    anchors: Tensor

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__(shapes, facts)
        levels = self.pyramid.shapes
        sizes = tuple((one.stride * 4.0,) for one in levels)
        anchors = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))
        fixed = anchors_of(anchors, levels, facts.size_hw)
        self.register_buffer("anchors", fixed, persistent=False)
        self.proposer = RegionProposalNetwork(
            anchors,
            _FloatRpnHead(_CHANNELS, 3),
            fg_iou_thresh=0.7,
            bg_iou_thresh=0.3,
            batch_size_per_image=256,
            positive_fraction=0.5,
            pre_nms_top_n={"training": 500, "testing": 500},
            post_nms_top_n={"training": 500, "testing": _PROPOSALS},
            nms_thresh=0.7,
        )

    def forward(self, see: See, pictures: Tensor, targets: Mapping[str, Tensor] | None) -> Raw:
        seen = self._look(see, pictures)
        if targets is None:
            return self._told(seen, self._proposed(seen))
        objects = objects_of(targets)
        images = ImageList(pictures, [self.facts.size_hw] * len(objects))
        levels = OrderedDict((str(row), one) for row, one in enumerate(seen))
        proposals, losses = self.proposer(images, levels, objects)
        return {"losses": losses | self._taught(seen, proposals, objects)}

    def _proposed(self, levels: list[Tensor]) -> Tensor:
        """The likeliest places, (B, P, 4); rows that are left over are zero."""
        objectness, deltas = self.proposer.head(levels)
        scores = torch.cat([_flat(one, 1) for one in objectness], dim=1).sigmoid()  # (B, N, 1)
        codes = torch.cat([_flat(one, 4) for one in deltas], dim=1)  # (B, N, 4)
        anchors = self.anchors.expand(codes.shape[0], -1, -1)
        decode = self.proposer.box_coder.decode_single
        boxes = self._within(decode(codes.flatten(0, 1), anchors.flatten(0, 1)).view(codes.shape))
        found, _, _ = best_of(boxes, scores, most=_PROPOSALS, iou_threshold=0.7, score_threshold=0.0)
        return found


class _FloatRpnHead(RPNHead):  # type: ignore[misc]  # torchvision leaves it untyped
    """Its answers are float32 whatever the arithmetic: boxes need the digits."""

    def forward(self, x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        objectness, deltas = super().forward(x)
        return [one.float() for one in objectness], [one.float() for one in deltas]


def _flat(maps: Tensor, columns: int) -> Tensor:
    """(B, A·columns, h, w) as (B, h·w·A, columns), the order of torchvision's anchors."""
    batch, _, height, width = maps.shape
    apart = maps.view(batch, -1, columns, height, width).permute(0, 3, 4, 1, 2)
    return apart.reshape(batch, -1, columns)

"""FCOS for turned boxes: distances to the edges in the box's own frame, and the angle of that frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection.fcos import FCOSClassificationHead, FCOSRegressionHead
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

from striate.nn.networks.maps import MapShape, Pyramid
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.network import Candidates, DetectHead, Raw, See

__all__ = ["TurnedFcos"]

_CHANNELS, _CONVOLUTIONS = 128, 2
_CENTRAL = 1.5
"""Places within so many strides of an object's middle answer for it (Tian et al. 2019, center
sampling).
"""
_ANGLE_WEIGHT = 0.5


class TurnedFcos(DetectHead):
    """A place tells, besides FCOS's answers, (sin 2θ, cos 2θ): a rectangle looks the same after half a
    turn.
    """

    places: Tensor
    steps: Tensor
    ranges: Tensor

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__(shapes, facts)
        self.pyramid = Pyramid(shapes, _CHANNELS, extra=1)
        self.classes = FCOSClassificationHead(_CHANNELS, 1, len(facts.names), _CONVOLUTIONS)
        self.edges = FCOSRegressionHead(_CHANNELS, 1, _CONVOLUTIONS)
        self.turn = nn.Conv2d(_CHANNELS, 2, 3, padding=1)
        nn.init.normal_(self.turn.weight, std=0.01)
        # behind a ReLU: an edge that starts below zero everywhere would never be learnt
        nn.init.constant_(self.edges.bbox_reg.bias, 1.0)
        levels = self.pyramid.shapes
        places = [_middles(one) for one in levels]
        self.register_buffer("places", torch.cat(places), persistent=False)
        sizes = [
            torch.full((len(at),), float(one.stride)) for at, one in zip(places, levels, strict=True)
        ]
        self.register_buffer("steps", torch.cat(sizes), persistent=False)
        # each map answers for objects of its own range of sizes
        ends = [
            (0.0 if not row else 4.0 * one.stride, 8.0 * one.stride) for row, one in enumerate(levels)
        ]
        ends[-1] = (ends[-1][0], float("inf"))
        spans = [torch.tensor(end).expand(len(at), 2) for at, end in zip(places, ends, strict=True)]
        self.register_buffer("ranges", torch.cat(spans), persistent=False)

    def forward(self, see: See, pictures: Tensor, targets: Mapping[str, Tensor] | None) -> Raw:
        levels = self.pyramid(see(pictures))
        turns = [self.turn(self.edges.conv(one)).flatten(2).transpose(1, 2) for one in levels]
        edges, central = self.edges(levels)
        return {
            "classes": self.classes(levels).float(),
            "edges": edges.float() * self.steps[:, None],
            "central": central.float()[..., 0],
            "turn": torch.cat(turns, dim=1).float(),
        }

    def losses(self, raw: Raw, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Focal loss of classes; generalised IoU of edges, entropy of centrality, L1 of the angle."""
        matched, edges = self._matched(targets)  # (B, N) rows of objects or −1, (B, N, M, 4)
        there = matched >= 0
        count = there.sum().clamp_min(1)
        labels = targets["labels"].gather(1, matched.clamp_min(0))
        wanted = torch.zeros_like(raw["classes"])
        wanted[there] = F.one_hot(labels[there], wanted.shape[2]).to(wanted)
        by_class = sigmoid_focal_loss(raw["classes"], wanted, reduction="sum") / count
        if not bool(there.any()):
            nothing = sum(value.sum() for value in raw.values()) * 0.0
            return {"class": by_class, "edges": nothing}
        own = edges.gather(2, matched.clamp_min(0)[..., None, None].expand(-1, -1, 1, 4))[:, :, 0][there]
        found = raw["edges"][there]
        angles = torch.deg2rad(targets["angles"].gather(1, matched.clamp_min(0))[there]) * 2
        turned = torch.stack([angles.sin(), angles.cos()], dim=1)
        centrality = _centrality(own)
        return {
            "class": by_class,
            "edges": generalized_box_iou_loss(_round(found), _round(own), reduction="sum") / count,
            "central": F.binary_cross_entropy_with_logits(
                raw["central"][there], centrality, reduction="sum"
            )
            / count,
            "turn": _ANGLE_WEIGHT * F.l1_loss(raw["turn"][there], turned, reduction="sum") / count,
        }

    def _matched(self, targets: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """For each place the object that it answers for, the smallest, −1 for none; and all
        distances.
        """
        boxes, labels = targets["boxes"], targets["labels"]
        middle, size = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
        radians = torch.deg2rad(targets["angles"])
        away = self.places[None, :, None, :] - middle[:, None, :, :]  # (B, N, M, 2)
        x, y = _turned(away[..., 0], away[..., 1], -radians[:, None, :])
        half = size[:, None] / 2
        edges = torch.stack(
            [x + half[..., 0], y + half[..., 1], half[..., 0] - x, half[..., 1] - y], dim=-1
        )
        inside = edges.amin(dim=-1) > 0
        near = torch.maximum(x.abs(), y.abs()) < _CENTRAL * self.steps[None, :, None]
        reach = edges.amax(dim=-1)
        fits = (reach >= self.ranges[None, :, None, 0]) & (reach < self.ranges[None, :, None, 1])
        area = (size[..., 0] * size[..., 1])[:, None].expand_as(reach)
        good = inside & near & fits & (labels >= 0)[:, None]
        smallest, rows = area.masked_fill(~good, float("inf")).min(dim=2)
        return torch.where(smallest < float("inf"), rows, -1), edges

    def candidates(self, raw: Raw) -> Candidates:
        """Boxes (B, N, 5): the box before it is turned, xyxy, and its angle in degrees, [−90, 90)."""
        left, top, right, bottom = raw["edges"].unbind(dim=2)
        radians = torch.atan2(raw["turn"][..., 0], raw["turn"][..., 1]) / 2
        x, y = _turned((right - left) / 2, (bottom - top) / 2, radians)
        middle = self.places + torch.stack([x, y], dim=2)
        half = torch.stack([left + right, top + bottom], dim=2) / 2
        degrees = radians * (180.0 / torch.pi)
        scores = (raw["classes"].sigmoid() * raw["central"].sigmoid()[..., None]).sqrt()
        boxes = torch.cat([middle - half, middle + half, degrees[..., None]], dim=2)
        return Candidates(boxes, scores)


def _turned(x: Tensor, y: Tensor, radians: Tensor) -> tuple[Tensor, Tensor]:
    """(x, y) turned clockwise as seen."""
    cos, sin = radians.cos(), radians.sin()
    return x * cos - y * sin, x * sin + y * cos


def _round(edges: Tensor) -> Tensor:
    """Distances (R, 4) as boxes about a place at the origin."""
    return torch.cat([-edges[:, :2], edges[:, 2:]], dim=1)


def _centrality(edges: Tensor) -> Tensor:
    """1 in the middle of a box, 0 at its edges (Tian et al. 2019, equation 3)."""
    pairs = torch.stack([edges[:, 0::2], edges[:, 1::2]], dim=1)  # (R, 2, 2)
    ratios = pairs.amin(dim=2) / pairs.amax(dim=2).clamp_min(1e-6)
    return ratios.prod(dim=1).clamp_min(0).sqrt()


def _middles(shape: MapShape) -> Tensor:
    """The middles of a map's places in input pixels, row by row, (N, 2)."""
    rows, columns = shape.size_hw
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return (torch.stack([x, y], dim=2).view(-1, 2).float() + 0.5) * shape.stride

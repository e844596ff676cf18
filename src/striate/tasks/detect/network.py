"""A detector: a backbone whose maps a method's head reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from torch import Tensor, nn

from striate.nn.network import PictureNetwork
from striate.nn.networks.backbone import Backbone
from striate.nn.networks.maps import MapShape, MapsOf
from striate.nn.networks.registry import build_backbone
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.suppress import best_of

__all__ = [
    "OUTPUTS",
    "REGION_OUTPUTS",
    "Candidates",
    "DetectGraph",
    "DetectHead",
    "Detector",
    "Objects",
    "Raw",
    "See",
    "build_detector",
    "objects_of",
]

Raw = Mapping[str, Any]
See = Callable[[Tensor], Any]
OUTPUTS = ("boxes", "scores", "labels")
REGION_OUTPUTS = ("regions", "region_scores", "region_boxes")
"""What region methods tell of how they came to their answer: regions float32 (B, P, 4), xyxy in input
pixels, all zero where there are fewer; the score of each for each class (B, P, K); where each class
moved it (B, P, K, 4). R-CNN's last regions are those that were cut out a second time."""
Objects = dict[str, Tensor]
"""Objects of one picture, as torchvision names them: `boxes` float32 (M, 4), xyxy in input pixels,
`labels` int64 (M,), from 0."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a head proposes: `boxes` float32 (B, N, 4), xyxy in input pixels, `scores` (B, N, K), 0..1.

    A fifth column is the angle of a turned box, degrees.
    """

    boxes: Tensor
    scores: Tensor


def objects_of(targets: Mapping[str, Tensor]) -> list[Objects]:
    """Padded targets, label −1 where there is no object, as one mapping a picture."""
    return [
        {"boxes": boxes[labels >= 0], "labels": labels[labels >= 0]}
        for boxes, labels in zip(targets["boxes"], targets["labels"], strict=True)
    ]


class DetectHead(nn.Module, ABC):
    """A method: what it makes of what the backbone sees.

    `strides`: the maps that it wants to see of whole pictures; without any, it shows the backbone
    cut-outs and gets features (B, D). `proposes_outside`: its graph has a second input, proposals.
    `judges_regions`: its raw answers hold `REGION_OUTPUTS`.
    """

    strides: ClassVar[tuple[int, ...]] = (8, 16, 32)
    proposes_outside: ClassVar[bool] = False
    judges_regions: ClassVar[bool] = False

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__()
        self.shapes, self.facts = tuple(shapes), facts

    @classmethod
    def backbone(cls, facts: DetectFacts) -> Backbone:
        """The network that sees, with random weights from torch's generator."""
        return build_backbone(facts.model, channels=3, size_hw=facts.size_hw)

    @abstractmethod
    def forward(self, see: See, pictures: Tensor, targets: Mapping[str, Tensor] | None) -> Raw:
        """Raw answers, float32, for `pictures` (B, C, H, W), normalised.

        `see`: the backbone: pictures in, maps (B, C, h, w) out, finest first; or cut-outs in, features
        (B, D) out. `targets`: padded truths while training, and proposals where they come from outside.
        """

    def remarks(self) -> list[str]:
        """What is worth telling before training, such as the cost of the method."""
        return []

    @abstractmethod
    def losses(self, raw: Raw, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Named losses; their sum is minimised."""

    @abstractmethod
    def candidates(self, raw: Raw) -> Candidates:
        """Boxes and scores before suppression."""


@final
class Detector(PictureNetwork):
    """Pictures (B, 3, H, W), 0 … 255 → what the head makes of the backbone's maps."""

    head: DetectHead
    maps: MapsOf | None = None

    def attach(self, maps: MapsOf) -> None:
        """Read these maps; not a module, since the backbone holds the parameters."""
        self.maps = maps

    def forward(self, pictures: Tensor, targets: Mapping[str, Tensor] | None = None) -> Raw:
        """The head's raw answers."""
        see = self.backbone if self.maps is None else self.maps
        found: Raw = self.head(see, self.normalise(pictures), targets)
        return found


class DetectGraph(nn.Module):
    """uint8 (B, H, W, 3) → boxes (B, M, 4 or 5), scores (B, M), labels (B, M).

    Best first, overlaps settled. Where proposals come from outside, they are a second input, float32
    (B, P, 4), xyxy in input pixels. Methods that judge regions tell them too: see `REGION_OUTPUTS`.
    """

    def __init__(self, detector: Detector, facts: DetectFacts) -> None:
        super().__init__()
        self.detector, self.facts = detector, facts

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of what `forward` returns."""
        more = REGION_OUTPUTS if self.detector.head.judges_regions else ()
        return (*OUTPUTS, *more)

    def forward(self, pictures: Tensor, proposals: Tensor | None = None) -> tuple[Tensor, ...]:
        found = self.answer(pictures.permute(0, 3, 1, 2).float(), proposals)
        return tuple(found[name] for name in self.output_names)

    def answer(self, pixels: Tensor, proposals: Tensor | None) -> dict[str, Tensor]:
        """The same for float (B, 3, H, W), 0..255, by name."""
        given = None if proposals is None else {"proposals": proposals}
        raw = self.detector(pixels, given)
        found, facts = self.detector.head.candidates(raw), self.facts
        # lowered scores need what a hard rule would have dropped
        iou_threshold = 0.95 if facts.nms == "soft" else facts.iou_threshold
        if facts.oriented:  # how turned boxes overlap is computed in `decode`
            iou_threshold = 1.0
        answers = best_of(
            found.boxes.float(),
            found.scores.float(),
            most=facts.max_detections * (3 if facts.oriented else 1),
            iou_threshold=iou_threshold,
            score_threshold=facts.score_threshold,
            agnostic=facts.nms == "agnostic",
        )
        regions = {name: raw[name] for name in self.output_names if name in REGION_OUTPUTS}
        return dict(zip(OUTPUTS, answers, strict=True)) | regions


def build_detector(facts: DetectFacts, head: type[DetectHead]) -> Detector:
    """A detector with random weights from torch's generator, for pictures of `facts.size_hw`."""
    backbone, name, size_hw = head.backbone(facts), facts.model, facts.size_hw
    maps = (
        MapsOf(backbone, name=name, channels=3, size_hw=size_hw, strides=head.strides)
        if head.strides
        else None
    )
    shapes = maps.shapes if maps else (MapShape(backbone.features_dim, (1, 1), max(size_hw)),)
    detector = Detector(backbone, head(shapes, facts), name=name, channels=3, size_hw=size_hw)
    if maps is not None:
        detector.attach(maps)
    return detector

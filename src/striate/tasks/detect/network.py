"""A detector: a backbone whose maps a method's head reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from torch import Tensor, nn

from striate.nn.network import PictureNetwork
from striate.nn.networks.maps import MapShape, MapsOf
from striate.nn.networks.registry import build_backbone, check_name
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.suppress import best_of

__all__ = [
    "Candidates",
    "DetectGraph",
    "DetectHead",
    "Detector",
    "Objects",
    "build_detector",
    "objects_of",
]

Raw = Mapping[str, Any]
Objects = dict[str, Tensor]
"""Objects of one picture, as torchvision names them: `boxes` float32 (M, 4), xyxy in input pixels,
`labels` int64 (M,), from 0."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a head proposes: `boxes` float32 (B, N, 4), xyxy in input pixels, `scores` (B, N, K), 0..1."""

    boxes: Tensor
    scores: Tensor


def objects_of(targets: Mapping[str, Tensor]) -> list[Objects]:
    """Padded targets, label −1 where there is no object, as one mapping a picture."""
    return [
        {"boxes": boxes[labels >= 0], "labels": labels[labels >= 0]}
        for boxes, labels in zip(targets["boxes"], targets["labels"], strict=True)
    ]


class DetectHead(nn.Module, ABC):
    """A method: what it makes of the maps of a backbone. `strides`: which maps it wants."""

    strides: ClassVar[tuple[int, ...]] = (8, 16, 32)

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__()
        self.shapes, self.facts = tuple(shapes), facts

    @abstractmethod
    def forward(
        self, maps: Sequence[Tensor], pictures: Tensor, targets: Mapping[str, Tensor] | None
    ) -> Raw:
        """Raw answers, float32, for maps (B, C, h, w) of `pictures` (B, C, H, W), normalised.

        `targets`: padded truths while training, for methods that learn from chosen places.
        """

    @abstractmethod
    def losses(self, raw: Raw, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Named losses; their sum is minimised."""

    @abstractmethod
    def candidates(self, raw: Raw) -> Candidates:
        """Boxes and scores before suppression."""


@final
class Detector(PictureNetwork):
    """Pictures (B, 3, H, W), 0 … 255 → what the head makes of the backbone's maps."""

    maps: MapsOf
    head: DetectHead

    def attach(self, maps: MapsOf) -> None:
        """Read these maps; not a module, since the backbone holds the parameters."""
        self.maps = maps

    def forward(self, pictures: Tensor, targets: Mapping[str, Tensor] | None = None) -> Raw:
        """The head's raw answers."""
        normal = self.normalise(pictures)
        found: Raw = self.head(self.maps(normal), normal, targets)
        return found


class DetectGraph(nn.Module):
    """uint8 (B, H, W, 3) → boxes (B, M, 4), scores (B, M), labels (B, M): overlaps settled, best first."""

    def __init__(self, detector: Detector, facts: DetectFacts) -> None:
        super().__init__()
        self.detector, self.facts = detector, facts

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.answer(pictures.permute(0, 3, 1, 2).float())

    def answer(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same for float (B, 3, H, W), 0..255."""
        found = self.detector.head.candidates(self.detector(pixels))
        facts = self.facts
        # lowered scores need what a hard rule would have dropped
        iou_threshold = 0.95 if facts.nms == "soft" else facts.iou_threshold
        return best_of(
            found.boxes.float(),
            found.scores.float(),
            most=facts.max_detections,
            iou_threshold=iou_threshold,
            score_threshold=facts.score_threshold,
            agnostic=facts.nms == "agnostic",
        )


def build_detector(facts: DetectFacts, head: type[DetectHead]) -> Detector:
    """A detector with random weights from torch's generator, for pictures of `facts.size_hw`."""
    backbone = build_backbone(facts.model, channels=3, size_hw=facts.size_hw)
    name = check_name(facts.model)
    maps = MapsOf(backbone, name=name, channels=3, size_hw=facts.size_hw, strides=head.strides)
    detector = Detector(
        backbone, head(maps.shapes, facts), name=name, channels=3, size_hw=facts.size_hw
    )
    detector.attach(maps)
    return detector

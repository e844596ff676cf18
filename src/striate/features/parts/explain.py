"""Why a part model said yes: what each part gave to the score, in words and numbers."""

from __future__ import annotations

from dataclasses import dataclass

from striate.features.parts.model import Detections, PartsModel
from striate.types import Array

__all__ = ["PartEvidence", "PartsExplanation", "explain_parts"]


@dataclass(frozen=True, slots=True)
class PartEvidence:
    """One part of one detection.

    `contribution`: its score here less its mean score on windows without the object: what it says for
    (or against) the object. `price`: what its move from its ideal place took from that.
    """

    name: str
    box_xyxy: tuple[float, float, float, float]
    contribution: float
    price: float


@dataclass(frozen=True, slots=True)
class PartsExplanation:
    """The score of a detection, taken apart: base + whole + the parts' contributions = score.

    `base`: the mean score of the hardest windows without the object. `whole`: what the root filter,
    which sees the object coarsely, adds to it.
    """

    label: str
    score: float
    base: float
    whole: float
    box_xyxy: tuple[float, float, float, float]
    parts: tuple[PartEvidence, ...]

    @property
    def strongest(self) -> PartEvidence | None:
        """The part that contributed most; None where there is none that speaks for the object."""
        found = max(self.parts, key=lambda part: part.contribution, default=None)
        return found if found is not None and found.contribution > 0 else None

    @property
    def sentence(self) -> str:
        """ "car 1.83: mostly wheel (lower left), +0.61"."""
        head = f"{self.label} {self.score:.2f}"
        most = self.strongest
        if most is None or self.whole > most.contribution:
            rest = f"; then {most.name}, {most.contribution:+.2f}" if most else ""
            return f"{head}: mostly the whole, {self.whole:+.2f}{rest}"
        return f"{head}: mostly {most.name}, {most.contribution:+.2f}"

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        most = self.strongest
        return {
            "label": self.label,
            "score": round(self.score, 4),
            "box_xyxy": _rounded(self.box_xyxy),
            "base": round(self.base, 4),
            "whole": round(self.whole, 4),
            "strongest": None if most is None else most.name,
            "sentence": self.sentence,
            "parts": [
                {
                    "name": part.name,
                    "box_xyxy": _rounded(part.box_xyxy),
                    "contribution": round(part.contribution, 4),
                    "price": round(part.price, 4),
                }
                for part in self.parts
            ],
        }


def explain_parts(model: PartsModel, detections: Detections, index: int = 0) -> PartsExplanation:
    """Detection number `index` of what `model` found. An `IndexError` where there is none."""
    which = int(detections.components[index])
    component = model.components[which]
    gained = detections.part_scores[index] - component.usual_parts
    parts = tuple(
        PartEvidence(name, _corners(box), float(gain), float(price))
        for name, box, gain, price in zip(
            model.part_names[which],
            detections.part_boxes_xyxy[index],
            gained,
            detections.part_prices[index],
            strict=True,
        )
    )
    return PartsExplanation(
        detections.label,
        float(detections.scores[index]),
        component.bias + component.usual_root + float(component.usual_parts.sum()),
        float(detections.root_scores[index]) - component.usual_root,
        _corners(detections.boxes_xyxy[index]),
        parts,
    )


def _corners(box: Array) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(value) for value in box)
    return x0, y0, x1, y1


def _rounded(box: tuple[float, float, float, float]) -> list[float]:
    return [round(value, 2) for value in box]

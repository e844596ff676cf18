"""What the test found: means, curves, tables, as data for people and machines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from striate.features.repeatability.changes import CHANGES
from striate.features.repeatability.scores import PairScore
from striate.features.repeatability.settings import TrialSettings
from striate.types import Picture

__all__ = ["Case", "FeatureTest", "Measure", "Summary"]

Measure: TypeAlias = Literal[
    "repeatability",
    "chance",
    "above_chance",
    "same_place",
    "matching",
    "precision",
    "distinctness",
]


Case: TypeAlias = tuple[str, str, float]
"""A detector, a change and its level."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One detector over the whole test: each change counts alike, and each strength within it.

    Shares from 0 to 1, NaN where nothing could be measured. `key_points`: mean count of the unchanged
    picture's points in the shared part. `milliseconds`: to find them in one picture, on this machine.
    """

    kind: str
    repeatability: float
    chance: float
    above_chance: float
    same_place: float
    matching: float
    precision: float
    distinctness: float
    key_points: float
    milliseconds: float


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTest:
    """The whole test.

    `pictures`: how many. `scores`: of each case, one a picture. `milliseconds`: to find the key points
    of one unchanged picture, a kind. `shown`: (change, level, picture) of the first picture.
    """

    kinds: tuple[str, ...]
    changes: tuple[str, ...]
    pictures: int
    settings: TrialSettings
    scores: Mapping[Case, tuple[PairScore, ...]]
    milliseconds: Mapping[str, float]
    shown: tuple[tuple[str, float, Picture], ...]

    def values(self, kind: str, change: str, level: float, measure: Measure) -> list[float]:
        """One number for each picture, NaN among them."""
        return [float(getattr(one, measure)) for one in self.scores[kind, change, level]]

    def curve(self, kind: str, change: str, measure: Measure) -> list[float]:
        """The mean over pictures at each level of the change."""
        return [mean(self.values(kind, change, level, measure)) for level in CHANGES[change].levels]

    def over_change(self, kind: str, change: str, measure: Measure) -> float:
        """The mean over levels."""
        return mean(self.curve(kind, change, measure))

    def overall(self, kind: str, measure: Measure) -> float:
        """The mean over changes."""
        return mean([self.over_change(kind, change, measure) for change in self.changes])

    def summaries(self) -> list[Summary]:
        """All detectors, the most repeatable above chance first."""
        found = [self._summary(kind) for kind in self.kinds]
        return sorted(found, key=lambda one: -_or_less(one.above_chance))

    def _summary(self, kind: str) -> Summary:
        counts = [
            float(one.count_a) for case in self.scores for one in self.scores[case] if case[0] == kind
        ]
        return Summary(
            kind,
            self.overall(kind, "repeatability"),
            self.overall(kind, "chance"),
            self.overall(kind, "above_chance"),
            self.overall(kind, "same_place"),
            self.overall(kind, "matching"),
            self.overall(kind, "precision"),
            self.overall(kind, "distinctness"),
            mean(counts),
            self.milliseconds[kind],
        )

    def best(self, measure: Measure) -> tuple[str, float] | None:
        """The detector that leads in a measure and its mean; None where nothing could be measured."""
        found = [(kind, self.overall(kind, measure)) for kind in self.kinds]
        known = [one for one in found if not math.isnan(one[1])]
        return max(known, key=lambda one: one[1]) if known else None

    def to_dict(self) -> dict[str, Any]:
        """For `--json` and `report.json`: settings, a summary a detector, and every single score."""
        return {
            "pictures": self.pictures,
            "settings": self.settings.model_dump(mode="json"),
            "detectors": [_plain(one) for one in self.summaries()],
            "changes": {
                change: {
                    "levels": list(CHANGES[change].levels),
                    "label": CHANGES[change].label,
                    "repeatability": {
                        kind: _rounded(self.curve(kind, change, "repeatability")) for kind in self.kinds
                    },
                }
                for change in self.changes
            },
            "scores": [
                _score(number, case, one)
                for case, every in self.scores.items()
                for number, one in enumerate(every)
            ],
        }


def mean(values: Sequence[float]) -> float:
    """The mean of the numbers that are known; NaN where none is."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _or_less(value: float) -> float:
    return -1.0 if math.isnan(value) else value


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _rounded(values: Sequence[float]) -> list[float | None]:
    return [_number(value) for value in values]


def _plain(one: Summary) -> dict[str, Any]:
    return {
        "detector": one.kind,
        "repeatability": _number(one.repeatability),
        "chance": _number(one.chance),
        "above_chance": _number(one.above_chance),
        "same_place": _number(one.same_place),
        "matching": _number(one.matching),
        "precision": _number(one.precision),
        "distinctness": _number(one.distinctness),
        "key_points": _number(one.key_points),
        "milliseconds": round(one.milliseconds, 2),
    }


def _score(number: int, case: Case, score: PairScore) -> dict[str, Any]:
    kind, change, level = case
    return {
        "picture": number,
        "detector": kind,
        "change": change,
        "level": level,
        "count_a": score.count_a,
        "count_b": score.count_b,
        "correspondences": score.correspondences,
        "repeatability": _number(score.repeatability),
        "chance": _number(score.chance),
        "above_chance": _number(score.above_chance),
        "same_place": _number(score.same_place),
        "matching": _number(score.matching),
        "precision": _number(score.precision),
        "distinctness": _number(score.distinctness),
    }

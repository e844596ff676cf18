"""The rungs that are compared when a user names none: from pixels to a network, each step one idea."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from striate.errors import UsageError
from striate.types import SizeHW

__all__ = ["LADDERS", "Rung", "model_rungs", "size_rungs"]


@dataclass(frozen=True, slots=True)
class Rung:
    """One training: what it is called, the settings that make it differ, and what is to be seen."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    idea: str = ""

    @property
    def folder(self) -> str:
        """The name as a folder's."""
        return re.sub(r"[^a-z0-9+.-]+", "-", self.name.lower()).strip("-")


LADDERS: Mapping[str, Sequence[Rung]] = {
    "classify": (
        Rung("pixels+logistic", {"model": "pixels+logistic"}, "every pixel a number, one weight each"),
        Rung(
            "pixels+logistic, grey",
            {"model": "pixels+logistic", "grey": True},
            "the first simplification: no colour",
        ),
        Rung(
            "pixels+logistic, small",
            {"model": "pixels+logistic", "size": "16"},
            "the second simplification: 16 px a side",
        ),
        Rung("colour+forest", {"model": "colour+forest"}, "the third: features, here colours alone"),
        Rung("lbp+svm", {"model": "lbp+svm"}, "texture alone"),
        Rung("hog+svm", {"model": "hog+svm"}, "directions of edges: shape"),
        Rung("sift-words+svm", {"model": "sift-words+svm"}, "a bag of learnt patches"),
        Rung("sift-words+forest", {"model": "sift-words+forest"}, "the same, read by trees"),
        Rung("pixels-mlp", {"model": "pixels-mlp"}, "a dense network on pixels: space is lost"),
        Rung("deck-cnn", {"model": "deck-cnn"}, "two convolutions, two poolings, two dense layers"),
        Rung("small-cnn", {"model": "small-cnn"}, "a small network of today"),
    ),
    "regress": (
        Rung("pixels+ridge", {"model": "pixels+ridge"}, "every pixel a number, one weight each"),
        Rung(
            "pixels+ridge, grey",
            {"model": "pixels+ridge", "grey": True},
            "the first simplification: no colour",
        ),
        Rung(
            "pixels+ridge, small",
            {"model": "pixels+ridge", "size": "16"},
            "the second simplification: 16 px a side",
        ),
        Rung("colour+forest", {"model": "colour+forest"}, "the third: features, here colours alone"),
        Rung("hog+ridge", {"model": "hog+ridge"}, "directions of edges: shape"),
        Rung("hog+boosting", {"model": "hog+boosting"}, "the same, read by trees"),
        Rung("sift-words+ridge", {"model": "sift-words+ridge"}, "a bag of learnt patches"),
        Rung("pixels-mlp", {"model": "pixels-mlp"}, "a dense network on pixels: space is lost"),
        Rung("small-cnn", {"model": "small-cnn"}, "a small network of today"),
    ),
}
_SIDES = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 224)


def model_rungs(task: str, models: Sequence[str]) -> Sequence[Rung]:
    """The ladder of `task`, or a rung for each of `models`."""
    if models:
        if len(set(models)) != len(models):
            raise UsageError("a model is named twice", expected="each once")
        return [Rung(model, {"model": model}) for model in models]
    if task not in LADDERS:
        raise UsageError(
            f"there is no ladder for {task}", remedy="name the models to compare, such as a,b,c"
        )
    return LADDERS[task]


def size_rungs(model: str, largest_hw: SizeHW) -> Sequence[Rung]:
    """The same model at growing sizes, up to `largest_hw`; sides in proportion."""
    longer = max(largest_hw)
    sides = [side for side in _SIDES if side < longer] + [longer]
    rungs = []
    for side in sides:
        height, width = (max(1, round(part * side / longer)) for part in largest_hw)
        rungs.append(Rung(f"{height}x{width}", {"model": model, "size": f"{height}x{width}"}))
    return rungs

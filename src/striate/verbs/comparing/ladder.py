"""The rungs that are compared when a user names none: from pixels to a network, each step one idea."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from striate.errors import UsageError
from striate.types import SizeHW

__all__ = ["CHOICES", "LADDERS", "Rung", "model_rungs", "size_rungs"]


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
    "detect": (
        Rung("single", {"method": "single"}, "one class and one box a picture"),
        Rung("fixed-slots", {"method": "fixed-slots"}, "many boxes regressed at once: does not scale"),
        Rung("sliding-window", {"method": "sliding-window"}, "a classifier at every place and size"),
        Rung("parts", {"method": "parts"}, "hand-made: a shape and its parts, 2010"),
        Rung("rcnn", {"method": "rcnn"}, "proposals, each seen by a network, 2014"),
        Rung("fast-rcnn", {"method": "fast-rcnn"}, "the picture is seen once, 2015"),
        Rung("faster-rcnn", {"method": "faster-rcnn"}, "the network proposes too, 2015"),
        Rung("ssd", {"method": "ssd"}, "no proposals: boxes of many shapes, 2016"),
        Rung("retinanet", {"method": "retinanet"}, "a loss for the many empty places, 2017"),
        Rung("fcos", {"method": "fcos"}, "no shapes given beforehand, 2019"),
    ),
}
CHOICES: Mapping[str, str] = {"detect": "method"}
"""The setting by which the models of a task differ, where it is not `model`."""
_SIDES = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 224)


def model_rungs(task: str, models: Sequence[str]) -> Sequence[Rung]:
    """The ladder of `task`, or a rung for each of `models` (of detectors: methods)."""
    if models:
        if len(set(models)) != len(models):
            raise UsageError("a model is named twice", expected="each once")
        return [Rung(model, {CHOICES.get(task, "model"): model}) for model in models]
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

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


def _model(name: str, idea: str) -> Rung:
    return Rung(name, {"model": name}, idea)


def _pixels(model: str) -> tuple[Rung, ...]:
    """The first steps: what pixels alone tell, and how little of them is needed."""
    grey, small = {"model": model, "grey": True}, {"model": model, "size": "16"}
    return (
        _model(model, "every pixel a number, one weight each"),
        Rung(f"{model}, grey", grey, "the first simplification: no colour"),
        Rung(f"{model}, small", small, "the second simplification: 16 px a side"),
        _model("colour+forest", "the third: features, here colours alone"),
    )


LADDERS: Mapping[str, Sequence[Rung]] = {
    "classify": (
        *_pixels("pixels+logistic"),
        _model("lbp+svm", "texture alone"),
        _model("hog+svm", "directions of edges: shape"),
        _model("sift-words+svm", "a bag of learnt patches"),
        _model("sift-words+forest", "the same, read by trees"),
        _model("pixels-mlp", "a dense network on pixels: space is lost"),
        _model("deck-cnn", "two convolutions, two poolings, two dense layers"),
        _model("small-cnn", "a small network of today"),
    ),
    "regress": (
        *_pixels("pixels+ridge"),
        _model("hog+ridge", "directions of edges: shape"),
        _model("hog+boosting", "the same, read by trees"),
        _model("sift-words+ridge", "a bag of learnt patches"),
        _model("pixels-mlp", "a dense network on pixels: space is lost"),
        _model("small-cnn", "a small network of today"),
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

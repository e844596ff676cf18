"""Selective search (Uijlings, van de Sande, Gevers & Smeulders, IJCV 2013).

The picture is cut into small regions, and like neighbours are merged until one is left; the box of every
region on the way is a proposal. Done over with several colour spaces, sizes of first regions and notions
of likeness, because no single one finds everything.

OpenCV has it too, and its boxes cannot be ranked again: it orders them by the C library's `rand()`, a
hidden state that no argument sets, and does not tell their places in the hierarchy. Only its
segmentation is used here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from striate.features.proposals.grouping import Hierarchy, Likeness, group
from striate.features.proposals.regions import Regions, Space, cut, in_space
from striate.features.proposals.types import Proposals
from striate.pictures import resize
from striate.randomness import uniforms
from striate.types import Array, Picture, SizeHW, check_picture

__all__ = ["STRATEGIES", "Strategies", "first_hierarchy", "selective_search"]


@dataclass(frozen=True, slots=True)
class Strategies:
    """Every colour space, with every threshold of the first cut, with every likeness.

    `longest`: larger pictures are scaled down to this side first.
    """

    spaces: Sequence[Space]
    thresholds: Sequence[float]
    likenesses: Sequence[Likeness]
    longest: int


ALL = Likeness(colour=True, texture=True, size=True, fill=True)
WITHOUT_COLOUR = Likeness(texture=True, size=True, fill=True)

STRATEGIES: dict[Literal["fast", "quality"], Strategies] = {
    "fast": Strategies(("hsv", "lab"), (50, 100), (ALL, WITHOUT_COLOUR), 500),
    "quality": Strategies(
        ("hsv", "lab", "rgi", "hue", "grey"),
        (50, 100, 150, 300),
        (ALL, WITHOUT_COLOUR, Likeness(fill=True), Likeness(size=True)),
        500,
    ),
}
"""As in table 8 of the paper: 8 and 80 strategies."""


def selective_search(
    picture: Picture,
    *,
    most: int,
    seed: int = 0,
    mode: Literal["fast", "quality"] = "fast",
) -> Proposals:
    """Boxes of all regions of all hierarchies of `picture`, uint8 (H, W, 3), each box once.

    Ranked as in the paper, section 4: the i-th region from the top of its hierarchy gets i times a
    random number, and the smallest come first. The number is drawn with `seed`, so that the same seed
    gives the same order everywhere.
    """
    size = check_picture(picture).shape[:2]
    strategies = STRATEGIES[mode]
    small = _working(picture, strategies.longest)
    boxes, keys = [], []
    for number, hierarchy in enumerate(_hierarchies(small, strategies)):
        count = len(hierarchy.boxes_xyxy)
        drawn = uniforms(seed, number, np.arange(count), stream="selective-search")[:, 0]
        boxes.append(hierarchy.boxes_xyxy)
        keys.append(drawn * np.arange(count, 0, -1))
    found, value = _best_of_equal(np.concatenate(boxes), np.concatenate(keys))
    order = np.argsort(value, kind="stable")[:most]
    scores = 1 / (1 + value[order])
    return Proposals(
        _to_original(found[order], small, (size[0], size[1])), scores.astype(np.float32), len(found)
    )


def first_hierarchy(picture: Picture) -> tuple[Picture, Regions, Hierarchy]:
    """The picture as it is looked at, its first regions and their hierarchy, of the first strategy."""
    strategies = STRATEGIES["fast"]
    small = _working(check_picture(picture), strategies.longest)
    regions = cut(in_space(small, strategies.spaces[0]), strategies.thresholds[0])
    return small, regions, group(regions, strategies.likenesses[0])


def _hierarchies(picture: Picture, strategies: Strategies) -> Iterator[Hierarchy]:
    for name in strategies.spaces:
        space = in_space(picture, name)
        for threshold in strategies.thresholds:
            regions = cut(space, threshold)
            for likeness in strategies.likenesses:
                yield group(regions, likeness)


def _working(picture: Picture, longest: int) -> Picture:
    height, width = picture.shape[:2]
    scale = min(1.0, longest / max(height, width))
    return resize(picture, (max(1, round(height * scale)), max(1, round(width * scale))))


def _best_of_equal(boxes: Array, keys: Array) -> tuple[Array, Array]:
    """Each box once, with the smallest of its keys."""
    order = np.argsort(keys, kind="stable")
    _, first = np.unique(boxes[order], axis=0, return_index=True)
    kept = order[np.sort(first)]
    return boxes[kept], keys[kept]


def _to_original(boxes: Array, small: Picture, size_hw: SizeHW) -> Array:
    scale_yx = size_hw[0] / small.shape[0], size_hw[1] / small.shape[1]
    found: Array = (boxes * np.array([*scale_yx[::-1]] * 2)).astype(np.float32)
    return found

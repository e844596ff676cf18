"""Words for parts: by their place in the object, or by what people marked there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from striate.features.parts.boxes import ious
from striate.features.parts.find import detect_parts
from striate.features.parts.model import Component, PartsModel
from striate.types import Array, Picture

__all__ = ["name_parts", "places_of"]

_ENOUGH = 0.4
"""Share of the objects on which a part must lie on the same thing to be called after it."""


def places_of(component: Component) -> tuple[str, ...]:
    """Names by place: "part 1 (upper left)"."""
    side = component.parts.shape[1] if len(component.parts) else 0
    middles = (component.anchors + side / 2) / (2.0 * np.array(component.size_cells))
    return tuple(
        f"part {number} ({_place(float(y), float(x))})" for number, (y, x) in enumerate(middles, start=1)
    )


def _place(y: float, x: float) -> str:
    """Thirds of the object, in words."""
    rows = "upper" if y < 0.4 else "lower" if y > 0.6 else ""
    columns = "left" if x < 0.36 else "right" if x > 0.64 else ""
    return " ".join(word for word in (rows, columns) if word) or "middle"


def name_parts(
    model: PartsModel,
    pictures: Sequence[Picture],
    marks: Sequence[Sequence[tuple[str, Array]]],
    boxes_xyxy: Sequence[Array],
) -> PartsModel:
    """`model` with parts named after what they lie on: "wheel (lower left)".

    `marks`: for each picture (name, box) of things that were marked there, such as wheels; `boxes_xyxy`:
    the objects. On each object that is found, a part votes for the mark that it covers best; one that
    agrees on 40 % of the objects is named so, the others keep their place as a name.
    """
    votes: list[list[Counter[str]]] = [[Counter() for _ in range(model.parts)] for _ in model.components]
    seen = [0] * len(model.components)
    for picture, marked, boxes in zip(pictures, marks, boxes_xyxy, strict=True):
        found = detect_parts(model, picture, least=-0.5)
        for row in _found_once(found.boxes_xyxy, boxes):
            index = int(found.components[row])
            seen[index] += 1
            for part, box in enumerate(found.part_boxes_xyxy[row]):
                name = _covered(box, marked)
                votes[index][part].update([name] if name else [])
    names = [
        tuple(_named(before, votes[index][part], seen[index]) for part, before in enumerate(own))
        for index, own in enumerate(model.part_names)
    ]
    return replace(model, part_names=tuple(names))


def _found_once(found: Array, boxes: Array) -> list[int]:
    """For each object the best detection that shares half with it: rows of `found`, the best first."""
    if not len(found):
        return []
    shared = ious(found, boxes) >= 0.5
    return sorted({int(column.argmax()) for column in shared.T if column.any()})


def _covered(box: Array, marked: Sequence[tuple[str, Array]]) -> str:
    """The mark that shares most with `box`: what of the mark lies in it, times what of it is mark."""
    best, word = 0.12, ""
    for name, mark in marked:
        low, high = np.maximum(box[:2], mark[:2]), np.minimum(box[2:], mark[2:])
        both = float(np.prod(np.maximum(high - low, 0.0)))
        areas = [float(np.prod(one[2:] - one[:2])) for one in (box, mark)]
        share = both / areas[1] * (both / areas[0]) ** 0.5 if min(areas) > 0 else 0.0
        if share > best:
            best, word = share, name
    return word


def _named(before: str, votes: Counter[str], seen: int) -> str:
    if not votes or not seen:
        return before
    name, count = max(sorted(votes.items()), key=lambda item: item[1])
    place = before.partition("(")[2].rstrip(")")
    return f"{name} ({place})" if count >= _ENOUGH * seen else before

"""What the clean answers rest on, roughly: which part of the picture, covered, costs them most.

Occlusion (Zeiler & Fergus 2014, section 4.2) on a coarse grid: it asks the graph only, so it works for
networks and hand-made models alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from striate.types import Array, PictureArray

__all__ = ["CELLS", "heat_from", "occluded"]

CELLS = 4
"""Cells along a side: 16 covered copies of each picture."""


def occluded(pixels: PictureArray) -> Iterator[PictureArray]:
    """`pixels` uint8 (B, h, w, 3) with one cell after another filled with the picture's mean colour."""
    height, width = pixels.shape[1:3]
    means = np.rint(pixels.mean(axis=(1, 2))).astype(np.uint8)[:, None, None]
    rows, columns = _edges(height), _edges(width)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            covered = pixels.copy()
            covered[:, top:bottom, left:right] = means
            yield covered


def heat_from(
    support: Callable[[Sequence[Any]], Array], clean: Sequence[Any], covered: Sequence[Sequence[Any]]
) -> Array:
    """Float32 (B, CELLS, CELLS), 0 … 1 a picture: what each covered cell costs the answer.

    `support` of results; `covered`: the results of each of the `occluded` copies. A picture whose answer
    no cell costs anything rests on its middle.
    """
    before = support(clean)
    costs = np.stack([before - support(results) for results in covered], axis=1)  # (B, cells)
    costs = np.maximum(costs, 0.0).astype(np.float32)
    most = costs.max(axis=1, keepdims=True)
    middle = np.zeros((CELLS, CELLS), np.float32)
    middle[CELLS // 4 : -(CELLS // 4), CELLS // 4 : -(CELLS // 4)] = 1.0
    found = np.where(most > 0, costs / np.where(most > 0, most, 1.0), middle.reshape(1, -1))
    return found.reshape(-1, CELLS, CELLS).astype(np.float32)


def _edges(side: int) -> list[int]:
    return [round(at * side / CELLS) for at in range(CELLS + 1)]

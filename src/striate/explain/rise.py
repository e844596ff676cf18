"""RISE: random masks over the picture; places that are open when the answer holds are what it rests on.

Petsiuk, Das & Saenko (2018), "RISE"; for objects D-RISE (Petsiuk et al. 2021), which is the same with
overlap × score for the probability.
"""

from __future__ import annotations

import numpy as np

from striate.explain.attribution import Asked
from striate.explain.occlusion import GREY
from striate.types import Array, PictureArray, SizeHW

__all__ = ["masks", "randomly_masked"]

_CELLS, _OPEN = 7, 0.5


def randomly_masked(asked: Asked, *, count: int = 1000, seed: int = 0) -> Array:
    """The mean answer where each place is open, less the mean answer: float64 (h, w).

    `count` masks of 7 × 7 cells, each open by half, shifted at random; the same for equal seeds.
    """
    total, opened = np.zeros(asked.size_hw), np.zeros(asked.size_hw)
    answers, whole = 0.0, float(asked(asked.prepared.pixels[None])[0])
    step = max(1, min(count, 64))
    for start in range(0, count, step):
        rows = range(start, min(count, start + step))
        covers = np.stack([_mask(asked.size_hw, seed, row) for row in rows])  # (B, h, w)

        def make(chosen: slice, covers: Array = covers) -> PictureArray:
            away = asked.prepared.pixels.astype(np.float32) - GREY
            mixed = GREY + away * covers[chosen, :, :, None]
            return np.round(mixed).astype(np.uint8)

        # counted from the whole picture's, so that an answer that never changes adds up to nothing
        left = asked.each(len(covers), make) - whole
        total += np.tensordot(left, covers.astype(np.float64), axes=1)
        opened += covers.sum(axis=0)
        answers += float(left.sum())
    found: Array = total / np.maximum(opened, 1e-9) - answers / count
    return found


def masks(size_hw: SizeHW, count: int, *, seed: int = 0) -> Array:
    """The first `count` masks: float32 (count, h, w), 0 (covered) to 1 (open)."""
    return np.stack([_mask(size_hw, seed, row) for row in range(count)])


def _mask(size_hw: SizeHW, seed: int, row: int) -> Array:
    """Bilinear between the cells, shifted by less than one cell, as in the paper."""
    chance = np.random.default_rng((seed, row))
    cells = (chance.random((_CELLS + 1, _CELLS + 1)) < _OPEN).astype(np.float32)
    ways = []
    for side in size_hw:
        cell = -(-side // _CELLS)
        at = (np.arange(side) + chance.integers(0, cell) + 0.5) / cell - 0.5
        ways.append(_between(np.clip(at, 0, _CELLS), _CELLS + 1))
    found: Array = (ways[0] @ cells @ ways[1].T).astype(np.float32)
    return found


def _between(at: Array, cells: int) -> Array:
    """Rows that mean two neighbouring cells: float32 (len(at), cells)."""
    found = np.zeros((len(at), cells), np.float32)
    below = np.minimum(np.floor(at).astype(np.intp), cells - 2)
    share = at - below
    rows = np.arange(len(at))
    found[rows, below] = 1 - share
    found[rows, below + 1] = share
    return found

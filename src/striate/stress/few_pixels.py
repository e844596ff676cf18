"""The attack that changes a few pixels, by differential evolution: it asks the model, nothing more.

Su, Vargas & Sakurai, "One pixel attack for fooling deep neural networks" (2019): a candidate is where
the pixels are and their colours; children are `a + 0.5 · (b − c)` of three others, without crossover,
and replace their parent where they harm more. It needs no gradient, so hand-made models can be attacked
too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from striate.types import Array, PictureArray

__all__ = ["HarmOf", "change_pixels", "fewest_pixels", "random_pixels"]

HarmOf: TypeAlias = Callable[[PictureArray, Array], Array]
"""(pictures uint8 (B, h, w, 3), which of the attacked pictures each is (B,)) → how wrong the answer is
(B,); above 0 the picture is fooled."""

_POPULATION, _GENERATIONS = 48, 25
_SCALE = 0.5
_NUMBERS = 5
"""Of a pixel: row, column, red, green, blue, each 0 … 1."""


def change_pixels(pictures: PictureArray, candidates: Array) -> PictureArray:
    """`pictures` uint8 (B, h, w, 3) with the pixels of `candidates` (B, k, 5) painted over."""
    found = pictures.copy()
    height, width = pictures.shape[1:3]
    rows = np.minimum((candidates[..., 0] * height).astype(np.int64), height - 1)
    columns = np.minimum((candidates[..., 1] * width).astype(np.int64), width - 1)
    colours = np.rint(candidates[..., 2:] * 255).astype(np.uint8)
    found[np.arange(len(pictures))[:, None], rows, columns] = colours
    return found


def fewest_pixels(
    pictures: PictureArray,
    harm: HarmOf,
    *,
    pixels: int,
    seeds: Array,
    population: int = _POPULATION,
    generations: int = _GENERATIONS,
    listen: Callable[[int], None] | None = None,
) -> PictureArray:
    """The worst pictures found with `pixels` changed in each of `pictures` uint8 (N, h, w, 3).

    `seeds` int64 (N,). A picture that is fooled is left at that. `listen` hears how many generations
    are done.
    """
    if not len(pictures):
        return pictures.copy()
    dice = [np.random.default_rng(seed) for seed in seeds.tolist()]
    crowd = np.stack([_newborn(one, population, pixels) for one in dice])  # (N, P, k, 5)
    worth = _worth(pictures, crowd, np.arange(len(pictures)), harm)
    for generation in range(generations):
        active = np.flatnonzero(worth.max(axis=1, initial=-np.inf) <= 0)
        if not len(active):
            break
        children = np.stack([_children(crowd[row], dice[row]) for row in active])
        found = _worth(pictures, children, active, harm)
        better = found > worth[active]
        crowd[active] = np.where(better[:, :, None, None], children, crowd[active])
        worth[active] = np.maximum(worth[active], found)
        if listen is not None:
            listen(generation + 1)
    return change_pixels(pictures, crowd[np.arange(len(pictures)), worth.argmax(axis=1)])


def random_pixels(pictures: PictureArray, *, pixels: int, seeds: Array) -> PictureArray:
    """As many pixels painted over by chance: what the search must beat."""
    drawn = [np.random.default_rng([seed, 1]).random((pixels, _NUMBERS)) for seed in seeds.tolist()]
    candidates = np.stack(drawn) if drawn else np.zeros((0, pixels, _NUMBERS))
    return change_pixels(pictures, candidates)


def _newborn(dice: np.random.Generator, population: int, pixels: int) -> Array:
    """Places uniform; colours normal around mid-grey with half the range as spread (the paper's)."""
    found: Array = dice.random((population, pixels, _NUMBERS))
    found[..., 2:] = np.clip(dice.normal(128, 127, found[..., 2:].shape), 0, 255) / 255
    return found


def _children(crowd: Array, dice: np.random.Generator) -> Array:
    """One child each of (P, k, 5), of three others; kept within bounds."""
    count = len(crowd)
    # three different others for each: offsets 1 … P − 1 without repeats
    offsets = np.argsort(dice.random((count, count - 1)), axis=1)[:, :3] + 1
    one, two, three = ((np.arange(count) + offsets[:, at]) % count for at in range(3))
    found: Array = np.clip(crowd[one] + _SCALE * (crowd[two] - crowd[three]), 0, 1)
    return found


def _worth(pictures: PictureArray, crowd: Array, rows: Array, harm: HarmOf) -> Array:
    """Harm of every candidate of the pictures at `rows`: (R, P) for crowd (R, P, k, 5)."""
    found = []
    for row, candidates in zip(rows.tolist(), crowd, strict=True):
        copies = np.broadcast_to(pictures[row], (len(candidates), *pictures.shape[1:]))
        found.append(harm(change_pixels(copies, candidates), np.full(len(candidates), row)))
    return np.stack(found)

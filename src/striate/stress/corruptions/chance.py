"""Randomness of a picture: one generator from its seed, so that its batch changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import lgamma, prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from striate.randomness import hash64
from striate.types import Array, PictureArray

__all__ = ["Chance", "generators", "normals", "poisson_greys", "uniforms"]

Chance: TypeAlias = Sequence[np.random.Generator]
"""One generator a picture."""

_BITS = 12
_CELLS = 1 << _BITS
_UNCERTAIN = 256


def generators(seeds: Array, stream: str) -> Chance:
    """One generator for each of `seeds` int64 (B,). `stream` keeps uses of one seed apart."""
    key = hash64(stream)
    return [
        np.random.Generator(np.random.SFC64((int(seed) & 0xFFFFFFFFFFFFFFFF) ^ key)) for seed in seeds
    ]


def normals(chance: Chance, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Standard normal numbers, float32 (B, *shape)."""
    found = np.empty((len(chance), *shape), np.float32)
    for one, into in zip(chance, found, strict=True):
        one.standard_normal(dtype=np.float32, out=into)
    return found


def uniforms(chance: Chance, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Uniform numbers in [0, 1), float32 (B, *shape)."""
    found = np.empty((len(chance), *shape), np.float32)
    for one, into in zip(chance, found, strict=True):
        one.random(dtype=np.float32, out=into)
    return found


def poisson_greys(pictures: PictureArray, photons: int, chance: Chance) -> PictureArray:
    """Each value v replaced by ⌊255·min(k / photons, 1)⌋ with k of Poisson(v / 255 · photons).

    Exact, and fast because there are but 256 rates: the first 12 bits of a uniform number settle nearly
    every pixel by a table; where the quantile function steps within such a cell, further bits decide.
    """
    cells, steps, greys = _quantiles(photons)
    size = prod(pictures.shape[1:])
    found = np.empty_like(pictures)
    for picture, one, into in zip(pictures, chance, found, strict=True):
        place = one.integers(0, _CELLS, size=size, dtype=np.uint16).astype(np.int32)
        values = picture.reshape(-1)
        place += values.astype(np.int32) << _BITS
        drawn = cells[place]
        (open_,) = np.nonzero(drawn == _UNCERTAIN)
        exact = (place[open_] + one.random(len(open_))) / _CELLS  # v + u: one ordered line for all rates
        counts = np.searchsorted(steps, exact, side="right") - values[open_].astype(np.int64) * len(
            greys
        )
        drawn[open_] = greys[np.minimum(counts, len(greys) - 1)]
        into.reshape(-1)[:] = drawn
    return found


@cache
def _quantiles(photons: int) -> tuple[NDArray[np.uint16], NDArray[np.float64], NDArray[np.uint8]]:
    """(grey of each cell of each rate, or uncertain; v + P(k ≤ 0 …) of all rates in a line; greys)."""
    counts = np.arange(photons + 1)
    rates = np.arange(256)[:, None] * (photons / 255.0)
    factorials = np.array([lgamma(count + 1.0) for count in counts])
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(counts > 0, counts * np.log(rates), 0.0)
    reached = np.minimum(np.cumsum(np.exp(logs - rates - factorials), axis=1), 1.0)
    reached[:, -1] = 1.0  # what exceeds white is white
    greys = (counts / photons * 255.0 + 1e-9).astype(np.uint8)
    edges = np.arange(_CELLS + 1) / _CELLS
    cells = np.empty((256, _CELLS), np.uint16)
    for value, steps in enumerate(reached):
        low = np.searchsorted(steps, edges[:-1], side="right")
        high = np.searchsorted(steps, edges[1:], side="left")  # the cell's end is the next one's
        grey = greys[np.minimum(low, photons)]
        same = grey == greys[np.minimum(high, photons)]
        cells[value] = np.where(same, grey.astype(np.uint16), np.uint16(_UNCERTAIN))
    return cells.reshape(-1), (np.arange(256)[:, None] + reached).reshape(-1), greys

"""Stress by occlusion: a share of the picture hidden, by chance, by structure, or where it matters.

Every axis hides, to within a pixel's rounding, the share that its level says. What is hidden at one
level stays hidden at the next. Labels stay, also of what is hidden altogether.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from striate.pictures.resize import resize
from striate.randomness import integers, uniforms
from striate.stress.axes.fields import draw_fields
from striate.stress.axes.warping import grid
from striate.stress.changes import Axis, Changed, Material
from striate.types import Array, PictureArray, SizeHW

__all__ = ["OCCLUSION", "occlusion_axes", "other_pictures", "top_share"]

Change: TypeAlias = Callable[[PictureArray, float, Material], Changed]

_SHARES = (0.1, 0.2, 0.3, 0.45, 0.6)
_IRON = (52, 56, 62)
_BARS = 4
_HEDGES = 64
_SHADE, _SUNLIT = (24, 44, 20), (106, 140, 64)
_BLOB = 0.09
_LEAF = 0.045
"""Standard deviations of blobs and leaves: shares of the side."""


def _rectangle(pictures: PictureArray, level: float, material: Material) -> Changed:
    height, width = pictures.shape[1:3]
    drawn = uniforms(0, 0, material.seeds, 3, stream="rectangle")
    # width over height of the rectangle, against those of the picture: 1/2 … 2
    tall = np.clip(np.sqrt(level * 2.0 ** (2 * drawn[:, 0] - 1)), level, 1)
    rows = np.clip(np.rint(tall * height), 1, height)
    columns = np.clip(np.rint(level * height * width / rows), 0, width)
    top = np.clip(np.rint(drawn[:, 1] * height - rows / 2), 0, height - rows)[:, None]
    left = np.clip(np.rint(drawn[:, 2] * width - columns / 2), 0, width - columns)[:, None]
    y, x = np.arange(height), np.arange(width)
    beside = (y >= top) & (y < top + rows[:, None])
    within = (x >= left) & (x < left + columns[:, None])
    return _hidden(pictures, beside[:, :, None] & within[:, None], _means(pictures))


def _blobs(pictures: PictureArray, level: float, material: Material) -> Changed:
    others = other_pictures(pictures, material, "blobs")
    fill = _means(pictures) if others is None else others
    return _hidden(pictures, _blob_places(pictures, level, material), fill)


def _plain_blobs(pictures: PictureArray, level: float, material: Material) -> Changed:
    return _hidden(pictures, _blob_places(pictures, level, material), _means(pictures))


def _blob_places(pictures: PictureArray, level: float, material: Material) -> Array:
    size_hw: SizeHW = (pictures.shape[1], pictures.shape[2])
    return top_share(_noise(material.seeds, size_hw, _BLOB, "blobs"), level)


def _bars(pictures: PictureArray, level: float, material: Material) -> Changed:
    height, width = pictures.shape[1:3]
    hidden = _stripes(material, width, level, "bars")
    return _hidden(pictures, np.broadcast_to(hidden[:, None], (len(pictures), height, width)), _iron())


def _grid(pictures: PictureArray, level: float, material: Material) -> Changed:
    height, width = pictures.shape[1:3]
    share = 1 - math.sqrt(1 - level)  # of either direction
    down = _stripes(material, height, share, "grid/rows")
    across = _stripes(material, width, share, "grid/columns")
    return _hidden(pictures, down[:, :, None] | across[:, None], _iron())


def _hedge(pictures: PictureArray, level: float, material: Material) -> Changed:
    """One of 64 hedges, of which only those are grown that are asked for."""
    size_hw: SizeHW = (pictures.shape[1], pictures.shape[2])
    kinds, own = np.unique(material.seeds % _HEDGES, return_inverse=True)
    y, _ = grid(size_hw)
    leaves = _noise(kinds, size_hw, _LEAF, "hedge/leaves")
    bushes = _noise(kinds, size_hw, 2 * _LEAF, "hedge/bushes")
    depth = (y / size_hw[0])[:, None] + 0.03 * leaves + 0.04 * bushes
    light = np.clip(0.5 + 0.22 * leaves + 0.1 * bushes, 0, 1)[..., None]
    green = np.rint(np.array(_SHADE) + light * np.subtract(_SUNLIT, _SHADE)).astype(np.uint8)
    return _hidden(pictures, top_share(depth, level)[own], green[own])


def _hottest(pictures: PictureArray, level: float, material: Material) -> Changed:
    return _by_heat(pictures, level, material, 1.0)


def _coldest(pictures: PictureArray, level: float, material: Material) -> Changed:
    return _by_heat(pictures, level, material, -1.0)


def _by_heat(pictures: PictureArray, level: float, material: Material, sign: float) -> Changed:
    assert material.heat is not None, "an axis that needs heat was given none"
    size_hw: SizeHW = (pictures.shape[1], pictures.shape[2])
    heat = sign * np.nan_to_num(material.heat.astype(np.float64))
    # equal heat is hidden in blobs by chance, not row by row
    ties = 1e-6 * _noise(material.seeds, size_hw, _BLOB, "heat")
    return _hidden(pictures, top_share(heat + ties, level), _means(pictures))


def top_share(values: Array, share: float) -> Array:
    """Where the largest of values (B, h, w) are, bool (B, h, w): `share` of the places, rounded."""
    count, places = len(values), int(np.prod(values.shape[1:]))
    hidden = np.zeros((count, places), bool)
    wanted = round(share * places)
    if count and wanted:
        chosen = np.argpartition(values.reshape(count, places), places - wanted, axis=1)
        np.put_along_axis(hidden, chosen[:, places - wanted :], True, axis=1)
    return hidden.reshape(values.shape)


def other_pictures(pictures: PictureArray, material: Material, stream: str) -> PictureArray | None:
    """Another picture of the data set for each, uint8 (B, h, w, 3), never itself; None without any."""
    others = material.others
    if not len(others):
        return None
    if others.shape[1:] != pictures.shape[1:]:
        size_hw: SizeHW = (pictures.shape[1], pictures.shape[2])
        others = np.stack([resize(one, size_hw) for one in others])
    chosen = integers(0, 0, material.seeds, low=0, high=len(others), stream=f"{stream}/other")[:, 0]
    itself = (others[chosen] == pictures).all(axis=(1, 2, 3))
    found: PictureArray = others[(chosen + itself) % len(others)]
    return found


def _hidden(pictures: PictureArray, mask: Array, fill: Array) -> Changed:
    """`fill`, which broadcasts to (B, h, w, 3), where `mask` (B, h, w) says so."""
    return Changed(np.where(mask[..., None], fill, pictures))


def _means(pictures: PictureArray) -> Array:
    """The mean colour of each, uint8 (B, 1, 1, 3)."""
    found: Array = np.rint(pictures.mean(axis=(1, 2), keepdims=True, dtype=np.float64))
    return found.astype(np.uint8)


def _iron() -> Array:
    return np.array(_IRON, np.uint8)


def _stripes(material: Material, side: int, share: float, stream: str) -> Array:
    """Which of the rows or columns lie in bars, bool (B, side): those nearest to the bars' middles."""
    phase = uniforms(0, 0, material.seeds, stream=stream)
    place = ((np.arange(side) + 0.5) / side * _BARS + phase) % 1
    values = -np.abs(place - 0.5)
    found: Array = top_share(values[:, None], share)[:, 0]
    return found


def _noise(seeds: Array, size_hw: SizeHW, smooth: float, stream: str) -> Array:
    """Smooth noise float64 (B, h, w) of variance about 1; `smooth`: share of the side."""
    sigma = max(smooth * math.sqrt(size_hw[0] * size_hw[1]), 0.5)
    y, x = grid(size_hw)
    field = draw_fields(seeds, 1, size_hw, sigma, stream=stream)
    found: Array = field.on_grid(y, x)[:, 0] / math.sqrt(math.pi)  # the sum of squared bumps is π
    return found


def _axis(name: str, title: str, change: Change, source: str, *, needs_heat: bool = False) -> Axis:
    return Axis(name, title, "occlusion", "share hidden", _SHARES, change, source, needs_heat=needs_heat)


_WHOLE: tuple[Axis, ...] = (
    _axis(
        "rectangle", "A rectangle hidden", _rectangle, "anywhere; filled with the picture's mean colour"
    ),
    _axis("blobs", "Patches hidden", _blobs, "smooth patches filled with another picture"),
    _axis("bars", "Behind bars", _bars, f"{_BARS} upright bars in the dark grey of iron"),
    _axis("lattice", "Behind a lattice", _grid, f"{_BARS} bars each way in the dark grey of iron"),
    _axis("hedge", "Behind a hedge", _hedge, "leaves that grow from below"),
    _axis(
        "hide-hottest",
        "What matters hidden",
        _hottest,
        "where the run's own explanation is hottest, filled with the picture's mean colour",
        needs_heat=True,
    ),
    _axis(
        "hide-coldest",
        "What does not matter hidden",
        _coldest,
        "control: where the run's own explanation is coldest, filled with the picture's mean colour",
        needs_heat=True,
    ),
)
_PLAIN_BLOBS = _axis(
    "blobs", "Patches hidden", _plain_blobs, "smooth patches filled with the picture's mean colour"
)


def occlusion_axes(*, placed: bool) -> tuple[Axis, ...]:
    """The axes of occlusion. `placed`: for answers about places, patches show no other picture, whose
    objects would be there to be found and be in no truth."""
    return tuple(_PLAIN_BLOBS if placed and one.name == "blobs" else one for one in _WHOLE)


OCCLUSION = occlusion_axes(placed=False)
"""For answers about the whole picture."""

"""Stress by background: another one behind the object, or clutter around it. The object stays."""

from __future__ import annotations

import math

import numpy as np

from striate.features.opencv import cv2_module
from striate.randomness import hash64, uniforms
from striate.stress.axes.occlusion import other_pictures
from striate.stress.changes import Axis, Changed, Material
from striate.types import Array, PictureArray

__all__ = ["BACKGROUND", "CLUTTER"]

_SOFT = 1 / 120
"""How far the edge of an object that is put on another background fades: share of the side, though at
least half a pixel."""

_PIECE = (0.12, 0.24)
"""Sides of the pieces of clutter: shares of the picture's side."""

_SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)


def _other(pictures: PictureArray, level: float, material: Material) -> Changed:
    """A quarter of another picture, from a corner, enlarged: most of its own object stays out."""
    cv2 = cv2_module()
    others = other_pictures(pictures, material, "background")
    if others is None:
        return _plain(pictures, level, material)
    height, width = pictures.shape[1:3]
    half_y, half_x = -(-height // 2), -(-width // 2)
    drawn = uniforms(0, 0, material.seeds, 2, stream="background/corner") < 0.5
    behind = np.empty_like(pictures)
    for row, (low, right) in enumerate(drawn.tolist()):
        top, left = (height - half_y) * low, (width - half_x) * right
        corner = others[row, top : top + half_y, left : left + half_x]
        behind[row] = cv2.resize(corner, (width, height), interpolation=cv2.INTER_CUBIC)
    return _behind(pictures, behind, level, material)


def _plain(pictures: PictureArray, level: float, material: Material) -> Changed:
    """The mean colour of the picture's own background."""
    return _behind(pictures, _own_means(pictures, material)[:, None, None], level, material)


def _noisy(pictures: PictureArray, level: float, material: Material) -> Changed:
    """Each pixel a colour of its own."""
    behind = np.empty_like(pictures)
    for row, seed in enumerate(material.seeds.tolist()):
        rng = np.random.default_rng(hash64(int(seed), "background/noise"))
        behind[row] = rng.integers(0, 256, pictures.shape[1:], dtype=np.uint8)
    return _behind(pictures, behind, level, material)


def _clutter(pictures: PictureArray, level: float, material: Material) -> Changed:
    """`level` pieces of other pictures (of the picture itself where there are none), one after the
    other, each somewhere in the picture, and never over the object."""
    masks = _masks(material)
    height, width = pictures.shape[1:3]
    found = pictures.copy()
    count = round(level)
    drawn = uniforms(0, 0, material.seeds, 6 * _MOST_PIECES, stream="clutter")
    drawn = drawn.reshape(-1, _MOST_PIECES, 6)
    side = math.sqrt(height * width)
    for row in range(len(pictures)):
        own = pictures[row : row + 1]
        for piece in drawn[row, :count].tolist():
            _stick(found[row], material.others if len(material.others) else own, piece, side)
        np.copyto(found[row], pictures[row], where=masks[row][..., None])
    return Changed(found)


_MOST_PIECES = 16


def _stick(picture: PictureArray, others: PictureArray, drawn: list[float], side: float) -> None:
    """Puts a piece cut out of one of `others` on `picture`, in place."""
    which, large, top, left, from_top, from_left = drawn
    other = others[int(which * len(others))]
    wanted = max(1, round(side * (_PIECE[0] + large * (_PIECE[1] - _PIECE[0]))))
    rows, columns = (min(wanted, *pair) for pair in zip(picture.shape[:2], other.shape[:2], strict=True))
    y, x = round(top * (picture.shape[0] - rows)), round(left * (picture.shape[1] - columns))
    v, u = round(from_top * (other.shape[0] - rows)), round(from_left * (other.shape[1] - columns))
    picture[y : y + rows, x : x + columns] = other[v : v + rows, u : u + columns]


def _behind(pictures: PictureArray, behind: Array, level: float, material: Material) -> Changed:
    """The objects before a background of which `level` is `behind`; pictures without any stay."""
    masks = _masks(material)
    object_share = _softened(masks)[..., None]
    object_share[~masks.any(axis=(1, 2))] = 1
    new = level * (1 - object_share)  # (B, h, w, 1)
    found = pictures + new * (behind.astype(np.float32) - pictures)
    return Changed(np.clip(np.rint(found), 0, 255).astype(np.uint8))


def _softened(masks: Array) -> Array:
    """Masks bool (B, h, w) with soft edges, float32 0 … 1; outside the frame they go on as at it."""
    cv2 = cv2_module()
    sigma = max(0.5, _SOFT * math.sqrt(masks.shape[1] * masks.shape[2]))
    found = masks.astype(np.float32)
    for row in range(len(found)):
        found[row] = cv2.GaussianBlur(found[row], (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return found


def _own_means(pictures: PictureArray, material: Material) -> Array:
    """The mean colour outside the object, float32 (B, 3); of the whole where the object is all of it."""
    outside = ~_masks(material)
    outside[~outside.any(axis=(1, 2))] = True
    share = outside / outside.sum(axis=(1, 2), keepdims=True)
    found: Array = np.einsum("bhw,bhwc->bc", share, pictures.astype(np.float64)).astype(np.float32)
    return found


def _masks(material: Material) -> Array:
    assert material.masks is not None, "an axis that needs masks was given none"
    return material.masks


CLUTTER = Axis(
    name="clutter",
    title="Clutter around it",
    family="background",
    unit="pieces",
    levels=(1, 2, 4, 8, 16),
    change=_clutter,
    source="square pieces of other pictures, an eighth to a quarter of the side, beside the object and "
    "up to its edge, never over it",
    needs_masks=True,
)
"""Clutter. It needs to know only where objects may be: boxes will do."""

BACKGROUND: tuple[Axis, ...] = (
    Axis(
        name="background-other",
        title="Before another background",
        family="background",
        unit="share replaced",
        levels=_SHARES,
        change=_other,
        source="a quarter of another picture, from a corner, enlarged and mixed in (after Xiao et al. "
        "2021, Noise or signal); soft edges",
        needs_masks=True,
    ),
    Axis(
        name="background-plain",
        title="Before no background",
        family="background",
        unit="share replaced",
        levels=_SHARES,
        change=_plain,
        source="the mean colour of the picture's own background, mixed in; soft edges",
        needs_masks=True,
    ),
    Axis(
        name="background-noise",
        title="Before noise",
        family="background",
        unit="share replaced",
        levels=_SHARES,
        change=_noisy,
        source="each pixel a random colour, mixed in; soft edges",
        needs_masks=True,
    ),
    CLUTTER,
)
"""The axes of background. All but clutter cut the object out: they need masks that are exact."""

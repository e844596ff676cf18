"""Stress by deformation: stretched like rubber, bent, twisted. No map folds; every one can be undone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from striate.stress.axes.chance import draw, signs
from striate.stress.axes.fields import Field, draw_fields
from striate.stress.axes.warping import Border, grid, warp_field
from striate.stress.changes import Axis, Changed, Material
from striate.types import Array, PictureArray, SizeHW

__all__ = ["DEFORMATION", "SMOOTHNESS", "STEEPEST", "deformation_axes"]

SMOOTHNESS = 0.15
"""Standard deviation of the Gaussian that makes elastic fields smooth: share of the side."""

STEEPEST = 0.8
"""The most that two places may be moved apart, per distance between them. Below 1 nothing folds; a
field that is steeper is weakened to it as a whole."""

_SHARP_BEND, _SHARP_TWIST = 0.2, 50
"""Beyond, more than 1.6 pixels are squeezed into one in places, and each becomes the mean of four."""

_CLOSE = 1e-6
_MOST_STEPS = 200


def deformation_axes(border: Border = "mirror") -> tuple[Axis, ...]:
    """The axes of deformation with what comes in from beyond the edge.

    The side of a picture that is not square is the root of its area.
    """
    return (
        Axis(
            name="elastic",
            title="Stretched like rubber",
            family="variation",
            unit="share of the side",
            levels=(0.01, 0.02, 0.03, 0.04, 0.05),
            change=partial(_elastic, border=border),
            source="elastic distortions (Simard, Steinkraus & Platt 2003): root mean square "
            f"displacement; Gaussian of {SMOOTHNESS} sides; never folded",
        ),
        Axis(
            name="bend",
            title="Bent",
            family="variation",
            unit="share of the side",
            levels=(0.05, 0.1, 0.15, 0.2, 0.3),
            change=partial(_bend, border=border),
            source="rows or columns pushed along a parabola; how far its ends lie from its middle",
        ),
        Axis(
            name="twist",
            title="Twisted",
            family="variation",
            unit="degrees",
            levels=(15, 30, 50, 75, 100),
            change=partial(_twist, border=border),
            source="turned most in the middle, and not at half the diagonal from it",
        ),
    )


# -- elastic ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Elastic:
    """Undoes `places = points + field(points)`: to where a point of the source was carried."""

    field: Field

    def __call__(self, points: Array) -> Array:
        source = np.asarray(points, np.float64)
        found = source.copy()
        # a contraction, since the field is less steep than 1: the error shrinks to 0.8 of it each time
        for _ in range(_MOST_STEPS):
            before, found = found, source - self.field.at(found)
            if np.abs(found - before).max(initial=0.0) < _CLOSE:
                break
        return found


def _elastic(pictures: PictureArray, level: float, material: Material, *, border: Border) -> Changed:
    size_hw: SizeHW = (pictures.shape[1], pictures.shape[2])
    field = elastic_fields(material.seeds, size_hw, level)

    def sources(rows: slice, samples: int) -> Array:
        y, x = grid(size_hw, samples)
        moved = np.moveaxis(field.rows(rows).on_grid(y, x), 1, -1).astype(np.float32)
        moved[..., 0] += x.astype(np.float32)
        moved[..., 1] += y.astype(np.float32)[:, None]
        return moved

    found = warp_field(pictures, sources, 1, border)
    return Changed(found, tuple(_Elastic(field.rows(row)) for row in range(len(pictures))))


def elastic_fields(seeds: Array, size_hw: SizeHW, level: float) -> Field:
    """Fields (x, y): how far beside each place of the changed picture its source lies, pixels."""
    side = math.sqrt(size_hw[0] * size_hw[1])
    field = draw_fields(seeds, 2, size_hw, SMOOTHNESS * side, stream="elastic")
    strengths, steepest = np.empty(len(seeds)), np.empty(len(seeds))
    step = 256
    y, x = (np.linspace(0.5, one - 0.5, min(one, 48)) for one in size_hw)
    for start in range(0, len(seeds), step):
        rows = slice(start, start + step)
        part = field.rows(rows)
        strengths[rows] = np.sqrt(np.square(part.on_grid(y, x)).sum(axis=1).mean(axis=(1, 2)))
        steepest[rows] = _steepness(part.slopes_on_lattice())
    factors = level * side / strengths
    return field.times(np.minimum(factors, STEEPEST / steepest))


def _steepness(slopes: Array) -> Array:
    """The largest singular value of the derivatives (B, 2, 2, h, w) anywhere, (B,)."""
    a, b, c, d = slopes[:, 0, 0], slopes[:, 0, 1], slopes[:, 1, 0], slopes[:, 1, 1]
    largest = (np.hypot(a + d, b - c) + np.hypot(a - d, b + c)) / 2
    found: Array = largest.max(axis=(1, 2))
    return found


# -- bend -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Bend:
    """Columns moved down, or rows moved right, by a parabola of where they are."""

    size_hw: SizeHW
    amount: float
    rows: bool

    def __call__(self, points: Array) -> Array:
        found = np.array(points, np.float64)
        along, across = (1, 0) if self.rows else (0, 1)
        side = self.size_hw[0] if self.rows else self.size_hw[1]
        found[:, across] += self.amount * _parabola(found[:, along] / side)
        return found


def _parabola(share: Array) -> Array:
    """1 from its middle to its ends, 0 on average."""
    found: Array = 4 * np.square(share - 0.5) - 1 / 3
    return found


def _bend(pictures: PictureArray, level: float, material: Material, *, border: Border) -> Changed:
    height, width = pictures.shape[1:3]
    rows = draw(material, "bend/rows") < 0.5
    amounts: Array = level * np.where(rows, float(width), float(height)) * signs(material, "bend")

    def sources(part: slice, samples: int) -> Array:
        y, x = grid((height, width), samples)
        down = np.where(rows[part], 0, amounts[part])[:, None] * _parabola(x / width)  # (b, w)
        right = np.where(rows[part], amounts[part], 0)[:, None] * _parabola(y / height)  # (b, h)
        from_x, from_y = x - right[:, :, None], y[:, None] - down[:, None]
        return np.stack(np.broadcast_arrays(from_x, from_y), axis=-1).astype(np.float32)

    moves = (
        _Bend((height, width), float(amount), bool(row))
        for amount, row in zip(amounts, rows, strict=True)
    )
    return Changed(warp_field(pictures, sources, 1 if level <= _SHARP_BEND else 2, border), tuple(moves))


# -- twist ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Twist:
    """Turned about the middle by an angle (radians) that fades with the distance; clockwise."""

    size_hw: SizeHW
    angle: float

    def __call__(self, points: Array) -> Array:
        middle = np.array(self.size_hw[::-1]) / 2
        x, y = (np.asarray(points, np.float64) - middle).T
        turn = self.angle * _fading(x, y, self.size_hw)
        cos, sin = np.cos(turn), np.sin(turn)
        return np.stack([x * cos - y * sin, x * sin + y * cos], axis=1) + middle


def _fading(x: Array, y: Array, size_hw: SizeHW) -> Array:
    """1 in the middle, 0 from half the diagonal on, smooth."""
    far = (size_hw[0] ** 2 + size_hw[1] ** 2) / 4
    found: Array = np.square(np.clip(1 - (x * x + y * y) / far, 0, None))
    return found


def _twist(pictures: PictureArray, level: float, material: Material, *, border: Border) -> Changed:
    size_hw: SizeHW = (pictures.shape[1], pictures.shape[2])
    angles = np.radians(level) * signs(material, "twist")

    def sources(rows: slice, samples: int) -> Array:
        y, x = grid(size_hw, samples)
        y, x = y[:, None] - size_hw[0] / 2, x[None] - size_hw[1] / 2
        # a turn keeps the distance, so the way back is the opposite turn
        turn = -angles[rows, None, None] * _fading(x, y, size_hw)
        cos, sin = np.cos(turn), np.sin(turn)
        places = [x * cos - y * sin + size_hw[1] / 2, x * sin + y * cos + size_hw[0] / 2]
        return np.stack(places, axis=-1).astype(np.float32)

    samples = 1 if level <= _SHARP_TWIST else 2
    moves = tuple(_Twist(size_hw, float(angle)) for angle in angles)
    return Changed(warp_field(pictures, sources, samples, border), moves)


DEFORMATION: tuple[Axis, ...] = deformation_axes()
"""The axes of deformation for answers about the whole picture."""

"""Ice on a pane, drawn: five textures, the same on every machine.

ImageNet-C lays photographs of frost over its pictures. Those are not ours to give, so these are drawn
from numbers, to the same recipe of kinds (a frozen film, two panes of needles, grains, ferns) and to the
same mean colour and spread of light, which are what the corruption's strength hangs on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from striate.features.opencv import cv2_module
from striate.stress.corruptions.chance import Chance
from striate.types import Picture, SizeHW

__all__ = ["ice_crops", "ice_textures"]

_SIZE_HW = (480, 720)
_FRACTION = 4  # binary digits of a pixel
Field = NDArray[np.float32]
Point = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a texture is drawn, and its mean (R, G, B) and standard deviation, as of the photographs."""

    draw: Callable[[np.random.Generator], Field]
    mean_rgb: tuple[float, float, float]
    spread: float


def ice_crops(chance: Chance, size_hw: SizeHW, scale: float) -> list[Picture]:
    """A random piece uint8 (h, w, 3) of a random texture for each picture.

    `scale`: of the texture, for small pictures. One that is too small is enlarged, to 1.1 × the need.
    """
    textures = _scaled(size_hw, scale)
    found = []
    for one in chance:
        texture = textures[one.integers(len(textures))]
        top = one.integers(texture.shape[0] - size_hw[0] + 1)
        left = one.integers(texture.shape[1] - size_hw[1] + 1)
        found.append(texture[top : top + size_hw[0], left : left + size_hw[1]])
    return found


@cache
def ice_textures() -> tuple[Picture, ...]:
    """The five textures, uint8 (480, 720, 3)."""
    kinds = (
        _Kind(_film, (78, 149, 166), 17),
        _Kind(_needles, (201, 205, 214), 22),
        _Kind(_needles, (201, 205, 214), 22),
        _Kind(_grains, (138, 153, 165), 29),
        _Kind(_ferns, (112, 123, 135), 43),
    )
    return tuple(_coloured(kind, np.random.default_rng(seed)) for seed, kind in enumerate(kinds))


@cache
def _scaled(size_hw: SizeHW, scale: float) -> tuple[Picture, ...]:
    cv2 = cv2_module()
    need = max(size_hw[0] / _SIZE_HW[0], size_hw[1] / _SIZE_HW[1])
    factor = scale if need < scale else 1.1 * need
    if factor == 1.0:
        return ice_textures()
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    size_wh = (round(_SIZE_HW[1] * factor), round(_SIZE_HW[0] * factor))
    return tuple(cv2.resize(one, size_wh, interpolation=how) for one in ice_textures())


def _coloured(kind: _Kind, rng: np.random.Generator) -> Picture:
    """The drawn light brought to the kind's spread, on its colour; lights are warmer than shadows."""
    light = _standard(kind.draw(rng))
    light = _standard(np.clip(light, -2.2, 2.8)) * np.float32(kind.spread)
    mean, tint = np.array(kind.mean_rgb, np.float32), np.array([1.06, 1.0, 0.94], np.float32)
    return np.clip(mean + light[..., None] * tint, 0, 255).astype(np.uint8)


def _standard(field: Field) -> Field:
    found: Field = (field - field.mean()) / field.std()
    return found


def _noise(rng: np.random.Generator) -> Field:
    return rng.standard_normal(_SIZE_HW, np.float32)


def _clouds(rng: np.random.Generator, sigmas: tuple[float, ...]) -> Field:
    """Smooth noise: a sum over `sigmas`, the larger the stronger; mean 0, standard deviation 1."""
    cv2 = cv2_module()
    total = np.zeros(_SIZE_HW, np.float32)
    for sigma in sigmas:
        total += _standard(cv2.GaussianBlur(_noise(rng), (0, 0), sigma)) * np.float32(sigma**0.5)
    return _standard(total)


def _relief(height: Field, angle_deg: float) -> Field:
    """Light from one side on a height map: its slope along a direction."""
    cv2 = cv2_module()
    angle = np.deg2rad(angle_deg)
    across, down = cv2.Sobel(height, cv2.CV_32F, 1, 0), cv2.Sobel(height, cv2.CV_32F, 0, 1)
    return _standard(across * np.float32(np.cos(angle)) + down * np.float32(np.sin(angle)))


def _film(rng: np.random.Generator) -> Field:
    """A thin frozen film: clouds, wrinkled."""
    cv2 = cv2_module()
    bent = _clouds(rng, (40.0, 12.0, 4.0)) * np.float32(18.0)
    rows, columns = np.mgrid[0 : _SIZE_HW[0], 0 : _SIZE_HW[1]].astype(np.float32)
    wrinkles = 1.0 - np.abs(_clouds(rng, (14.0, 5.0, 2.0)))
    wrinkles = cv2.remap(wrinkles, columns + bent, rows + bent[::-1], cv2.INTER_LINEAR, None, 4)
    shine = _relief(cv2.GaussianBlur(wrinkles, (0, 0), 0.8), 35.0)
    found: Field = 0.9 * _clouds(rng, (70.0, 30.0)) + 0.35 * shine + 0.3 * wrinkles + 0.15 * _noise(rng)
    return found


def _needles(rng: np.random.Generator) -> Field:
    """Flat shards over one another, each with a lit or a dark edge, in bundles of like direction."""
    cv2 = cv2_module()
    pane = np.full(_SIZE_HW, 128, np.uint8)
    for _ in range(900):
        middle, heading = rng.uniform((0, 0), _SIZE_HW[::-1]), rng.uniform(0, 2 * np.pi)
        length = rng.gamma(3.0, 13.0)
        for _ in range(rng.integers(2, 7)):
            ahead = _towards(heading + rng.normal(0, 0.22))
            along, aside = (
                ahead * length * rng.uniform(0.5, 1.2),
                ahead[::-1] * (-1, 1) * rng.uniform(1, 6),
            )
            root = middle + rng.normal(0, 9, 2)
            shade = np.clip(rng.normal(132, 22), 20, 235)
            shard = np.array([root - aside, root + along, root + aside, root - 0.3 * along])
            cv2.fillConvexPoly(pane, _fixed(shard), shade, cv2.LINE_AA, _FRACTION)
            _stroke(pane, root - aside, root + along, np.clip(shade + rng.choice([-48, 62]), 0, 255))
    light = _standard(cv2.GaussianBlur(pane, (0, 0), 0.8).astype(np.float32))
    found: Field = light + 0.4 * _clouds(rng, (60.0,)) + 0.15 * _noise(rng)
    return found


def _grains(rng: np.random.Generator) -> Field:
    """Fine grains in columns, as of frozen dew, with small rosettes of blades."""
    cv2 = cv2_module()
    grain = cv2.GaussianBlur(_noise(rng), (0, 0), 1.6)
    runs = _standard(cv2.GaussianBlur(_noise(rng), (0, 0), 2.5, sigmaY=18.0))
    blades = np.zeros(_SIZE_HW, np.float32)
    for _ in range(170):
        middle, size = rng.uniform((0, 0), _SIZE_HW[::-1]), rng.gamma(4.0, 4.0)
        for _ in range(rng.integers(6, 13)):
            along = _towards(rng.uniform(0, 2 * np.pi)) * size * rng.uniform(0.5, 1.3)
            aside = along[::-1] * (-0.16, 0.16)
            blade = np.array([middle, middle + 0.6 * along + aside, middle + along])
            cv2.fillConvexPoly(blades, _fixed(blade), rng.normal(0.4, 2.0), cv2.LINE_8, _FRACTION)
    light = 0.9 * _relief(grain, 60.0) + 0.35 * runs + 0.6 * _clouds(rng, (70.0,))
    found: Field = light + cv2.GaussianBlur(blades, (0, 0), 0.8)
    return found


def _ferns(rng: np.random.Generator) -> Field:
    """White feathers of ice on a dark pane, in tufts, more of them towards the top."""
    cv2 = cv2_module()
    pane = np.zeros(_SIZE_HW, np.uint8)
    for _ in range(260):
        root = rng.uniform((-20, -20), (_SIZE_HW[1] + 20, _SIZE_HW[0] + 20))
        light = rng.uniform(90, 255) * (1.0 - 0.5 * max(root[1], 0.0) / _SIZE_HW[0])
        heading = rng.uniform(0, 2 * np.pi)
        for _ in range(rng.integers(2, 6)):
            angle = heading + rng.normal(0, 0.5)
            _feather(pane, root, angle, rng.gamma(4.0, 12.0), light * rng.uniform(0.6, 1.0), rng)
    crystal = pane.astype(np.float32)
    glow = cv2.GaussianBlur(crystal, (0, 0), 8.0)
    sharp = cv2.GaussianBlur(crystal, (0, 0), 0.6)
    found: Field = _standard(sharp) + 0.5 * _standard(glow) + 0.25 * _clouds(rng, (60.0, 2.0))
    return found


def _feather(
    pane: Picture, root: Point, angle: float, length: float, light: float, rng: np.random.Generator
) -> None:
    """A stem that bends a little, with barbs at about 60° as ice grows them, shorter towards the tip."""
    bend, at, pace = rng.normal(0, 0.01), root.copy(), 4.0
    steps = max(int(length / pace), 3)
    for step in range(steps):
        ahead = at + pace * _towards(angle)
        _stroke(pane, at, ahead, light)
        for side in (-1.0, 1.0):
            reach = 0.26 * length * (1.0 - step / steps) ** 0.7 * rng.uniform(0.3, 1.1)
            barb = _towards(angle + side * rng.normal(1.0, 0.08))
            _stroke(pane, at, at + reach * barb, light * rng.uniform(0.4, 0.9))
        at, angle = ahead, angle + pace * bend


def _towards(angle: float) -> Point:
    return np.array([np.cos(angle), np.sin(angle)])


def _fixed(points_xy: Point) -> NDArray[np.int32]:
    """As OpenCV takes points between pixels."""
    return np.asarray(points_xy * 2**_FRACTION, np.int32)


def _stroke(pane: Picture, begin: Point, end: Point, light: float) -> None:
    cv2 = cv2_module()
    ends = _fixed(np.array([begin, end])).tolist()
    cv2.line(pane, *ends, light, 1, cv2.LINE_AA, _FRACTION)

"""The changes of the test: eight, each in graded strengths, each with its known homography.

Pixel centres lie at whole numbers, as in `Keypoints`. What comes into view from outside of the picture
is its mirror image, so that no frame appears which a detector could fire on; points there do not count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from striate.errors import UnknownNameError
from striate.features.opencv import cv2_module
from striate.randomness import hash64
from striate.types import Array, Picture, SizeHW, check_picture

__all__ = ["CHANGES", "Change", "Changed", "change_picture"]

_SPREAD = 0.8
"""Blur that keeps a picture shrunk t times free of aliases: 0.8 √(t² - 1) (Morel & Yu 2009, §2.2)."""
_PATCH = (0.08, 0.22)
"""Sides of what hides a part, in sides of the picture."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A changed picture, uint8 (h, w, 3); `homography` (3, 3) takes points of the original to it;
    `hidden`: bool (h, w), what is covered."""

    picture: Picture
    homography: Array
    hidden: Array


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change. `levels`: its strengths as they are measured, `unit` and `about` in words."""

    title: str
    about: str
    label: str
    levels: tuple[float, ...]
    unit: str
    apply: Callable[[Picture, float, int], Changed]

    def shown(self, level: float) -> str:
        """A strength for people: "× 0.5", "45°"."""
        return f"× {level:g}" if self.unit == "×" else f"{level:g}{self.unit}"


def change_picture(picture: Picture, name: str, level: float, *, seed: int = 0) -> Changed:
    """`picture`, uint8 (H, W, 3), changed by `CHANGES[name]` at `level`; `seed` draws noise and patches.

    An `UnknownNameError` for a name that is not in `CHANGES`; a `ValueError` for a level that has no
    meaning, such as a scale of 0.
    """
    if name not in CHANGES:
        raise UnknownNameError("change", name, CHANGES)
    return CHANGES[name].apply(check_picture(picture), level, seed)


# -- changes of shape -------------------------------------------------------------------------


def _scaled(picture: Picture, level: float, seed: int) -> Changed:
    """Smaller: the whole picture on fewer pixels. Larger: its middle on as many as before."""
    _positive("scale", level)
    height, width = picture.shape[:2]
    shrink = min(level, 1.0)
    size = max(1, round(height * shrink)), max(1, round(width * shrink))
    homography = _about(size, (height, width), np.diag([level, level, 1.0]))
    sigma = _alias_blur(1.0 / level)
    return _warped(picture, homography, size, (sigma, sigma))


def _rotated(picture: Picture, level: float, seed: int) -> Changed:
    """About the middle, clockwise as it is seen."""
    cos, sin = math.cos(math.radians(level)), math.sin(math.radians(level))
    size = _size(picture)
    turned = _about(size, size, np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]))
    return _warped(picture, turned, size, (0.0, 0.0))


def _tilted(picture: Picture, level: float, seed: int) -> Changed:
    """The picture hangs on a wall and is turned about its vertical middle line before a camera that
    stands 1.2 of its longer sides away."""
    if not -85 <= level <= 85:
        raise ValueError(f"a viewpoint of {level}° is beyond what a camera sees; expected -85 to 85")
    cos, sin = math.cos(math.radians(level)), math.sin(math.radians(level))
    size = _size(picture)
    away = 1.2 * max(size)
    seen = np.array([[away * cos, 0.0, 0.0], [0.0, away, 0.0], [sin, 0.0, away]])
    return _warped(picture, _about(size, size, seen), size, (_alias_blur(1.0 / cos), 0.0))


def _about(size_to: SizeHW, size_from: SizeHW, inner: Array) -> Array:
    """A homography that works on coordinates from the middle, in coordinates from the first pixel."""
    before, after = np.eye(3), np.eye(3)
    before[:2, 2] = [-(size_from[1] - 1) / 2, -(size_from[0] - 1) / 2]
    after[:2, 2] = [(size_to[1] - 1) / 2, (size_to[0] - 1) / 2]
    whole = after @ inner @ before
    found: Array = whole / whole[2, 2]
    return found


def _warped(
    picture: Picture, homography: Array, size_hw: SizeHW, sigma_xy: tuple[float, float]
) -> Changed:
    cv2 = cv2_module()
    smooth = _blurred(picture, *sigma_xy)
    found: Picture = cv2.warpPerspective(
        smooth, homography, size_hw[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return Changed(found, homography, np.zeros(size_hw, np.bool_))


def _alias_blur(shrink: float) -> float:
    return _SPREAD * math.sqrt(max(shrink * shrink - 1.0, 0.0))


def _blurred(picture: Picture, sigma_x: float, sigma_y: float) -> Picture:
    """OpenCV takes 0 for "choose yourself"; here it means none."""
    if sigma_x <= 0 and sigma_y <= 0:
        return picture
    cv2 = cv2_module()
    small = 1e-3
    found: Picture = cv2.GaussianBlur(
        picture, (0, 0), max(sigma_x, small), sigmaY=max(sigma_y, small), borderType=cv2.BORDER_REFLECT
    )
    return found


# -- changes of light, noise, focus -----------------------------------------------------------


def _brightened(picture: Picture, level: float, seed: int) -> Changed:
    _positive("gain", level)
    return _repainted(picture, picture.astype(np.float32) * np.float32(level))


def _gamma(picture: Picture, level: float, seed: int) -> Changed:
    _positive("gamma", level)
    return _repainted(picture, 255.0 * (picture.astype(np.float32) / 255.0) ** np.float32(level))


def _noisy(picture: Picture, level: float, seed: int) -> Changed:
    rng = np.random.default_rng(hash64(seed, "noise"))
    grain = rng.standard_normal(picture.shape, np.float32)
    return _repainted(picture, picture.astype(np.float32) + np.float32(level) * grain)


def _defocused(picture: Picture, level: float, seed: int) -> Changed:
    _positive("blur", level)
    return _repainted(picture, _blurred(picture, level, level).astype(np.float32))


def _repainted(picture: Picture, values: Array) -> Changed:
    """The same place, other numbers: rounded, and clipped as a camera clips."""
    painted = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return Changed(painted, np.eye(3), np.zeros(picture.shape[:2], np.bool_))


# -- parts hidden -----------------------------------------------------------------------------


def _covered(picture: Picture, level: float, seed: int) -> Changed:
    """Patches in colours of the picture, until `level` per cent of it are hidden. A stronger level
    hides what a weaker one hides, and more."""
    if not 0 <= level <= 95:
        raise ValueError(f"{level} % of the picture cannot be hidden; expected 0 to 95")
    rng = np.random.default_rng(hash64(seed, "patches"))
    height, width = picture.shape[:2]
    shown, hidden = picture.copy(), np.zeros((height, width), np.bool_)
    while hidden.mean() < level / 100:
        tall, wide = (rng.uniform(*_PATCH, 2) * (height, width)).astype(int) + 1
        top, left = int(rng.integers(-tall + 1, height)), int(rng.integers(-wide + 1, width))
        place = np.s_[max(top, 0) : top + tall, max(left, 0) : left + wide]
        colour = picture[rng.integers(height), rng.integers(width)]
        shown[place] = np.where(hidden[place][..., None], shown[place], colour)
        hidden[place] = True
    return Changed(shown, np.eye(3), hidden)


def _size(picture: Picture) -> SizeHW:
    return picture.shape[0], picture.shape[1]


def _positive(name: str, level: float) -> None:
    if not (level > 0 and math.isfinite(level)):
        raise ValueError(f"a {name} of {level} has no meaning; expected a number above 0")


CHANGES: Mapping[str, Change] = {
    "scale": Change(
        "Scale",
        "Nearer or further away: below 1 the picture is shrunk, above 1 its middle is enlarged.",
        "scale factor",
        (0.5, 0.71, 1.19, 1.41, 2.0),
        "×",
        _scaled,
    ),
    "rotation": Change(
        "Rotation",
        "The camera is turned about its own axis.",
        "angle, degrees",
        (10.0, 20.0, 45.0, 90.0, 135.0),
        "°",
        _rotated,
    ),
    "viewpoint": Change(
        "Viewpoint",
        "The picture hangs on a wall and is seen from the side.",
        "angle to the wall's normal, degrees",
        (10.0, 20.0, 30.0, 45.0, 60.0),
        "°",
        _tilted,
    ),
    "gain": Change(
        "Light: gain",
        "All values are multiplied, as by another exposure; what exceeds white is cut off.",
        "gain",
        (0.3, 0.6, 1.5, 2.2),
        "×",
        _brightened,
    ),
    "gamma": Change(
        "Light: gamma",
        "Values from 0 to 1 are raised to a power: below 1 shadows are lifted, above 1 deepened.",
        "gamma",
        (0.4, 0.7, 1.5, 2.5),
        "",
        _gamma,
    ),
    "noise": Change(
        "Noise",
        "Gaussian noise is added to every value.",
        "standard deviation, grey levels of 255",
        (5.0, 10.0, 20.0, 40.0),
        "",
        _noisy,
    ),
    "blur": Change(
        "Blur",
        "The picture is out of focus.",
        "standard deviation, pixels",
        (1.0, 2.0, 3.0, 5.0),
        " px",
        _defocused,
    ),
    "hidden": Change(
        "Part hidden",
        "Patches cover a part of the picture. Points beneath them do not count, but patches have "
        "corners and edges that use up a detector's budget.",
        "share hidden, per cent",
        (10.0, 25.0, 40.0, 60.0),
        " %",
        _covered,
    ),
}
"""What is changed, by name, in the order of the report."""

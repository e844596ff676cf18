"""What is played to a unit: bars, gratings and spots of light, as Hubel and Wiesel showed them.

Angles are degrees counter-clockwise from the horizontal, as seen: 0 a horizontal bar, 45 a "/", 90 a
vertical one. All are seen through a round window, so that no angle is longer than another (a square
window would make every unit prefer its diagonals). Edges are soft over one pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.types import Array, PictureArray, SizeHW

__all__ = ["GROUND", "Window", "angles", "bars", "blank", "gratings", "short_bars"]

GROUND = 128
"""Grey level around a bar: it may be lighter or darker."""


@dataclass(frozen=True, slots=True)
class Window:
    """A round part of the picture: centre (y, x) and diameter, pixels; (0, 0) is the top left corner."""

    centre_yx: tuple[float, float]
    diameter: float

    def offsets(self, most: int) -> Array:
        """Places across the window, (O,) pixels from its centre: two a pixel, at most `most`; odd."""
        count = max(3, (min(most, 2 * round(self.diameter) + 1) - 1) // 2 * 2 + 1)
        half = max(self.diameter / 2, 1.0)
        return np.linspace(-half, half, count)


def angles(step_deg: float) -> Array:
    """0 to 180°, (A,): whole steps of about `step_deg`, such that they come round.

    >>> angles(45).tolist()
    [0.0, 45.0, 90.0, 135.0]
    """
    count = max(2, round(180 / step_deg))
    return np.arange(count) * (180 / count)


def blank(size_hw: SizeHW, *, ground: int = GROUND) -> PictureArray:
    """One even picture, uint8 (1, h, w, 3)."""
    return np.full((1, *size_hw, 3), ground, np.uint8)


def bars(
    size_hw: SizeHW,
    window: Window,
    angle_deg: float,
    offsets: Sequence[float] | Array,
    *,
    width: float,
    light: bool = True,
    ground: int = GROUND,
) -> PictureArray:
    """Bars across the whole window, one for each offset, uint8 (O, h, w, 3).

    `offsets`: pixels from the window's centre at right angles to the bar; positive is down for a
    horizontal bar and right for a vertical one. `width`: pixels. `light`: white, else black.
    """
    along, across, round_window = _axes(size_hw, window, angle_deg)
    del along
    shifted = across[None] - np.asarray(offsets, np.float64)[:, None, None]  # (O, h, w)
    return _painted(_slab(shifted, width) * round_window, light=light, ground=ground)


def short_bars(
    size_hw: SizeHW,
    places_yx: Array,
    angle_deg: float,
    *,
    width: float,
    length: float,
    light: bool = True,
    ground: int = GROUND,
) -> PictureArray:
    """Short bars, one for each place (P, 2) of its middle, without a window; uint8 (P, h, w, 3)."""
    found = []
    for y, x in np.asarray(places_yx, np.float64).tolist():
        along, across, _ = _axes(size_hw, Window((y, x), 1.0), angle_deg)
        found.append(_slab(across, width) * _slab(along, length))
    return _painted(np.stack(found), light=light, ground=ground)


def gratings(
    size_hw: SizeHW,
    window: Window,
    angle_deg: float,
    phases_deg: Sequence[float] | Array,
    *,
    period: float,
    ground: int = GROUND,
) -> PictureArray:
    """Stripes that run along `angle_deg`, with `period` pixels from one to the next, uint8 (P, h, w, 3).

    Their light follows a cosine, as far above `ground` as below.
    """
    _, across, round_window = _axes(size_hw, window, angle_deg)
    turned = 2 * np.pi * across[None] / period - np.deg2rad(np.asarray(phases_deg))[:, None, None]
    reach = min(ground, 255 - ground) or 255
    found = (
        ground + reach * np.cos(turned) * round_window
        if reach < 255
        else _lifted(turned, round_window, ground)
    )
    return _three(found)


def _lifted(turned: Array, round_window: Array, ground: int) -> Array:
    """On black or white ground the stripes can only go one way."""
    towards = 255.0 if ground == 0 else -255.0
    return ground + towards * (1 + np.cos(turned)) / 2 * round_window


def _axes(size_hw: SizeHW, window: Window, angle_deg: float) -> tuple[Array, Array, Array]:
    """Of each pixel's centre: how far along the bar, how far across, how much of it the window shows."""
    y, x = (np.arange(side) + 0.5 for side in size_hw)
    down, right = y[:, None] - window.centre_yx[0], x[None, :] - window.centre_yx[1]
    turn = np.deg2rad(angle_deg)
    along = right * np.cos(turn) - down * np.sin(turn)  # y points down, angles turn against the clock
    across = right * np.sin(turn) + down * np.cos(turn)
    shown = np.clip(window.diameter / 2 - np.hypot(down, right) + 0.5, 0, 1)
    return along, across, shown


def _slab(distance: Array, width: float) -> Array:
    """How much of a pixel at `distance` from its middle line a slab of `width` covers, 0 to 1."""
    return np.clip(width / 2 - np.abs(distance) + 0.5, 0, min(1.0, width))


def _painted(cover: Array, *, light: bool, ground: int) -> PictureArray:
    return _three(ground + ((255 if light else 0) - ground) * cover)


def _three(levels: Array) -> PictureArray:
    whole = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return np.repeat(whole[..., None], 3, axis=-1)

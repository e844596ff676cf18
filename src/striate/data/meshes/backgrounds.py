"""What may stand behind an object: skies and grounds, blurred colours, walls, litter of shapes."""

from __future__ import annotations

import numpy as np

from striate.types import Array, Picture, SizeHW

__all__ = ["make_background", "studio"]


def studio(size_hw: SizeHW) -> Picture:
    """A photographer's backdrop: light grey, a little darker towards the edges."""
    height, width = size_hw
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    level = 214 - 26 * np.clip(x * x + y * y, 0, 2) / 2
    found: Picture = np.rint(level[..., None] + np.array([-2.0, 0.0, 3.0])).astype(np.uint8)
    return found


def make_background(rng: np.random.Generator, size_hw: SizeHW, clutter: float = 0.6) -> Picture:
    """One of many, drawn by `rng`. `clutter`, 0 to 1: how much there is in it."""
    kind = rng.random()
    if kind < 0.35:
        canvas = _horizon(rng, size_hw)
    elif kind < 0.7:
        canvas = _blurred(rng, size_hw, 3 + int(rng.integers(4)))
    else:
        canvas = np.broadcast_to(_colours(rng, 1)[0], (*size_hw, 3)).copy()
    if rng.random() < clutter:
        canvas = 0.7 * canvas + 0.3 * _blurred(rng, size_hw, 9)
    for _ in range(int(rng.integers(0, 1 + round(6 * clutter)))):
        _rectangle(canvas, rng)
    canvas += rng.normal(0, 1.0 + 4.0 * rng.random(), canvas.shape)
    found: Picture = np.rint(canvas.clip(0, 255)).astype(np.uint8)
    return found


def _colours(rng: np.random.Generator, count: int) -> Array:
    """Colours (count, 3) as they are in the world: mostly near grey, some strong."""
    return np.clip(rng.uniform(30, 235, (count, 1)) + rng.normal(0, 32, (count, 3)), 0, 255)


def _horizon(rng: np.random.Generator, size_hw: SizeHW) -> Array:
    """One colour above another."""
    height, width = size_hw
    above, below = _colours(rng, 2)
    line = height * rng.uniform(0.35, 0.75)
    share = np.clip(np.arange(height) + 0.5 - line, 0, 1)[:, None, None]
    fade = 1 + 0.25 * (np.arange(height)[:, None, None] / height - 0.5)
    return np.broadcast_to(((1 - share) * above + share * below) * fade, (height, width, 3)).copy()


def _blurred(rng: np.random.Generator, size_hw: SizeHW, cells: int) -> Array:
    """Colours that run into each other: a coarse grid, enlarged smoothly."""
    grid = _colours(rng, cells * cells).reshape(cells, cells, 3)
    rows, columns = (_weights(side, cells) for side in size_hw)
    found: Array = np.einsum("hr,wc,rcx->hwx", rows, columns, grid, optimize=True)
    return found


def _weights(side: int, cells: int) -> Array:
    """Linear interpolation of `cells` values to `side` places, (side, cells)."""
    at = np.linspace(0, cells - 1, side)
    found: Array = np.clip(1 - np.abs(at[:, None] - np.arange(cells)), 0, 1)
    return found


def _rectangle(canvas: Array, rng: np.random.Generator) -> None:
    height, width = canvas.shape[:2]
    top, left = rng.integers(-height // 4, height), rng.integers(-width // 4, width)
    down, right = rng.integers(2, max(3, height // 2)), rng.integers(2, max(3, width // 2))
    shade = rng.uniform(0.3, 0.9)
    part = canvas[max(0, top) : max(0, top + down), max(0, left) : max(0, left + right)]
    part *= 1 - shade
    part += shade * _colours(rng, 1)[0]

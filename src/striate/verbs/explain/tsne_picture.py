"""A map of pictures as a picture: thumbnails where they fit, dots, and the names of groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from striate.pictures.draw import meet
from striate.pictures.lettering import font_for, shortened
from striate.pictures.palette import CLASS_COLOURS, FAINT, INK, RGB, WHITE, colour_of, ink_on
from striate.types import Array, Picture, PictureArray

__all__ = ["SHAPES", "draw_map", "middles", "shape_of"]

SHAPES = 4
"""Circle, square, diamond, triangle: of points on the page, one for each dozen of groups."""
_SIDE = 1000
_AIR = 30
_MANY = 5000
"""Points from which on the picture is larger, and its dots smaller."""
_SMALL, _FRAME = 28, 2
"""Side of a thumbnail and of the frame around it, pixels."""
_TEXT, _LONGEST = 17, 170
_COUNTED = 2000
"""Points of a group that its middle is looked for among."""


def shape_of(group: int) -> int:
    """Which of the shapes marks `group`: colours come again after twelve, with another shape."""
    return group // len(CLASS_COLOURS) % SHAPES


def middles(points: Array, groups: Sequence[int], count: int) -> list[tuple[float, float] | None]:
    """Where `points` (N, 2) of each of `count` groups are densest; None for a group without points.

    Not the mean: that of a group in two parts lies between them, where others are.
    """
    from scipy.spatial import cKDTree

    rows = np.asarray(groups)
    found: list[tuple[float, float] | None] = []
    for group in range(count):
        own = points[rows == group]
        if not len(own):
            found.append(None)
            continue
        own = own[:: -(-len(own) // _COUNTED)]
        near = max(1, len(own) // 4)
        far, _ = cKDTree(own).query(own, [near])
        around = np.linalg.norm(own - own[int(far.argmin())], axis=1).argsort(kind="stable")[:near]
        x, y = np.median(own[around], axis=0).tolist()
        found.append((x, y))
    return found


def draw_map(
    points: Array, groups: Sequence[int], thumbnails: PictureArray, names: Sequence[str] = ()
) -> Picture:
    """The map as a picture, uint8 (h, w, 3), on white. `names`: of the groups, none to write none."""
    length = 2 * _SIDE if len(points) > _MANY else _SIDE
    low = points.min(axis=0)
    scale = length / (float((points.max(axis=0) - low).max()) or 1.0)
    wide, tall = (int(one) + 2 * _AIR for one in np.rint((points.max(axis=0) - low) * scale))
    flip = np.array([1.0, -1.0])
    start = np.array([_AIR, tall - _AIR])
    places = np.rint(start + (points - low) * scale * flip).astype(int)
    canvas = np.full((tall, wide, 3), 255, np.uint8)
    _draw_points(canvas, places, groups, thumbnails)
    at = [
        None if one is None else start + (np.array(one) - low) * scale * flip
        for one in middles(points, groups, len(names))
    ]
    return _named(canvas, names, at)


def _draw_points(
    canvas: Picture, places: Array, groups: Sequence[int], thumbnails: PictureArray
) -> None:
    """Thumbnails first come, first served; a dot for each point that finds no room."""
    radius = 2 if len(places) > _MANY else 3
    half = _SMALL // 2 + _FRAME
    taken = np.zeros(canvas.shape[:2], bool)
    dots = []
    for at, (x, y) in enumerate(places.tolist()):
        tint = colour_of(groups[at]) if groups[at] >= 0 else FAINT
        box = (slice(max(0, y - half), y + half), slice(max(0, x - half), x + half))
        if taken[box].any() or canvas[box].shape[:2] != (2 * half, 2 * half):
            dots.append((x, y, tint))
            continue
        taken[box] = True
        canvas[box] = tint
        canvas[box][_FRAME:-_FRAME, _FRAME:-_FRAME] = _reduced(thumbnails[at])
    for x, y, tint in dots:
        box = (slice(max(0, y - radius), y + radius), slice(max(0, x - radius), x + radius))
        canvas[box][~taken[box]] = tint


def _named(canvas: Picture, names: Sequence[str], at: Sequence[tuple[float, float] | None]) -> Picture:
    """Each name on a tag of its colour, where it hides no other."""
    image = Image.fromarray(canvas)
    draw = ImageDraw.Draw(image)
    written: list[tuple[float, float, float, float]] = []
    for group, (name, place) in enumerate(zip(names, at, strict=True)):
        if place is None:
            continue
        text, font = font_for(name, _TEXT)
        text = shortened(text, font, _LONGEST)
        half = font.getlength(text) / 2 + 7
        x = min(max(float(place[0]), half + 2), image.width - half - 2)
        y = min(max(float(place[1]), 16.0), image.height - 16.0)
        box = (x - half, y - 13, x + half, y + 13)
        if any(meet(box, other) for other in written):
            continue
        written.append(box)
        colour: RGB = colour_of(group)
        edge = INK if ink_on(colour) == INK else WHITE
        draw.rounded_rectangle(box, 5, fill=colour, outline=edge, width=1)
        draw.text((x, y), text, fill=ink_on(colour), font=font, anchor="mm")
    return np.array(image)


def _reduced(picture: Picture) -> Picture:
    return np.array(Image.fromarray(picture).resize((_SMALL, _SMALL), Image.Resampling.BOX))

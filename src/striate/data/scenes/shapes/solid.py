"""Solids that vehicles and houses are made of: an outline pulled through a width, discs, panels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from striate.data.scenes.light import Triple
from striate.data.scenes.names import Rgb
from striate.data.scenes.shapes.plane import Plane
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = [
    "Point",
    "box",
    "darker",
    "extrude",
    "lighter",
    "near_side",
    "ring",
    "rounded",
    "treads",
    "wheel",
]

Point = tuple[float, float]
_RIM: Rgb = (206, 210, 216)
_TYRE: Rgb = (40, 42, 48)
_TREAD: Rgb = (30, 32, 37)


def darker(colour: Rgb, share: float = 0.25) -> Rgb:
    """`colour` with `share` of its light taken away."""
    return int(colour[0] * (1 - share)), int(colour[1] * (1 - share)), int(colour[2] * (1 - share))


def lighter(colour: Rgb, share: float = 0.25) -> Rgb:
    """`colour` moved by `share` towards white."""
    red, green, blue = (int(channel + (255 - channel) * share) for channel in colour)
    return red, green, blue


def near_side(view: View) -> int:
    """-1 or 1: the sign of z of the long side that the camera sees."""
    return -1 if view.eye[2] < 0 else 1


def rounded(corners: Sequence[tuple[float, float, float]], steps: int = 3) -> list[Point]:
    """A closed outline whose corners (x, y, radius) are rounded by quadratic curves."""
    found: list[Point] = []
    count = len(corners)
    for index, (x, y, radius) in enumerate(corners):
        if radius <= 0:
            found.append((x, y))
            continue
        (px, py, _), (nx, ny, _) = corners[index - 1], corners[(index + 1) % count]
        before, after = math.hypot(px - x, py - y), math.hypot(nx - x, ny - y)
        a, b = min(radius, before / 2) / before, min(radius, after / 2) / after
        ax, ay, bx, by = x + (px - x) * a, y + (py - y) * a, x + (nx - x) * b, y + (ny - y) * b
        for step in range(steps + 1):
            t = step / steps
            k0, k1, k2 = (1 - t) * (1 - t), 2 * t * (1 - t), t * t
            found.append((k0 * ax + k1 * x + k2 * bx, k0 * ay + k1 * y + k2 * by))
    return found


def extrude(
    sketch: Sketch,
    view: View,
    outline: Sequence[Point],
    half: Callable[[float], float],
    colour: Rgb,
    *,
    side_colour: Rgb | None = None,
    part: str = "",
) -> None:
    """An outline (x, y), anticlockwise, pulled from -half(y) to half(y) in z: the faces seen.

    Right for convex outlines: no face that is turned to the camera hides another.
    """
    ex, ey, ez = view.eye
    ax, ay = outline[-1]
    for bx, by in outline:
        dx, dy = bx - ax, by - ay
        length = math.hypot(dx, dy)
        if length > 1e-9 and dy * (ex - ax) - dx * (ey - ay) > 0:
            wa, wb = half(ay), half(by)
            tone = view.tone(dy / length, -dx / length, 0.0)
            sketch.face(
                ((ax, ay, -wa), (bx, by, -wb), (bx, by, wb), (ax, ay, wa)), colour, tone, part=part
            )
        ax, ay = bx, by
    side = near_side(view)
    if abs(ez) > half(0.0):
        sketch.face(
            [(x, y, side * half(y)) for x, y in outline],
            side_colour or colour,
            view.tone(0.0, 0.0, side),
            part=part,
        )


def box(
    sketch: Sketch,
    view: View,
    low: Triple,
    high: Triple,
    colour: Rgb,
    *,
    top: Rgb | None = None,
    part: str = "",
) -> None:
    """An upright box: the two walls and the top that the camera sees."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    ex, ey, ez = view.eye
    if ey > y1:
        sketch.face(
            ((x0, y1, z0), (x1, y1, z0), (x1, y1, z1), (x0, y1, z1)),
            top or colour,
            view.tone(0, 1, 0),
            part=part,
        )
    elif ey < y0:
        sketch.face(
            ((x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)), darker(colour), 0.0, part=part
        )
    if ex > x1 or ex < x0:
        x, sign = (x1, 1) if ex > x1 else (x0, -1)
        sketch.face(
            ((x, y0, z0), (x, y1, z0), (x, y1, z1), (x, y0, z1)),
            colour,
            view.tone(sign, 0, 0),
            part=part,
        )
    if ez > z1 or ez < z0:
        z, sign = (z1, 1) if ez > z1 else (z0, -1)
        sketch.face(
            ((x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)),
            colour,
            view.tone(0, 0, sign),
            part=part,
        )


def ring(x: float, y: float, z: float, radius: float, count: int) -> list[Triple]:
    """`count` points of an upright circle in the plane z."""
    step = 2 * math.pi / count
    return [(x + radius * math.cos(i * step), y + radius * math.sin(i * step), z) for i in range(count)]


def treads(sketch: Sketch, view: View, axles: Sequence[float], half: float, radius: float) -> None:
    """The running surfaces of all wheels, seen below the body; drawn before it.

    `axles`: x of each pair; the outer faces stand at z = ±`half`.
    """
    count = 10 if radius * view.px_per_m < 3 else 16
    wide = 0.65 * radius
    for side in (-near_side(view), near_side(view)):
        for x in axles:
            for inner in (wide, wide * 0.5, 0.0):
                sketch.face(ring(x, radius, side * (half - inner), radius, count), _TREAD, 0.1)


def wheel(flank: Plane, x: float, radius: float, *, part: str, rim: Rgb = _RIM) -> None:
    """The outer face of a wheel on the near side of a vehicle."""
    flank.disc(x, radius, radius, _TYRE, tone=flank.tone * 0.7, part=part)
    flank.disc(x, radius, radius * 0.62, rim, part=part)
    if radius * flank.px_per_m > 2.5:
        flank.disc(x, radius, radius * 0.46, darker(rim, 0.22), part=part)
        flank.disc(x, radius, radius * 0.2, rim, part=part)

"""Turned boxes as four corners: p1 p2 is the top edge before turning, and the others follow clockwise.

In `decimal`, with more digits than a float has, so that a box can be told by corners and come back to
the last bit. Four corners that are no rectangle (DOTA allows them) become the smallest rectangle around
them; the corners are kept as the extra "quad".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import TypeAlias

from striate.data.boxes.numbers import Box4, places_of, plain, snap
from striate.types import SizeHW

__all__ = ["QUAD", "Corners", "Place", "corners_to_turned", "shares_to_turned", "turned_to_corners"]

QUAD = "quad"
"""The extra that holds corners which are no rectangle: x1 y1 … x4 y4, pixels."""

Point: TypeAlias = tuple[Decimal, Decimal]
Corners: TypeAlias = tuple[Point, Point, Point, Point]
Place: TypeAlias = tuple[Box4, float, tuple[tuple[str, str], ...]]
"""Edges before turning, angle, extras."""

DIGITS = 60
LEAST_PLACES = 6
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803")
ROUNDING = Decimal("1.25")
"""How far an edge may be off where each corner is off by half a unit: 1/2 + 1/√2."""


def shares_to_turned(numbers: Sequence[Decimal], size_hw: SizeHW) -> Place:
    """The box of eight shares of the picture's width and height (YOLO-OBB)."""
    with localcontext(prec=DIGITS):
        width, height = Decimal(size_hw[1]), Decimal(size_hw[0])
        unit = Decimal(1).scaleb(-max(LEAST_PLACES, places_of(numbers))) * max(width, height)
        return _turned(_corners(numbers, width, height), unit)


def corners_to_turned(numbers: Sequence[Decimal]) -> Place:
    """The box of eight numbers in pixels (DOTA)."""
    with localcontext(prec=DIGITS):
        unit = Decimal(1).scaleb(-max(LEAST_PLACES, places_of(numbers)))
        return _turned(_corners(numbers, Decimal(1), Decimal(1)), unit)


def turned_to_corners(box_xyxy: Box4, angle_deg: float) -> Corners:
    """The corners of a box turned clockwise, as seen, about its middle, pixels."""
    with localcontext(prec=DIGITS):
        x0, y0, x1, y1 = (Decimal(repr(value)) for value in box_xyxy)
        cosine, sine = _cos_sin_deg(Decimal(repr(float(angle_deg))))
        middle_x, middle_y, half_w, half_h = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2

        def corner(right: int, down: int) -> Point:
            a, b = right * half_w, down * half_h
            return middle_x + a * cosine - b * sine, middle_y + a * sine + b * cosine

        return corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)


def _corners(numbers: Sequence[Decimal], width: Decimal, height: Decimal) -> Corners:
    p1, p2, p3, p4 = ((numbers[i] * width, numbers[i + 1] * height) for i in range(0, 8, 2))
    return p1, p2, p3, p4


def _turned(corners: Corners, unit: Decimal) -> Place:
    clockwise = corners if _area(corners) >= 0 else (corners[0], corners[3], corners[2], corners[1])
    if not _is_rectangle(clockwise, unit * 3):
        quad = " ".join(
            plain(snap(value, unit * Decimal("0.51"))) for point in corners for value in point
        )
        edges, angle = _smallest_around([float(word) for word in quad.split()])
        return edges, angle, ((QUAD, quad),)
    p1, p2, p3, p4 = clockwise
    level, plumb = p1[1] == p2[1] and p3[1] == p4[1], p1[0] == p4[0] and p2[0] == p3[0]
    if level and plumb and p1[0] <= p2[0]:
        within = unit * Decimal("0.51")
        x0, y0, x1, y1 = (snap(value, within) for value in (*p1, *p3))
        return (x0, y0, x1, y1), 0.0, ()
    return *_rectangle(clockwise, unit), ()


def _rectangle(corners: Corners, unit: Decimal) -> tuple[Box4, float]:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    along = ((bx - ax + cx - dx) / 2, (by - ay + cy - dy) / 2)  # the mean of both top and bottom
    down = ((dx - ax + cx - bx) / 2, (dy - ay + cy - by) / 2)
    width, height = _length(along), _length(down)
    # the longer side tells the angle more exactly; the other one is a quarter turn ahead
    x, y = along if width >= height else (down[1], -down[0])
    longer = max(width, height)
    angle = Decimal(0)
    if longer:
        off = ROUNDING * unit / longer * 180 / PI
        angle = Decimal(repr(snap(_angle_deg(x, y), off)))
    middle_x, middle_y = (ax + bx + cx + dx) / 4, (ay + by + cy + dy) / 4
    within = unit * ROUNDING
    return (
        snap(middle_x - width / 2, within),
        snap(middle_y - height / 2, within),
        snap(middle_x + width / 2, within),
        snap(middle_y + height / 2, within),
    ), float(angle)


def _is_rectangle(corners: Corners, within: Decimal) -> bool:
    """Whether the diagonals halve one another and are equally long."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    halved = abs(ax + cx - bx - dx) <= 2 * within and abs(ay + cy - by - dy) <= 2 * within
    return halved and abs(_length((cx - ax, cy - ay)) - _length((dx - bx, dy - by))) <= within


def _area(corners: Corners) -> Decimal:
    """Twice the area, positive where corners go round clockwise as seen (y points down)."""
    total = Decimal(0)
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        total += x0 * y1 - x1 * y0
    return total


def _length(vector: Point) -> Decimal:
    return (vector[0] * vector[0] + vector[1] * vector[1]).sqrt()


def _angle_deg(x: Decimal, y: Decimal) -> Decimal:
    """The direction of (x, y), above -180 and up to 180, clockwise from the right."""
    if not y:
        return Decimal(0 if x >= 0 else 180)
    if not x:
        return Decimal(90 if y > 0 else -90)
    near = Decimal(math.atan2(float(y), float(x)))
    cosine, sine = _cos_sin(near)
    left = (y * cosine - x * sine) / (x * cosine + y * sine)  # the tangent of what is left
    return (near + left - left**3 / 3 + left**5 / 5) * 180 / PI


def _cos_sin_deg(angle: Decimal) -> Point:
    quarter = int((angle / 90).to_integral_value())
    cosine, sine = _cos_sin((angle - 90 * quarter) * PI / 180)
    turns = ((cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine))
    return turns[quarter % 4]


def _cos_sin(angle: Decimal) -> Point:
    """Taylor's series; `angle` in radians, a few at most."""
    cosine, sine, term, n = Decimal(0), Decimal(0), Decimal(1), 0
    while term and term.adjusted() > -DIGITS - 5:
        sign = -1 if n % 4 >= 2 else 1
        if n % 2:
            sine += sign * term
        else:
            cosine += sign * term
        n += 1
        term = term * angle / n
        if n > 200:
            break
    return cosine, sine


def _smallest_around(numbers: Sequence[float]) -> tuple[Box4, float]:
    """The rectangle of least area around four points, one side along an edge of their hull."""
    points = [(numbers[i], numbers[i + 1]) for i in range(0, 8, 2)]
    best: tuple[float, float, Box4, float] | None = None
    toward = math.atan2(points[1][1] - points[0][1], points[1][0] - points[0][0])
    for i, (ax, ay) in enumerate(points):
        for bx, by in points[i + 1 :]:
            if (ax, ay) == (bx, by):
                continue
            angle = math.atan2(by - ay, bx - ax)
            # of the four directions of such a rectangle, the one nearest to that of the first edge
            angle += math.pi / 2 * round((toward - angle) / (math.pi / 2))
            edges, area = _around(points, angle)
            rank = (round(area, 6), abs(math.remainder(toward - angle, math.tau)))
            if best is None or rank < best[:2]:
                best = (*rank, edges, angle)
    if best is None:
        x, y = points[0]
        return (x, y, x, y), 0.0
    x0, y0, x1, y1 = (round(value, 6) for value in best[2])
    degrees = round(math.degrees(math.remainder(best[3], math.tau)), 6)
    return (x0, y0, x1, y1), degrees if degrees != -180 else 180.0


def _around(points: Sequence[tuple[float, float]], angle: float) -> tuple[Box4, float]:
    """The rectangle along `angle` around `points`, as edges before turning, and its area."""
    cosine, sine = math.cos(angle), math.sin(angle)
    us = [x * cosine + y * sine for x, y in points]
    vs = [y * cosine - x * sine for x, y in points]
    width, height = max(us) - min(us), max(vs) - min(vs)
    u, v = (max(us) + min(us)) / 2, (max(vs) + min(vs)) / 2
    x, y = u * cosine - v * sine, u * sine + v * cosine
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2), width * height

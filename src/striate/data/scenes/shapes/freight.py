"""What a lorry carries: a box, a skip with sand, crates on a flat bed, a tank."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from striate.data.scenes.chance import jittered
from striate.data.scenes.names import Rgb
from striate.data.scenes.shapes.plane import side_of
from striate.data.scenes.shapes.solid import box, darker, near_side
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["FREIGHT", "Freight", "make_freight"]

_BED = 0.86
_CRATES: tuple[Rgb, ...] = ((196, 150, 98), (176, 128, 80), (210, 168, 118))
_PLANK: Rgb = (120, 84, 58)
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Freight:
    """One load: its own paint, the firm's colour `mark`, `height` of its top and half its width."""

    paint: Rgb
    mark: Rgb
    height: float
    half: float
    crates: tuple[float, ...]


def _box_body(load: Freight, sketch: Sketch, view: View, span: Span) -> None:
    """A plain box with a band, a badge and rails."""
    (x0, x1), top, half = span, load.height, load.half
    box(sketch, view, (x0, _BED, -half), (x1, top, half), load.paint, part="load")
    if abs(view.eye[2]) <= half:
        return
    flank = side_of(sketch, view, near_side(view), half)
    rise = top - _BED
    flank.rect(span, (_BED, _BED + 0.12), darker(load.paint, 0.3))
    band = ((x0, 1.2), (x1, 1.2 + rise * 0.2), (x1, 1.2 + rise * 0.36), (x0, 1.2 + rise * 0.16))
    flank.poly(band, load.mark, part="load")
    middle, y = (x0 + x1) / 2, _BED + rise * 0.68
    flank.disc(middle, y, rise * 0.15, load.mark, part="load")
    flank.disc(middle, y, rise * 0.08, load.paint, part="load")
    flank.rect(span, (top - 0.09, top), darker(load.paint, 0.15))


def _skip(load: Freight, sketch: Sketch, view: View, span: Span) -> None:
    """An open skip with ribs and a heap of sand."""
    (x0, x1), top, half = span, load.height, load.half
    sand: Rgb = (150, 118, 84)
    box(
        sketch, view, (x0, _BED, -half), (x1, top, half), load.paint, top=darker(sand, 0.15), part="load"
    )
    long = x1 - x0
    heap = ((0.04, 0.0), (0.22, 0.3), (0.42, 0.4), (0.7, 0.26), (0.96, 0.0))
    sketch.face([(x0 + share * long, top + rise, 0.0) for share, rise in heap], sand, 0.6, part="load")
    if abs(view.eye[2]) <= half:
        return
    flank = side_of(sketch, view, near_side(view), half)
    for index in range(6):
        x = x0 + 0.05 + index * (long - 0.25) / 5
        flank.rect((x, x + 0.15), (_BED + 0.04, top), darker(load.paint, 0.22), part="load")
    flank.rect(span, (top - 0.14, top), darker(load.paint, 0.3), part="load")


def _crates(load: Freight, sketch: Sketch, view: View, span: Span) -> None:
    """Wooden crates, the far ones first."""
    (x0, x1), half = span, load.half
    box(sketch, view, (x0, _BED - 0.04, -half), (x1, 1.0, half), _PLANK, part="load")
    width = (x1 - x0) / len(load.crates)
    order = list(enumerate(load.crates))
    for index, tall in order if view.eye[0] > 0 else order[::-1]:
        low, high = x0 + index * width + 0.06, x0 + (index + 1) * width - 0.06
        corner = (high, 1.0 + tall, half * 0.85)
        box(sketch, view, (low, 1.0, -half * 0.85), corner, _CRATES[index % 3], part="load")
        flank = side_of(sketch, view, near_side(view), half * 0.85)
        y = 1.0 + tall * 0.5
        flank.rect((low, high), (y - 0.05, y + 0.05), _PLANK, part="load")
        for x in (low, high - 0.1):
            flank.rect((x, x + 0.1), (1.0, 1.0 + tall), _PLANK, part="load")


def _tank(load: Freight, sketch: Sketch, view: View, span: Span) -> None:
    """A lying tank, lit band by band."""
    (x0, x1), top, half, side = span, load.height, load.half, near_side(view)
    middle, rise = (_BED + top) / 2, (top - _BED) / 2
    angles = [math.pi * (step / 7 - 0.5) for step in range(8)]
    ring = [(middle + rise * math.sin(a), half * max(0.12, math.cos(a))) for a in angles]
    for (low, near), (high, far) in itertools.pairwise(ring):
        up = ((low + high) / 2 - middle) / rise
        tone = max(view.tone(0, up, side * math.sqrt(1 - up * up)), 0.1)
        band = (
            (x0, low, side * near),
            (x1, low, side * near),
            (x1, high, side * far),
            (x0, high, side * far),
        )
        sketch.face(band, load.paint, tone, part="load")
    x, sign = (x1, 1) if view.eye[0] > x1 else (x0, -1)
    rim = [(x, y, z) for y, z in ring] + [(x, y, -z) for y, z in reversed(ring)]
    sketch.face(rim, darker(load.paint, 0.12), view.tone(sign, 0, 0), part="load")
    flank = side_of(sketch, view, side, half)
    flank.rect(span, (middle - 0.16, middle + 0.1), load.mark, part="load")


_Draw = Callable[[Freight, Sketch, View, Span], None]
FREIGHT: MappingProxyType[str, _Draw] = MappingProxyType(
    {"box lorry": _box_body, "tipper": _skip, "flatbed": _crates, "tanker": _tank}
)
"""Kind of lorry to the function that draws its load between two x."""


def make_freight(rng: random.Random, kind: str, mark: Rgb) -> Freight:
    """The load of a lorry of `kind`; `mark` is the firm's colour."""
    pale: Rgb = rng.choice(((236, 234, 226), (214, 218, 224), (200, 204, 210)))
    heights = {"box lorry": rng.uniform(2.9, 3.4), "tipper": 2.15, "flatbed": 2.4, "tanker": 2.75}
    return Freight(
        paint=jittered(rng, (176, 180, 186) if kind == "tipper" else pale),
        mark=mark,
        height=heights[kind],
        half=1.15,
        crates=tuple(rng.uniform(0.6, 1.35) for _ in range(rng.randint(3, 4))),
    )

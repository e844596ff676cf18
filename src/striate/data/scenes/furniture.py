"""Street furniture and shrubs: what stands about and is nobody's target."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from striate.data.scenes.chance import jittered
from striate.data.scenes.names import Rgb, StuffName
from striate.data.scenes.shapes.solid import box, darker, lighter
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["CLUTTER_KINDS", "Furniture", "make_furniture"]

_STEEL: Rgb = (78, 84, 94)
_WOOD: Rgb = (168, 118, 76)
_SNOW: Rgb = (244, 247, 250)


@dataclass(frozen=True, slots=True)
class Furniture:
    """One piece; `half` is half its length along the street, metres."""

    kind: str
    tint: Rgb
    half: float
    seed: int

    @property
    def stuff(self) -> StuffName:
        """Its semantic class."""
        return "vegetation" if self.kind in ("bush", "planter") else "furniture"

    def draw(self, sketch: Sketch, view: View) -> None:
        """Draw it by its kind."""
        _KINDS[self.kind][1](self, sketch, view)


def _lamp(piece: Furniture, sketch: Sketch, view: View) -> None:
    sketch.stroke(((0, 0.05, 0), (0, 0.6, 0)), 0.12, piece.tint)
    sketch.stroke(((0, 0.5, 0), (0, 4.3, 0), (0, 4.55, -0.15), (0, 4.65, -0.55)), 0.055, piece.tint)
    sketch.stroke(((0, 4.62, -0.5), (0, 4.6, -1.0)), 0.09, darker(piece.tint, 0.2))
    glow = view.lamps if view.lamps > 0.05 else 0.0
    sketch.ball((0, 4.52, -0.78), 0.16, (255, 236, 186), 0.9, glow=glow)


def _bench(piece: Furniture, sketch: Sketch, view: View) -> None:
    for x in (-0.7, 0.7):
        sketch.stroke(((x, 0, -0.2), (x, 0.45, -0.2)), 0.05, _STEEL)
        sketch.stroke(((x, 0, 0.2), (x, 0.85, 0.24)), 0.05, _STEEL)
    for y in (0.62, 0.84):
        sketch.stroke(((-0.95, y, 0.24), (0.95, y, 0.24)), 0.075, piece.tint)
    sketch.face(
        ((-0.98, 0.46, -0.26), (0.98, 0.46, -0.26), (0.98, 0.46, 0.26), (-0.98, 0.46, 0.26)),
        lighter(piece.tint, 0.1),
        view.tone(0, 1, 0),
    )
    sketch.face(
        ((-0.98, 0.46, -0.26), (0.98, 0.46, -0.26), (0.98, 0.38, -0.26), (-0.98, 0.38, -0.26)),
        darker(piece.tint, 0.15),
        view.tone(0, 0, -1),
    )


def _bin(piece: Furniture, sketch: Sketch, view: View) -> None:
    at = view.billboard
    sketch.face((at(-0.26, 0), at(0.26, 0), at(0.34, 0.92), at(-0.34, 0.92)), piece.tint, 0.5)
    sketch.face(
        (at(0.06, 0), at(0.26, 0), at(0.34, 0.92), at(0.1, 0.92)),
        darker(piece.tint, 0.3),
        0.3,
        alpha=150,
    )
    sketch.stroke((at(-0.36, 0.96), at(0.36, 0.96)), 0.06, darker(piece.tint, 0.4))


def _bollard(piece: Furniture, sketch: Sketch, view: View) -> None:
    sketch.stroke(((0, 0, 0), (0, 0.82, 0)), 0.11, piece.tint)
    sketch.stroke(((0, 0.62, 0), (0, 0.7, 0)), 0.115, (236, 232, 222))


def _bush(piece: Furniture, sketch: Sketch, view: View) -> None:
    rng = random.Random(piece.seed)
    at = view.billboard
    puffs = [(rng.uniform(-0.5, 0.5), rng.uniform(0.3, 0.62), rng.uniform(0.3, 0.44)) for _ in range(5)]
    for colour, shrink, rise in (
        (darker(piece.tint, 0.25), 1.0, 0.0),
        (piece.tint, 0.82, 0.06),
        (lighter(piece.tint, 0.2), 0.4, 0.16),
    ):
        for across, up, radius in puffs:
            sketch.ball(at(across, up + rise), radius * shrink, colour, 0.4 + rise)
    if view.snow:
        for across, up, radius in puffs:
            sketch.ball(at(across, up + radius * 0.5), radius * 0.6, _SNOW, 0.6, alpha=220)


def _planter(piece: Furniture, sketch: Sketch, view: View) -> None:
    rng = random.Random(piece.seed)
    box(sketch, view, (-0.6, 0, -0.25), (0.6, 0.5, 0.25), (164, 148, 132))
    for _ in range(7):
        sketch.ball(
            (rng.uniform(-0.5, 0.5), rng.uniform(0.55, 0.75), rng.uniform(-0.2, 0.2)), 0.2, (96, 152, 84)
        )
    for _ in range(6):
        sketch.ball((rng.uniform(-0.5, 0.5), rng.uniform(0.65, 0.9), -0.2), 0.075, piece.tint, 0.7)


def _column(piece: Furniture, sketch: Sketch, view: View) -> None:
    at = view.billboard
    sketch.face((at(-0.55, 0), at(0.55, 0), at(0.55, 2.5), at(-0.55, 2.5)), (226, 218, 200), 0.5)
    rng = random.Random(piece.seed)
    for index in range(4):
        x, y = -0.5 + 0.5 * (index % 2), 0.45 + 0.95 * (index // 2)
        tint: Rgb = (rng.randint(60, 240), rng.randint(60, 220), rng.randint(60, 220))
        sketch.face(
            (at(x, y), at(x + 0.44, y), at(x + 0.44, y + 0.85), at(x, y + 0.85)), tint, 0.5, decal=True
        )
    sketch.face((at(0.15, 0), at(0.55, 0), at(0.55, 2.5), at(0.25, 2.5)), (60, 60, 70), 0.2, alpha=60)
    sketch.face(
        (at(-0.7, 2.5), at(0.7, 2.5), at(0.45, 2.75), at(0, 2.95), at(-0.45, 2.75)), piece.tint, 0.5
    )


def _cone(piece: Furniture, sketch: Sketch, view: View) -> None:
    at = view.billboard
    sketch.face((at(-0.32, 0), at(0.32, 0), at(0.32, 0.07), at(-0.32, 0.07)), (60, 60, 66), 0.4)
    sketch.face((at(-0.22, 0.06), at(0.22, 0.06), at(0.05, 0.72), at(-0.05, 0.72)), (240, 116, 52), 0.6)
    sketch.face(
        (at(-0.155, 0.3), at(0.155, 0.3), at(0.11, 0.46), at(-0.11, 0.46)),
        (246, 244, 238),
        0.6,
        decal=True,
    )


def _parasol(piece: Furniture, sketch: Sketch, view: View) -> None:
    at = view.billboard
    for x in (-0.75, 0.75):
        sketch.face(
            (at(x - 0.2, 0.42), at(x + 0.2, 0.42), at(x + 0.2, 0.5), at(x - 0.2, 0.5)), _WOOD, 0.5
        )
        sketch.stroke((at(x, 0), at(x, 0.44)), 0.04, _STEEL)
    sketch.stroke((at(0, 0), at(0, 2.3)), 0.035, (226, 222, 214))
    sketch.face((at(-0.5, 0.7), at(0.5, 0.7), at(0.5, 0.78), at(-0.5, 0.78)), (236, 232, 224), 0.6)
    arc = [(math.cos(math.pi * i / 8), math.sin(math.pi * i / 8)) for i in range(9)]
    sketch.face([at(1.15 * c, 1.95 + 0.5 * s) for c, s in arc], piece.tint, 0.6)
    sketch.face([at(0.4 * c, 1.95 + 0.5 * s) for c, s in arc], (248, 244, 234), 0.6, decal=True)


_TINTS: tuple[Rgb, ...] = ((206, 74, 66), (64, 128, 120), (232, 176, 72), (78, 102, 158))
_GREENS: tuple[Rgb, ...] = ((92, 146, 80), (112, 160, 82), (74, 128, 84))
_Draw = Callable[[Furniture, Sketch, View], None]
_KINDS: MappingProxyType[str, tuple[float, _Draw, tuple[Rgb, ...]]] = MappingProxyType(
    {
        "lamp": (0.2, _lamp, (_STEEL, (58, 74, 70))),
        "bench": (1.0, _bench, (_WOOD, (126, 84, 58))),
        "bin": (0.35, _bin, ((66, 108, 88), _STEEL, (176, 88, 66))),
        "bollard": (0.15, _bollard, ((60, 64, 72), (120, 66, 60))),
        "bush": (0.8, _bush, _GREENS),
        "planter": (0.6, _planter, ((236, 110, 120), (246, 196, 80), (190, 120, 200))),
        "column": (0.7, _column, ((66, 100, 92), (92, 76, 84))),
        "cone": (0.3, _cone, ((240, 116, 52),)),
        "parasol": (1.1, _parasol, _TINTS),
    }
)
CLUTTER_KINDS: tuple[str, ...] = (
    "bench",
    "bin",
    "bollard",
    "bush",
    "planter",
    "column",
    "cone",
    "parasol",
)


def make_furniture(rng: random.Random, kind: str) -> Furniture:
    """A piece of `kind` drawn by `rng`."""
    half, _, tints = _KINDS[kind]
    return Furniture(kind, jittered(rng, rng.choice(tints)), half, rng.getrandbits(32))

"""A tree: round crown, poplar, conifer, birch or blossom, in summer or autumn leaf."""

from __future__ import annotations

import random
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from striate.data.scenes.chance import jittered
from striate.data.scenes.light import Triple
from striate.data.scenes.names import Rgb
from striate.data.scenes.shapes.solid import darker, lighter
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["Tree", "make_tree"]

_SNOW: Rgb = (244, 247, 250)
_LEAVES: MappingProxyType[str, tuple[Rgb, ...]] = MappingProxyType(
    {
        "green": ((86, 152, 78), (112, 168, 74), (62, 128, 86)),
        "orange": ((222, 138, 58), (206, 112, 52)),
        "yellow": ((230, 184, 72), (216, 170, 60)),
        "pink": ((238, 168, 186), (230, 150, 172)),
    }
)


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree; `size` is width, height, depth in metres. `puffs`: (across, up, radius) shares."""

    label: ClassVar[str] = "tree"
    solid: ClassVar[bool] = False
    kind: str
    colour: str
    paint: Rgb
    size: Triple
    bark: Rgb
    puffs: tuple[Triple, ...]

    def draw(self, sketch: Sketch, view: View) -> None:
        """Trunk and boughs, then the crown from shade to light."""
        wide, tall, _ = self.size
        at = view.billboard
        trunk = 0.075 * wide + 0.05
        top = tall * (0.3 if self.kind == "conifer" else 0.55)
        sketch.face(
            (at(-trunk * 1.35, 0), at(trunk * 1.35, 0), at(trunk * 0.7, top), at(-trunk * 0.7, top)),
            self.bark,
            0.45,
            part="trunk",
        )
        sketch.face(
            (at(trunk * 0.2, 0), at(trunk * 1.35, 0), at(trunk * 0.7, top), at(trunk * 0.1, top)),
            darker(self.bark, 0.3),
            0.3,
            alpha=130,
        )
        if self.kind == "conifer":
            self._conifer(sketch, view)
        else:
            self._crown(sketch, view)

    def _crown(self, sketch: Sketch, view: View) -> None:
        wide, tall, _ = self.size
        at = view.billboard
        # The sun's side of the crown, seen in the picture plane.
        rx, rz = view.right
        lean = view.sun[0] * rx + view.sun[2] * rz
        if self.kind != "poplar":
            for across, up in ((-0.2, 0.62), (0.18, 0.66)):
                sketch.stroke(
                    (at(0, tall * 0.4), at(across * wide, up * tall)), 0.03 * wide, self.bark, 0.4
                )
        for shade, shrink, shift in (
            (darker(self.paint, 0.26), 1.0, 0.0),
            (self.paint, 0.86, 0.10),
            (lighter(self.paint, 0.17), 0.60, 0.24),
        ):
            for across, up, radius in self.puffs:
                # Only the upper, sunny half of the crown has highlights.
                if shrink < 0.7 and up + 0.5 * lean * across < 0.66:
                    continue
                size = radius * wide * shrink
                rise = radius * wide * shift
                centre = at(across * wide + lean * rise * 1.2, up * tall + rise * 0.8)
                sketch.ball(centre, size, shade, 0.35 + shift, part="crown")
        if view.snow:
            self._caps(sketch, view)

    def _caps(self, sketch: Sketch, view: View) -> None:
        """Crescents of snow on the upper puffs: a white disc, and leaf again below it."""
        (wide, tall, _), at = self.size, view.billboard
        for across, up, radius in sorted(self.puffs, key=lambda puff: -puff[1]):
            if up > 0.58:
                x, y, size = across * wide, up * tall, radius * wide * 0.85
                sketch.ball(at(x, y + 0.03 * wide), size, _SNOW, 0.6, decal=True)
                sketch.ball(at(x, y - 0.05 * wide), size, self.paint, 0.4, decal=True)

    def _conifer(self, sketch: Sketch, view: View) -> None:
        wide, tall, _ = self.size
        at = view.billboard
        for index in range(4):
            low, high = tall * (0.14 + 0.2 * index), tall * (0.46 + 0.18 * index)
            half = wide * (0.5 - 0.095 * index)
            sag = 0.05 * tall
            tier = (
                at(-half, low),
                at(-half * 0.5, low - sag * 0.5),
                at(0, low - sag * 0.7),
                at(half * 0.5, low - sag * 0.5),
                at(half, low),
                at(0, min(high, tall)),
            )
            sketch.face(tier, lighter(self.paint, 0.05 * index), 0.4, part="crown")
            sketch.face(
                (
                    at(0, low - sag * 0.7),
                    at(half * 0.5, low - sag * 0.5),
                    at(half, low),
                    at(0, min(high, tall)),
                ),
                darker(self.paint, 0.3),
                0.3,
                alpha=110,
            )
            if view.snow:
                sketch.face(
                    (
                        at(-half * 0.5, (low + high) / 2),
                        at(half * 0.5, (low + high) / 2),
                        at(0, min(high, tall)),
                    ),
                    (244, 247, 250),
                    0.6,
                    alpha=235,
                )


def _puffs(rng: random.Random, kind: str) -> tuple[Triple, ...]:
    if kind == "poplar":
        return tuple(
            (rng.uniform(-0.05, 0.05), 0.30 + 0.115 * i, 0.42 - 0.045 * abs(i - 2)) for i in range(5)
        )
    base: list[Triple] = [
        (-0.24, 0.60, 0.25),
        (0.25, 0.60, 0.24),
        (0.0, 0.56, 0.28),
        (-0.13, 0.78, 0.25),
        (0.15, 0.78, 0.24),
        (0.0, 0.86, 0.2),
    ]
    return tuple(
        (x + rng.uniform(-0.04, 0.04), y + rng.uniform(-0.025, 0.025), r * rng.uniform(0.9, 1.08))
        for x, y, r in base
    )


def make_tree(rng: random.Random) -> Tree:
    """A tree drawn by `rng`."""
    kind = rng.choice(("round", "round", "poplar", "conifer", "birch"))
    colour = (
        "green"
        if kind in ("conifer", "poplar")
        else rng.choice(("green", "green", "green", "orange", "yellow", "pink"))
    )
    leaves: Rgb = (48, 110, 82) if kind == "conifer" else rng.choice(_LEAVES[colour])
    bark: Rgb = (222, 218, 208) if kind == "birch" else (122, 88, 64)
    tall = rng.uniform(4.4, 5.8) if kind != "poplar" else rng.uniform(5.4, 6.6)
    wide = (
        {"round": 0.74, "birch": 0.56, "poplar": 0.30, "conifer": 0.56}[kind]
        * tall
        * rng.uniform(0.88, 1.08)
    )
    return Tree(
        kind, colour, jittered(rng, leaves), (wide, tall, 0.8), jittered(rng, bark), _puffs(rng, kind)
    )

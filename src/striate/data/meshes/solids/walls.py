"""Blocks whose walls carry windows, lights and doors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from striate.data.meshes.mesh import Mesh
from striate.data.meshes.shapes import RGB, Point, frustum, patch_on

__all__ = ["Body", "Wall", "lighter"]

Wall: TypeAlias = Literal["front", "back", "left", "right", "top"]
"""left: towards +x, which is the left of who sits in it."""

Span = tuple[float, float]


def lighter(colour: Sequence[int], by: float) -> RGB:
    """`colour` mixed with white by a share `by`; with black, where that is below 0."""
    end = 255 if by > 0 else 0
    red, green, blue = (round(one + abs(by) * (end - one)) for one in colour)
    return red, green, blue


@dataclass(frozen=True, slots=True)
class Body:
    """A block, perhaps narrower on top: half widths and z from back to front, below and above."""

    half: float
    zs: Span
    ys: Span
    top_half: float
    top_zs: Span

    @classmethod
    def straight(cls, half: float, zs: Span, ys: Span) -> Body:
        """One whose walls stand upright."""
        return cls(half, zs, ys, half, zs)

    def mesh(self, colour: RGB, part: str = "body") -> Mesh:
        """The block itself."""
        low, high = (-self.half, self.zs[0]), (self.half, self.zs[1])
        top_low, top_high = (-self.top_half, self.top_zs[0]), (self.top_half, self.top_zs[1])
        return frustum(low, high, top_low, top_high, self.ys, colour, part)

    def wall(self, wall: Wall) -> tuple[Point, Point, Point, Point]:
        """Its corners seen from outside: lower left, lower right, upper right, upper left."""
        (back, front), (top_back, top_front) = self.zs, self.top_zs
        h, t, (y0, y1) = self.half, self.top_half, self.ys
        if wall == "front":
            return (-h, y0, front), (h, y0, front), (t, y1, top_front), (-t, y1, top_front)
        if wall == "back":
            return (h, y0, back), (-h, y0, back), (-t, y1, top_back), (t, y1, top_back)
        if wall == "left":
            return (h, y0, front), (h, y0, back), (t, y1, top_back), (t, y1, top_front)
        if wall == "right":
            return (-h, y0, back), (-h, y0, front), (-t, y1, top_front), (-t, y1, top_back)
        return (-t, y1, top_front), (t, y1, top_front), (t, y1, top_back), (-t, y1, top_back)

    def patch(
        self, wall: Wall, us: Span, vs: Span, colour: RGB, part: str, *, lift: float = 0.012
    ) -> Mesh:
        """A patch on one wall: shares of its width, from the left, and of its height, from below."""
        return patch_on(self.wall(wall), us, vs, colour, part, lift=lift)

    def along(self, us: Span, vs: Span, colour: RGB, part: str, *, lift: float = 0.012) -> list[Mesh]:
        """The same patch on both sides; `us` are shares of the length, from the front."""
        back = (1 - us[1], 1 - us[0])
        return [
            self.patch("left", us, vs, colour, part, lift=lift),
            self.patch("right", back, vs, colour, part, lift=lift),
        ]

    def pair(self, wall: Wall, us: Span, vs: Span, colour: RGB, part: str) -> list[Mesh]:
        """A patch on the left half of a wall, and its mirror image on the right half."""
        return [
            self.patch(wall, us, vs, colour, part),
            self.patch(wall, (1 - us[1], 1 - us[0]), vs, colour, part),
        ]

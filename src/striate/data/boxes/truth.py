"""What is true of a picture with boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Box", "Boxes"]


@dataclass(frozen=True, slots=True)
class Box:
    """One object and where it is.

    `box_xyxy`: left, top, right and bottom edge in pixels of the upright picture; the first pixel
    reaches from 0 to 1, so a box around all of it is (0, 0, width, height). `angle_deg`: the box is
    turned by so much, clockwise as seen, about its middle; 0 for upright boxes. `crowd`: a region with
    many objects that cannot be told apart: finding something there is neither right nor wrong.
    `difficult`: too hard to be counted (Pascal VOC); treated as a crowd. `extras`: what the file said
    besides, as (name, text), kept so that it can be written again.
    """

    label: str
    box_xyxy: tuple[float, float, float, float]
    angle_deg: float = 0.0
    crowd: bool = False
    difficult: bool = False
    extras: tuple[tuple[str, str], ...] = ()


Boxes: TypeAlias = tuple[Box, ...]
"""The truth of one picture: its objects, perhaps none."""

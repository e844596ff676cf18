"""The nouns of stress: an axis along which pictures are changed, and what a change did to places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from striate.types import Array, PictureArray

__all__ = ["SEVERITIES", "Axis", "Changed", "Family", "Material", "Move", "Redraw"]

SEVERITIES = (1, 2, 3, 4, 5)

Family: TypeAlias = Literal[
    "viewpoint", "occlusion", "light", "background", "noise", "blur", "weather", "digital", "variation"
]
"""What axes have in common; the card groups them by it."""

Move: TypeAlias = Callable[[Array], Array]
"""Where points float64 (N, 2), (x, y) in pixels of the unchanged input, lie after the change.

Coordinates are continuous: pixel (row i, column j) covers [j, j + 1) × [i, i + 1). What is carried out
of the picture lies outside it."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What an axis may use besides the pictures (B of them, as the network sees them).

    `seeds` int64 (B,): one a picture, stable under any batching; the only source of chance.
    `others` uint8 (M, h, w, 3): other pictures of the data set, for backgrounds; may be empty.
    `masks` bool (B, h, w): where the object is; None where the data does not tell.
    `heat` float32 (B, h, w), 0 … 1: what the run's answer rests on; None unless the axis asks
    (`Axis.needs_heat`). `redraw`: draws the pictures again; None unless the data can
    (`Axis.needs_redraw`).
    """

    seeds: Array
    others: PictureArray
    masks: Array | None = None
    heat: Array | None = None
    redraw: Redraw | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """Changed pictures uint8 (B, h, w, 3). `moves`: one a picture where places changed, else None.

    `truths`: one a picture where it was drawn again, so that its truth is known anew, else None.
    """

    pictures: PictureArray
    moves: tuple[Move, ...] | None = None
    truths: tuple[Any, ...] | None = None


Redraw: TypeAlias = Callable[[str, float], Changed]
"""(name of an axis, level) → the same pictures drawn again so, with their truths."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that makes vision hard. `levels`: its five severities in `unit`, mild to harsh.

    `change(pictures, level, material)` never changes its input; equal arguments, equal result; what
    becomes of a picture depends on no other picture but `material.others`.
    """

    name: str
    title: str
    family: Family
    unit: str
    levels: tuple[float, float, float, float, float]
    change: Callable[[PictureArray, float, Material], Changed]
    source: str = ""
    """Paper or definition, for the card's small print."""
    needs_heat: bool = False
    needs_masks: bool = False
    needs_redraw: bool = False

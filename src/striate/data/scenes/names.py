"""The names a scene can show: objects, stuff and colours, in a fixed order."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

__all__ = [
    "OBJECT_IDS",
    "OBJECT_NAMES",
    "PAINTS",
    "SEMANTIC_NAMES",
    "STUFF_NAMES",
    "VEHICLE_NAMES",
    "ObjectName",
    "Rgb",
    "stuff_id",
]

Rgb: TypeAlias = tuple[int, int, int]
ObjectName = Literal[
    "car",
    "bus",
    "truck",
    "bicycle",
    "pedestrian",
    "traffic-light",
    "stop-sign",
    "tree",
    "house",
    "dog",
]
OBJECT_NAMES: tuple[ObjectName, ...] = get_args(ObjectName)
"""What can be counted; `Scene.labels` are indices into this."""

OBJECT_IDS: MappingProxyType[str, int] = MappingProxyType(
    {name: number for number, name in enumerate(OBJECT_NAMES)}
)
"""Class name to its index in `OBJECT_NAMES`."""

VEHICLE_NAMES: tuple[ObjectName, ...] = ("car", "bus", "truck", "bicycle")

StuffName = Literal["sky", "building", "road", "pavement", "vegetation", "furniture"]
STUFF_NAMES: tuple[StuffName, ...] = get_args(StuffName)
"""What fills the rest: furniture is lamps, benches, bins, fences."""

SEMANTIC_NAMES: tuple[str, ...] = (*STUFF_NAMES, *OBJECT_NAMES)
"""`Scene.semantic` holds indices into this; every pixel has one."""


def stuff_id(name: StuffName) -> int:
    """The index of a stuff class in `SEMANTIC_NAMES`."""
    return STUFF_NAMES.index(name)


PAINTS: MappingProxyType[str, Rgb] = MappingProxyType(
    {
        "red": (217, 58, 54),
        "orange": (240, 128, 44),
        "yellow": (246, 196, 48),
        "green": (56, 150, 92),
        "blue": (46, 108, 204),
        "purple": (128, 84, 180),
        "pink": (238, 130, 160),
        "brown": (140, 92, 58),
        "white": (240, 240, 236),
        "grey": (142, 148, 156),
        "black": (46, 48, 56),
    }
)
"""Colour words and the sRGB they are drawn with, before variation and light."""

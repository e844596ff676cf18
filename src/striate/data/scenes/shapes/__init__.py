"""Everything that can be counted: one module a kind, one visible table."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import MappingProxyType
from typing import Protocol

from striate.data.scenes.light import Triple
from striate.data.scenes.names import ObjectName, Rgb
from striate.data.scenes.shapes.bicycle import make_bicycle
from striate.data.scenes.shapes.bus import make_bus
from striate.data.scenes.shapes.car import make_car
from striate.data.scenes.shapes.dog import make_dog
from striate.data.scenes.shapes.house import make_house
from striate.data.scenes.shapes.pedestrian import make_pedestrian
from striate.data.scenes.shapes.street import make_stop_sign, make_traffic_light
from striate.data.scenes.shapes.tree import make_tree
from striate.data.scenes.shapes.truck import make_truck
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["SHAPES", "Shape"]


class Shape(Protocol):
    """A thing that knows its size, its words and how to draw itself."""

    @property
    def label(self) -> str: ...
    @property
    def solid(self) -> bool: ...
    @property
    def kind(self) -> str: ...
    @property
    def colour(self) -> str: ...
    @property
    def paint(self) -> Rgb: ...
    @property
    def size(self) -> Triple: ...

    def draw(self, sketch: Sketch, view: View) -> None: ...


SHAPES: MappingProxyType[ObjectName, Callable[[random.Random], Shape]] = MappingProxyType(
    {
        "car": make_car,
        "bus": make_bus,
        "truck": make_truck,
        "bicycle": make_bicycle,
        "pedestrian": make_pedestrian,
        "traffic-light": make_traffic_light,
        "stop-sign": make_stop_sign,
        "tree": make_tree,
        "house": make_house,
        "dog": make_dog,
    }
)
"""Class name to maker; a maker draws one individual from a generator."""

"""What a scene is drawn from: the actors on the street, in painter's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from striate.data.scenes.light import Light
from striate.data.scenes.settings import SceneSettings
from striate.data.scenes.shapes import Shape
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import LANES, Camera, Lane, Pose, View

__all__ = ["RANKS", "Actor", "Stage", "by_depth"]

RANKS: MappingProxyType[Lane, int] = MappingProxyType({lane: rank for rank, lane in enumerate(LANES)})
"""The lanes counted from far to near."""


class Drawable(Protocol):
    """Anything that can draw itself in its own axes."""

    def draw(self, sketch: Sketch, view: View) -> None: ...


@dataclass(frozen=True, slots=True)
class Actor:
    """One thing on the stage. `rank` is its lane, `half` half its length along the street.

    `semantic`: index into `SEMANTIC_NAMES`. `shape`: set if it is an object that truth names.
    `solid`: its shadow is one convex outline. `casts`: it throws a shadow. `lamp`: a street lamp.
    """

    drawable: Drawable
    pose: Pose
    rank: int
    half: float
    semantic: int
    shape: Shape | None = None
    solid: bool = False
    casts: bool = True
    lamp: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Everything a scene is drawn from. `actors` are in painter's order, far to near."""

    settings: SceneSettings
    seed: int
    camera: Camera
    light: Light
    actors: tuple[Actor, ...]
    main: Actor | None


def by_depth(actors: Sequence[Actor], camera: Camera) -> tuple[Actor, ...]:
    """Exact painter's order: lanes from far to near, in a lane from the ends to the camera."""
    eye = camera.position[0]
    return tuple(sorted(actors, key=lambda a: (a.rank, -max(0.0, abs(a.pose.x - eye) - a.half))))

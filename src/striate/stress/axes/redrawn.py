"""Stress by drawing again: sets that are made from seeds, with one thing changed and all else kept.

Nothing is resampled and nothing comes in from beyond an edge: a picture is made anew, and its truth is
the one that it was made with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, runtime_checkable

from striate.data.boxes.truth import Boxes
from striate.data.dataset import Origin, Record
from striate.stress.changes import Axis, Changed, Family, Material
from striate.types import PictureArray

__all__ = ["REDRAWN", "Redrawable", "changes", "redrawn"]


@runtime_checkable
class Redrawable(Origin, Protocol):
    """An origin whose picture can be drawn again. Files cannot; generators may."""

    def redrawn(self, change: str, level: float) -> Redrawable | None:
        """The same with one thing changed, named as its axis; None where it has no such thing."""
        ...

    def values(self, names: Sequence[str]) -> tuple[float, ...]:
        """The numbers of these names that are true of it."""
        ...

    def boxes(self) -> Boxes:
        """The boxes that are true of it, in pixels of its picture."""
        ...


def changes(origin: Origin, axis: Axis) -> bool:
    """Whether a picture can be drawn again along `axis`."""
    return isinstance(origin, Redrawable) and origin.redrawn(axis.name, axis.levels[-1]) is not None


def redrawn(record: Record[Any], names: Sequence[str], change: str, level: float) -> Record[Any] | None:
    """`record` drawn again, with its truth in the same terms; None where it cannot be.

    `names`: classes or numbers, as the data set has them.
    """
    found = record.origin.redrawn(change, level) if isinstance(record.origin, Redrawable) else None
    if found is None:
        return None
    return replace(record, origin=found, target=_truth(found, record.target, names))


def _truth(origin: Redrawable, before: tuple[Any, ...], names: Sequence[str]) -> tuple[Any, ...]:
    if before and all(isinstance(one, str) for one in before):
        return before  # what it shows stays what it is
    if before and all(isinstance(one, float) for one in before):
        return origin.values(names)
    return tuple(box for box in origin.boxes() if box.label in names)


# -- the axes ---------------------------------------------------------------------------------


def _change(pictures: PictureArray, level: float, material: Material, *, name: str) -> Changed:
    assert material.redraw is not None, "an axis that draws again was given nothing to draw with"
    return material.redraw(name, level)


def _axis(
    name: str,
    title: str,
    family: Family,
    unit: str,
    levels: tuple[float, float, float, float, float],
    source: str,
) -> Axis:
    change = partial(_change, name=name)
    return Axis(name, title, family, unit, levels, change, source, needs_redraw=True)


REDRAWN: tuple[Axis, ...] = (
    _axis(
        "pose",
        "Turned in space",
        "viewpoint",
        "degrees",
        (10, 20, 30, 45, 60),
        "3-D objects and heads, rendered again: turned about any axis, away from the pose drawn; angles "
        "that are told move along",
    ),
    _axis(
        "camera-round",
        "Seen from further round",
        "viewpoint",
        "degrees",
        (30, 40, 50, 60, 70),
        "scenes of one object, drawn again: the camera at least so far from straight across the street",
    ),
    _axis(
        "camera-above",
        "Seen from above",
        "viewpoint",
        "degrees",
        (15, 20, 30, 40, 50),
        "scenes of one object, drawn again: the camera looks down at least so steeply",
    ),
    _axis(
        "camera-far",
        "Seen from afar",
        "viewpoint",
        "× as small",
        (1.25, 1.5, 2, 3, 4),
        "scenes of one object, drawn again: the camera farther away, more of the street around",
    ),
    _axis(
        "hoarding",
        "Behind a hedge or hoarding",
        "occlusion",
        "share of each object hidden",
        (0.15, 0.3, 0.45, 0.6, 0.75),
        "scenes, drawn again; boxes are around what is left",
    ),
    _axis(
        "nightfall",
        "Nightfall",
        "light",
        "share of daylight gone",
        (0.3, 0.5, 0.7, 0.85, 1.0),
        "scenes, drawn again: a low sun, dusk with street lamps, night",
    ),
    _axis(
        "litter",
        "Things in the street",
        "background",
        "share of a full street",
        (0.7, 0.775, 0.85, 0.925, 1.0),
        "scenes, drawn again: benches, bins, signs, posters, graffiti",
    ),
    _axis(
        "articulation",
        "Limbs bent",
        "variation",
        "share of the way to their limits",
        (0.45, 0.6, 0.75, 0.9, 1.0),
        "people and dogs, rendered again: the posture that was drawn, further from standing",
    ),
    _axis(
        "deformation",
        "Bent as a whole",
        "variation",
        "share of the strongest bend",
        (0.2, 0.4, 0.6, 0.8, 1.0),
        "objects of scenes, drawn again: bent smoothly, up to a sixth of their size",
    ),
)
"""The axes of drawing again. An origin knows a change by the name of its axis."""

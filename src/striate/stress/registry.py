"""The axes there are: one visible table, by name, and their families in the order of the card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from striate.errors import UnknownNameError
from striate.stress.axes.background import BACKGROUND
from striate.stress.axes.deformation import DEFORMATION, deformation_axes
from striate.stress.axes.geometry import GEOMETRY, geometry_axes
from striate.stress.axes.light import LIGHT
from striate.stress.axes.occlusion import OCCLUSION, occlusion_axes
from striate.stress.axes.redrawn import REDRAWN
from striate.stress.axes.sensor import SENSOR
from striate.stress.axes.truncation import TRUNCATION
from striate.stress.changes import Axis, Family
from striate.stress.corruptions import CORRUPTIONS, EXTRA_CORRUPTIONS

__all__ = ["AXES", "EXTRA", "FAMILIES", "axes_for", "chosen_axes", "uses_masks"]

FAMILIES: Mapping[Family, str] = MappingProxyType(
    {
        "viewpoint": "Where it is seen from",
        "occlusion": "What is hidden",
        "light": "How it is lit",
        "background": "What is behind it",
        "variation": "What shape it has",
        "noise": "Noise",
        "blur": "Blur",
        "weather": "Weather",
        "digital": "What files do",
    }
)
"""Family → its title on the card."""


def _by_name(*groups: Sequence[Axis]) -> Mapping[str, Axis]:
    """In the order of families, each axis once."""
    listed = [axis for group in groups for axis in group]
    names = [axis.name for axis in listed]
    assert len(set(names)) == len(names), names
    order = list(FAMILIES)
    listed.sort(key=lambda axis: order.index(axis.family))
    return MappingProxyType({axis.name: axis for axis in listed})


AXES: Mapping[str, Axis] = _by_name(
    GEOMETRY, TRUNCATION, OCCLUSION, LIGHT, BACKGROUND, DEFORMATION, REDRAWN, SENSOR, CORRUPTIONS
)
"""By name, for answers about the whole picture."""

_OF_PLACES: Mapping[str, Axis] = _by_name(
    geometry_axes("rim"),
    TRUNCATION,
    occlusion_axes(placed=True),
    LIGHT,
    BACKGROUND,
    deformation_axes("rim"),
    REDRAWN,
    SENSOR,
    CORRUPTIONS,
)
"""For answers about places: what comes in from beyond the edge must add no thing."""

EXTRA: Mapping[str, Axis] = _by_name(EXTRA_CORRUPTIONS)
"""Measured only where they are named: the benchmark keeps them apart, for tuning."""


def axes_for(*, placed: bool) -> Mapping[str, Axis]:
    """All axes as they suit a task whose answers are about places, or not."""
    return _OF_PLACES if placed else AXES


def chosen_axes(names: Sequence[str], *, placed: bool) -> tuple[Axis, ...]:
    """The axes of these names or families, in the order of the card; all but `EXTRA` without names.

    An unknown name lists the choices.
    """
    known = axes_for(placed=placed)
    if not names:
        return tuple(known.values())
    for name in names:
        if name not in known and name not in FAMILIES and name not in EXTRA:
            raise UnknownNameError("axis", name, [*FAMILIES, *known, *EXTRA])
    by_name = tuple(one for one in known.values() if one.name in names or one.family in names)
    return by_name + tuple(one for one in EXTRA.values() if one.name in names)


def uses_masks(axis: Axis) -> bool:
    """Whether it looks at where the object is, if the data says so, needed or not."""
    return axis.needs_masks or any(axis.name == one.name for one in TRUNCATION)

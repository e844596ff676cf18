"""The axes there are: one visible table, by name, and their families in the order of the card."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from striate.errors import UnknownNameError, UsageError
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

__all__ = ["AXES", "EXTRA", "FAMILIES", "axes_for", "chosen_axes", "name_of_family", "uses_masks"]

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

_NEAR = 4
_LIST = "striate stress --list"


def axes_for(*, placed: bool) -> Mapping[str, Axis]:
    """All axes as they suit a task whose answers are about places, or not."""
    return _OF_PLACES if placed else AXES


def name_of_family(family: Family) -> str:
    """What chooses all axes of a family: its name, or "all-noise" where an axis is called so itself."""
    return f"all-{family}" if family in AXES else family


def chosen_axes(names: Sequence[str], *, placed: bool) -> tuple[Axis, ...]:
    """The axes of these names or families, in the order of the card; all but `EXTRA` without names.

    `names`: of axes, or what `name_of_family` gives. Hyphens, underscores, spaces and capitals are one.
    Unknown names are told all at once, each with the nearest there is.
    """
    known = axes_for(placed=placed)
    if not names:
        return tuple(known.values())
    families = {name_of_family(one): one for one in FAMILIES}
    choices = {_plain(one): one for one in (*families, *known, *EXTRA)}
    wrong = list(dict.fromkeys(name for name in names if _plain(name) not in choices))
    if wrong:
        raise _unknown(wrong, choices)
    chosen = {choices[_plain(name)] for name in names}
    whole = {families[one] for one in chosen if one in families}
    found = tuple(one for one in known.values() if one.name in chosen or one.family in whole)
    return found + tuple(one for one in EXTRA.values() if one.name in chosen)


def _plain(name: str) -> str:
    """However it is spelt: "Motion blur" and "motion-blur" are motion_blur."""
    return "_".join(name.lower().replace("-", " ").replace("_", " ").split())


def _unknown(wrong: Sequence[str], choices: Mapping[str, str]) -> UsageError:
    near = [difflib.get_close_matches(_plain(name), choices, n=_NEAR, cutoff=0.5) for name in wrong]
    nearest = [[choices[one] for one in found] for found in near]
    if len(wrong) == 1:
        named = nearest[0] or [name_of_family(one) for one in FAMILIES]
        return UnknownNameError("axis", wrong[0], named, more=f"or another that {_LIST} names")
    told = [
        f"{name!r} (did you mean {found[0]!r}?)" if found else repr(name)
        for name, found in zip(wrong, nearest, strict=True)
    ]
    return UsageError(f"unknown axes {', '.join(told)}", expected=f"names of axes or families: {_LIST}")


def uses_masks(axis: Axis) -> bool:
    """Whether it looks at where the object is, if the data says so, needed or not."""
    return axis.needs_masks or any(axis.name == one.name for one in TRUNCATION)

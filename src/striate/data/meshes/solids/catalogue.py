"""The solids by name: as they usually are, and varied."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import MappingProxyType

import numpy as np

from striate.data.meshes.mesh import Mesh
from striate.data.meshes.shapes import RGB
from striate.data.meshes.solids.figures import Joints, Paws, dog, person
from striate.data.meshes.solids.head import HAIR, SKIN, head, head_template, stretched
from striate.data.meshes.solids.plane import plane
from striate.data.meshes.solids.tints import Tinted, tinted
from striate.data.meshes.solids.vehicles import bicycle, bus, car, truck, van
from striate.data.meshes.view import View
from striate.errors import UnknownNameError

__all__ = ["ALIASES", "CLASS_NAMES", "SOLID_NAMES", "canonical_view", "drawn_solid", "make_solid"]

_PAINTS: tuple[RGB, ...] = (
    (204, 44, 40), (36, 86, 172), (242, 180, 36), (44, 128, 84), (238, 238, 234), (56, 60, 68),
    (150, 156, 164), (226, 118, 40), (118, 78, 160), (126, 86, 56), (70, 158, 178), (232, 136, 160),
)  # fmt: skip
_COATS: tuple[RGB, ...] = (
    (176, 122, 70), (122, 80, 48), (224, 196, 150), (62, 54, 52), (236, 232, 224), (150, 144, 140),
)  # fmt: skip


def _pick(rng: np.random.Generator, colours: tuple[RGB, ...]) -> RGB:
    """One of them, a little changed."""
    chosen = np.asarray(colours[int(rng.integers(len(colours)))], np.float64)
    red, green, blue = np.clip(np.rint(chosen + rng.normal(0, 9, 3)), 0, 255).astype(int).tolist()
    return red, green, blue


@cache
def _vehicle(name: str) -> Tinted:
    make, paints = _PAINTED[name]
    return tinted(make, paints)


def _drawn_vehicle(name: str, rng: np.random.Generator) -> Mesh:
    bright = (*_PAINTS, (238, 238, 234), (236, 238, 240))
    return _vehicle(name).painted(*(_pick(rng, bright) for _ in range(_PAINTED[name][1])))


def _drawn_person(rng: np.random.Generator, deformation: float) -> Mesh:
    return person(
        _pick(rng, _PAINTS),
        _pick(rng, _PAINTS),
        _pick(rng, SKIN),
        _pick(rng, HAIR),
        joints=Joints.drawn(rng, deformation),
    )


def _drawn_head(rng: np.random.Generator, deformation: float) -> Mesh:
    """`deformation` is how unlike the faces are."""
    spread = 0.04 + 0.1 * deformation
    shape = np.clip(rng.normal(1.0, spread / 2, 3), 0.8, 1.2)
    kind = head_template(float(rng.choice((0.0, 0.4, 1.0))), float(rng.choice((0.75, 1.0, 1.3))))
    eyes = _pick(rng, ((62, 92, 120), (88, 62, 42), (84, 104, 70)))
    return stretched(kind.painted(_pick(rng, SKIN), _pick(rng, HAIR), _pick(rng, _PAINTS), eyes), shape)


# what makes it, and how many paints that takes
_PAINTED: MappingProxyType[str, tuple[Callable[..., Mesh], int]] = MappingProxyType(
    {
        "bicycle": (bicycle, 1),
        "bus": (bus, 1),
        "car": (car, 1),
        "plane": (plane, 1),
        "truck": (truck, 2),
        "van": (van, 1),
    }
)
# usual, and the yaw from which people draw it
_SOLIDS: MappingProxyType[str, tuple[Callable[[], Mesh], float]] = MappingProxyType(
    {
        "bicycle": (bicycle, 65.0),
        "bus": (bus, 40.0),
        "car": (car, 40.0),
        "dog": (dog, 55.0),
        "head": (head, 0.0),
        "person": (person, 15.0),
        "plane": (plane, 50.0),
        "truck": (truck, 40.0),
        "van": (van, 40.0),
    }
)
SOLID_NAMES: tuple[str, ...] = tuple(_SOLIDS)
"""What `make_solid` makes."""
CLASS_NAMES: tuple[str, ...] = tuple(name for name in SOLID_NAMES if name != "head")
"""Those that are told apart in the set `scenes-3d`."""

ALIASES: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        "bicycle": ("bike", "cycle"),
        "bus": ("coach", "school bus"),
        "car": ("automobile", "sedan"),
        "head": ("face",),
        "person": ("pedestrian", "human", "people"),
        "plane": ("airplane", "aeroplane", "aircraft", "airliner"),
        "truck": ("lorry",),
        "van": ("minivan",),
    }
)
"""Other words for them, which name the same thing in other data sets."""


def make_solid(name: str) -> Mesh:
    """The solid `name` as it usually is; other words for it are known. An `UnknownNameError` else."""
    return _SOLIDS[_known(name)][0]()


def drawn_solid(name: str, rng: np.random.Generator, deformation: float = 0.0) -> Mesh:
    """One of its kind: colours, and for a head the face, drawn by `rng`.

    `deformation`, 0 to 1: how far limbs may be from standing; how unlike heads are.
    """
    kind = _known(name)
    if kind in _PAINTED:
        return _drawn_vehicle(kind, rng)
    if kind == "dog":
        return dog(_pick(rng, _COATS), paws=Paws.drawn(rng, deformation))
    return (_drawn_head if kind == "head" else _drawn_person)(rng, deformation)


def canonical_view(name: str | None, *, scale: float = 0.85) -> View:
    """How people usually see it: upright, somewhat from the side, a little from above.

    Without a name, or for one that is no solid: 40° from the side.
    """
    try:
        yaw = _SOLIDS[_known(name or "")][1]
    except UnknownNameError:
        yaw = 40.0
    return View.at(yaw, scale=scale, elevation_deg=0.0 if yaw == 0 else 10.0)


def _known(name: str) -> str:
    if name in _SOLIDS:
        return name
    for solid, words in ALIASES.items():
        if name.lower() in words:
            return solid
    raise UnknownNameError("solid", name, SOLID_NAMES)

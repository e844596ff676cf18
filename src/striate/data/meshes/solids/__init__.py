"""Solids made by code: no files. `make_solid(name)` gives one."""

from striate.data.meshes.solids.catalogue import (
    ALIASES,
    CLASS_NAMES,
    SOLID_NAMES,
    canonical_view,
    drawn_solid,
    make_solid,
)

__all__ = ["ALIASES", "CLASS_NAMES", "SOLID_NAMES", "canonical_view", "drawn_solid", "make_solid"]

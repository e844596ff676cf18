"""The same scene with one thing changed: settings for drawing it again.

Each change is at least as harsh as its level; a scene that is harsher already stays as it is. Things
stay where they stand: what moves the camera is for scenes of one object, which it looks for. In a
street all objects would be placed anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from striate.data.scenes.settings import SceneSettings

__all__ = ["redrawn_settings"]

Change: TypeAlias = Callable[[SceneSettings, float], dict[str, float]]


def _dusk(settings: SceneSettings, level: float) -> dict[str, float]:
    return {"illumination": min(settings.illumination, round(1 - level, 3))}


def _litter(settings: SceneSettings, level: float) -> dict[str, float]:
    return {"clutter": max(settings.clutter, level)}


def _hoarding(settings: SceneSettings, level: float) -> dict[str, float]:
    return {"occlusion": max(settings.occlusion, level)}


def _deformation(settings: SceneSettings, level: float) -> dict[str, float]:
    return {"deformation": max(settings.deformation, level)}


def _round(settings: SceneSettings, level: float) -> dict[str, float]:
    own = settings.viewpoint_deg
    return {"viewpoint_deg": math.copysign(max(abs(own), level), own)}


def _above(settings: SceneSettings, level: float) -> dict[str, float]:
    return {"elevation_deg": max(settings.elevation_deg, level)}


def _far(settings: SceneSettings, level: float) -> dict[str, float]:
    """Times as small, 1 as large as usual."""
    return {"scale": min(settings.scale, 1 / level) if level > 1 else settings.scale}


_ANYWHERE: Mapping[str, Change] = MappingProxyType(
    {
        "hoarding": _hoarding,
        "nightfall": _dusk,
        "litter": _litter,
        "deformation": _deformation,
    }
)
_CAMERA: Mapping[str, Change] = MappingProxyType(
    {"camera-round": _round, "camera-above": _above, "camera-far": _far}
)


def redrawn_settings(
    settings: SceneSettings, change: str, level: float, *, alone: bool
) -> SceneSettings | None:
    """The settings that make the same scene with `change` at `level`; None where it has no such thing.

    `alone`: it is of one object. At level 0 they are the same.
    """
    found = _ANYWHERE.get(change) or (_CAMERA.get(change) if alone else None)
    return None if found is None else settings.model_copy(update=found(settings, level))

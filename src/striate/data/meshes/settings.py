"""What a rendered picture is made with: one knob for each thing that may vary."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from striate.settings import Settings

__all__ = ["SolidSettings"]

Side = Annotated[int, Field(ge=8, le=1024)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class SolidSettings(Settings):
    """Ranges that a rendered picture's factors are drawn from; each factor has its own stream."""

    size_hw: tuple[Side, Side] = (64, 64)
    """Height and width of the picture, pixels, each 8 to 1024."""
    yaw_deg: Annotated[float, Field(ge=0.0, le=180.0)] = 180.0
    """Yaw is drawn evenly from minus to plus this; 180 is every way round."""
    pitch_deg: Annotated[float, Field(ge=0.0, le=90.0)] = 6.0
    """Pitch, from minus to plus this."""
    roll_deg: Annotated[float, Field(ge=0.0, le=180.0)] = 6.0
    """Roll, from minus to plus this."""
    elevation_deg: tuple[
        Annotated[float, Field(ge=-90.0, le=90.0)], Annotated[float, Field(ge=-90.0, le=90.0)]
    ] = (0.0, 25.0)
    """How steeply the camera looks down: least and most."""
    scale: tuple[Annotated[float, Field(gt=0.0, le=4.0)], Annotated[float, Field(gt=0.0, le=4.0)]] = (
        0.75,
        1.0,
    )
    """Diameter of the sphere around the object as a share of the picture: least and most."""
    shift: Share = 0.06
    """How far from the middle, along each axis, as a share of the picture."""
    light: Share = 0.5
    """How much the light varies: 0 one lamp for all, 1 from dusk to glare, from any side."""
    clutter: Share = 0.6
    """How much there is behind the object; 0 a plain studio."""
    deformation: Share = 0.35
    """How far limbs may be from standing; how unlike heads are."""

"""What a scene is made with: size, contents, and one knob for each thing that makes vision hard."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from striate.data.scenes.names import OBJECT_NAMES, ObjectName
from striate.settings import Settings

__all__ = ["FACTOR_NAMES", "SceneSettings", "Weather"]

Weather = Literal["clear", "cloudy", "rainy", "foggy", "snowy"]
Side = Annotated[int, Field(ge=8, le=4096)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]

FACTOR_NAMES: tuple[str, ...] = (
    "viewpoint_deg",
    "elevation_deg",
    "scale",
    "occlusion",
    "truncation",
    "illumination",
    "clutter",
    "deformation",
    "rotation_deg",
    "blur_px",
    "noise",
)
"""The numeric nuisance factors, each a field of `SceneSettings`."""


class SceneSettings(Settings):
    """Size, contents and nuisance factors of a scene; the defaults are an easy, sunny street.

    Every factor has its own random stream: changing one leaves the objects, their colours and the
    other factors as they were for the same seed.
    """

    size_hw: tuple[Side, Side] = (128, 160)
    """Height and width of the picture, pixels, each 8 to 4096."""
    objects: tuple[Annotated[int, Field(ge=0, le=30)], Annotated[int, Field(ge=0, le=30)]] = (3, 7)
    """Fewest and most objects asked for; a street that is full takes fewer."""
    classes: Annotated[tuple[ObjectName, ...], Field(min_length=1)] = OBJECT_NAMES
    """The classes that are drawn from."""
    viewpoint_deg: Annotated[float, Field(ge=-70.0, le=70.0)] = 0.0
    """Camera yaw around the street: 0 sees vehicles from the side, ±70 almost end on."""
    elevation_deg: Annotated[float, Field(ge=2.0, le=50.0)] = 11.0
    """How steeply the camera looks down: 2 from a child's height, 50 from a roof."""
    scale: Annotated[float, Field(ge=0.2, le=1.5)] = 1.0
    """Size of objects in the picture relative to the neutral camera distance."""
    occlusion: Annotated[float, Field(ge=0.0, le=0.9)] = 0.0
    """Share of each object's silhouette that a hedge or a hoarding hides."""
    truncation: Annotated[float, Field(ge=0.0, le=0.85)] = 0.0
    """Share of the main object's silhouette that lies outside the picture."""
    illumination: Share = 1.0
    """Daylight: 1 noon, 0.7 a low sun, 0.4 dusk with street lamps, 0 night."""
    light_deg: Annotated[float, Field(ge=-180.0, le=180.0)] | None = None
    """Where the sun stands: 0 behind a camera that looks straight across, 90 at the right.
    Not set: drawn from the seed, on the camera's side."""
    weather: Weather = "clear"
    """Clear, cloudy, rainy, foggy or snowy."""
    clutter: Share = 0.0
    """Distractors: street furniture, posters, graffiti, road patches, façade texture."""
    deformation: Share = 0.0
    """Smooth bending of every object, up to about a sixth of its size."""
    rotation_deg: Annotated[float, Field(ge=-180.0, le=180.0)] = 0.0
    """Camera roll, degrees clockwise."""
    blur_px: Annotated[float, Field(ge=0.0, le=8.0)] = 0.0
    """Standard deviation of a Gaussian blur, pixels."""
    noise: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    """Standard deviation of sensor noise, as a share of full scale."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.objects[0] > self.objects[1]:
            raise ValueError("objects: fewest first, then most, such as (3, 7)")
        return self

    def factors(self) -> dict[str, float]:
        """The nuisance factors by name."""
        return {name: float(getattr(self, name)) for name in FACTOR_NAMES}

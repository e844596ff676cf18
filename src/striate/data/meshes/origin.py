"""A picture of a solid, rendered when it is read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np

from striate.data.meshes.backgrounds import make_background, studio
from striate.data.meshes.render import Rendered, render
from striate.data.meshes.rotation import angles_to_matrix
from striate.data.meshes.settings import SolidSettings
from striate.data.meshes.solids import drawn_solid
from striate.data.meshes.view import Light, View
from striate.randomness import hash64
from striate.types import Picture, SizeHW

__all__ = ["GENERATOR_VERSION", "SolidOrigin"]

GENERATOR_VERSION = 1
"""Raised whenever the same seed and settings give another picture."""


@dataclass(frozen=True, slots=True)
class SolidOrigin:
    """The solid `name` in the picture that `seed` and `settings` make."""

    name: str
    settings: SolidSettings
    seed: int

    def stream(self, factor: str) -> np.random.Generator:
        """The generator of one factor: what it draws moves no other's draws."""
        return np.random.default_rng(hash64(self.seed, "solid", factor))

    def angles(self) -> tuple[float, float, float]:
        """Yaw, pitch and roll, degrees, rounded to a tenth; see `rotation`."""
        yaw, pitch, roll = self.stream("pose").uniform(-1, 1, 3).tolist()
        chosen = self.settings
        return (
            round(chosen.yaw_deg * yaw, 1),
            round(chosen.pitch_deg * pitch, 1),
            round(chosen.roll_deg * roll, 1),
        )

    def view(self) -> View:
        """How the object is seen."""
        place, chosen = self.stream("place"), self.settings
        right, down = (chosen.shift * place.uniform(-1, 1, 2)).tolist()
        return View(
            turn=angles_to_matrix(*self.angles()),
            scale=float(place.uniform(*chosen.scale)),
            shift_xy=(right, down),
            elevation_deg=float(place.uniform(*chosen.elevation_deg)),
            light=self._light(),
        )

    def _light(self) -> Light:
        usual, much = Light(), self.settings.light
        side, up, lamp, ambient = self.stream("light").uniform(-1, 1, 4).tolist()
        return Light(
            azimuth_deg=usual.azimuth_deg + much * (180 * side - usual.azimuth_deg),
            height_deg=usual.height_deg + much * 35 * up,
            lamp=usual.lamp * (1 + 0.7 * much * lamp),
            ambient=usual.ambient * (1 + 0.5 * much * ambient),
        )

    def rendered(self) -> Rendered:
        """The picture with its truth: mask, depth, parts."""
        chosen = self.settings
        mesh = drawn_solid(self.name, self.stream("solid"), chosen.deformation)
        if chosen.clutter > 0:
            ground = make_background(self.stream("background"), chosen.size_hw, chosen.clutter)
        else:
            ground = studio(chosen.size_hw)
        return render(mesh, self.view(), chosen.size_hw, ground=ground)

    def read(self, at_least_hw: SizeHW | None = None) -> Picture:
        """The picture, uint8 (H, W, 3), always in the size of the settings."""
        del at_least_hw
        return self.rendered().picture

    def content_hash(self) -> str:
        """sha256 over what the picture is made from: equal pictures, equal hash, unrendered."""
        made_from = {
            "generator": f"striate.meshes/{GENERATOR_VERSION}",
            "settings": self.settings.model_dump(mode="json"),
            "seed": self.seed,
            "name": self.name,
        }
        return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()

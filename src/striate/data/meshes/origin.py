"""A picture of a solid, rendered when it is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from striate.data.boxes.truth import Box, Boxes
from striate.data.meshes.backgrounds import make_background, studio
from striate.data.meshes.render import Rendered, render
from striate.data.meshes.rotation import angles_to_matrix, axis_angle_to_matrix, matrix_to_angles
from striate.data.meshes.settings import SolidSettings
from striate.data.meshes.solids import drawn_solid
from striate.data.meshes.view import Light, View
from striate.randomness import hash64
from striate.types import Picture, SizeHW

__all__ = ["GENERATOR_VERSION", "SolidOrigin"]

GENERATOR_VERSION = 1
"""Raised whenever the same seed and settings give another picture."""

_JOINTED = ("dog", "person")


@dataclass(frozen=True, slots=True)
class SolidOrigin:
    """The solid `name` in the picture that `seed` and `settings` make.

    `turned_deg`: turned away from the pose that was drawn, about an axis that is drawn, too.
    """

    name: str
    settings: SolidSettings
    seed: int
    turned_deg: float = 0.0

    def stream(self, factor: str) -> np.random.Generator:
        """The generator of one factor: what it draws moves no other's draws."""
        return np.random.default_rng(hash64(self.seed, "solid", factor))

    def angles(self) -> tuple[float, float, float]:
        """Yaw, pitch and roll, degrees, rounded to a tenth; see `rotation`."""
        yaw, pitch, roll = self.stream("pose").uniform(-1, 1, 3).tolist()
        chosen = self.settings
        drawn = (
            round(chosen.yaw_deg * yaw, 1),
            round(chosen.pitch_deg * pitch, 1),
            round(chosen.roll_deg * roll, 1),
        )
        return drawn if self.turned_deg == 0 else self._turned(drawn)

    def _turned(self, angles: tuple[float, float, float]) -> tuple[float, float, float]:
        about = self.stream("turned").normal(size=3)  # every direction is equally likely
        by = axis_angle_to_matrix(np.deg2rad(self.turned_deg) * about / np.linalg.norm(about))
        yaw, pitch, roll = matrix_to_angles(by @ angles_to_matrix(*angles)).round(1).tolist()
        return yaw, pitch, roll

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

    def redrawn(self, change: str, level: float) -> SolidOrigin | None:
        """The same with `change` at `level`, all else as it was; None where it has no such thing.

        "pose": turned by so many degrees. "articulation": limbs at least so far from standing, 0 to 1.
        At level 0 nothing changes.
        """
        if change == "pose":
            return replace(self, turned_deg=level)
        if change == "articulation" and self.name in _JOINTED:
            bent = {"deformation": max(self.settings.deformation, level)}
            return replace(self, settings=self.settings.model_copy(update=bent))
        return None

    def values(self, names: Sequence[str]) -> tuple[float, ...]:
        """Its "yaw", "pitch" and "roll" by name."""
        known = dict(zip(("yaw", "pitch", "roll"), self.angles(), strict=True))
        return tuple(known[name] for name in names)

    def boxes(self) -> Boxes:
        """The box around it; none where nothing is seen of it."""
        box = self.rendered().box_xyxy
        return () if box is None else (Box(self.name, box, difficult=False),)

    def content_hash(self) -> str:
        """sha256 over what the picture is made from: equal pictures, equal hash, unrendered."""
        made_from = {
            "generator": f"striate.meshes/{GENERATOR_VERSION}",
            "settings": self.settings.model_dump(mode="json"),
            "seed": self.seed,
            "name": self.name,
        }
        if self.turned_deg:
            made_from["turned_deg"] = self.turned_deg
        return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()

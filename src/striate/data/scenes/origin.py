"""A picture that is rendered when it is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from striate.data.boxes.truth import Boxes
from striate.data.scenes.make import count_objects, find_boxes, make_scene, single_object_scene
from striate.data.scenes.names import ObjectName
from striate.data.scenes.redraw import redrawn_settings
from striate.data.scenes.settings import SceneSettings
from striate.data.scenes.truth import Scene
from striate.types import Picture, SizeHW

__all__ = ["GENERATOR_VERSION", "SceneOrigin"]

GENERATOR_VERSION = 1
"""Raised whenever the same seed and settings give another picture."""


@dataclass(frozen=True, slots=True)
class SceneOrigin:
    """The scene of `seed`; with `only`, a single object of that class."""

    settings: SceneSettings
    seed: int
    only: ObjectName | None = None

    def scene(self) -> Scene:
        """The picture with its whole truth."""
        if self.only is None:
            return make_scene(self.settings, seed=self.seed)
        return single_object_scene(self.only, self.settings, seed=self.seed)

    def read(self, at_least_hw: SizeHW | None = None) -> Picture:
        """The picture, uint8 (H, W, 3), always in the size of the settings."""
        del at_least_hw
        return self.scene().picture

    def redrawn(self, change: str, level: float) -> SceneOrigin | None:
        """The same scene with `change` at `level` (see `redraw`); None where it has no such thing."""
        found = redrawn_settings(self.settings, change, level, alone=self.only is not None)
        return None if found is None else replace(self, settings=found)

    def values(self, names: Sequence[str]) -> tuple[float, ...]:
        """What is true of it: "count" of the objects that can be seen, or factors by name."""
        return tuple(
            float(count_objects(self.settings, self.seed))
            if name == "count"
            else self.settings.factors()[name]
            for name in names
        )

    def boxes(self) -> Boxes:
        """A box around what can be seen of each object of a street, near to far."""
        return find_boxes(self.settings, self.seed)

    def content_hash(self) -> str:
        """sha256 over what the picture is made from: equal pictures, equal hash, unrendered."""
        made_from = {
            "generator": f"striate.scenes/{GENERATOR_VERSION}",
            "settings": self.settings.model_dump(mode="json"),
            "seed": self.seed,
            "only": self.only,
        }
        return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()

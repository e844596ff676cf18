"""A scene and everything that is true of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.data.scenes.names import OBJECT_NAMES, SEMANTIC_NAMES, VEHICLE_NAMES
from striate.data.scenes.settings import SceneSettings
from striate.types import Array, Picture, check_picture

__all__ = ["Keypoint", "Part", "Region", "Scene"]

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Keypoint:
    """A named point of object `item`, picture pixels; `visible` if it is seen in the picture."""

    item: int
    name: str
    x: float
    y: float
    visible: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A visible part of object `item`: its name, the box that its pixels fill, how many they are."""

    item: int
    name: str
    box_xyxy: Box
    pixels: int


@dataclass(frozen=True, slots=True)
class Region:
    """A box and the words for what is in it, for dense captions."""

    item: int
    box_xyxy: Box
    phrase: str


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture with its whole truth. Objects are listed from near to far; N is their number.

    `picture`: uint8 (H, W, 3). `semantic`: uint8 (H, W), indices into `SEMANTIC_NAMES`.
    `instances`: uint16 (H, W), 0 where there is no object, else index + 1. `amodal`: bool
    (N, H, W), the whole silhouettes inside the picture, also where they are hidden.
    `boxes_xyxy`: float32 (N, 4), pixels, exactly around the visible pixels: first column and row,
    last column and row plus one. `full_boxes_xyxy`: the same around the whole silhouette, also
    outside the picture. `labels`: int64 (N,), indices into `OBJECT_NAMES`. `visible_fraction`:
    float32 (N,), visible pixels over amodal pixels. `truncated_fraction`: float32 (N,), share of
    the silhouette that lies outside the picture. `depths_m`: float32 (N,), metres, ascending where
    things stand in line. `colours`, `kinds`: a word each. `main`: the index of the main object.
    """

    picture: Picture
    semantic: Array
    instances: Array
    amodal: Array
    boxes_xyxy: Array
    full_boxes_xyxy: Array
    labels: Array
    visible_fraction: Array
    truncated_fraction: Array
    depths_m: Array
    colours: tuple[str, ...]
    kinds: tuple[str, ...]
    parts: tuple[Part, ...]
    keypoints: tuple[Keypoint, ...]
    captions: tuple[str, ...]
    regions: tuple[Region, ...]
    factors: Mapping[str, float]
    settings: SceneSettings
    seed: int
    main: int | None

    def __post_init__(self) -> None:
        check_picture(self.picture, name="scene")
        size_hw, count = self.picture.shape[:2], len(self.labels)
        shapes = {
            "semantic": (self.semantic, np.uint8, size_hw),
            "instances": (self.instances, np.uint16, size_hw),
            "amodal": (self.amodal, np.bool_, (count, *size_hw)),
            "boxes_xyxy": (self.boxes_xyxy, np.float32, (count, 4)),
            "full_boxes_xyxy": (self.full_boxes_xyxy, np.float32, (count, 4)),
            "labels": (self.labels, np.int64, (count,)),
            "visible_fraction": (self.visible_fraction, np.float32, (count,)),
            "truncated_fraction": (self.truncated_fraction, np.float32, (count,)),
            "depths_m": (self.depths_m, np.float32, (count,)),
        }
        for name, (array, dtype, shape) in shapes.items():
            if array.dtype != dtype or array.shape != shape:
                wanted = f"{np.dtype(dtype).name} {shape}"
                raise ValueError(f"scene.{name}: expected {wanted}, got {array.dtype} {array.shape}")
        if not len(self.colours) == len(self.kinds) == count:
            raise ValueError(f"scene: expected {count} colours and kinds")
        if int(self.semantic.max()) >= len(SEMANTIC_NAMES) or int(self.instances.max()) > count:
            raise ValueError("scene: a mask holds a number that names nothing")
        if self.main is not None and not 0 <= self.main < count:
            raise ValueError(f"scene.main: expected 0..{count - 1} or None, got {self.main}")

    @property
    def names(self) -> tuple[str, ...]:
        """The class name of every object."""
        return tuple(OBJECT_NAMES[label] for label in self.labels.tolist())

    @property
    def truncated(self) -> Array:
        """bool (N,): a part of the object lies outside the picture."""
        found: Array = self.truncated_fraction > 0
        return found

    @property
    def counts(self) -> dict[str, int]:
        """How many of every class can be seen, zeros included."""
        names = self.names
        return {name: names.count(name) for name in OBJECT_NAMES}

    @property
    def vehicles(self) -> int:
        """How many vehicles can be seen."""
        return sum(name in VEHICLE_NAMES for name in self.names)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the masks and the picture, ready for JSON."""
        height, width = self.picture.shape[:2]
        objects = [
            {
                "label": name,
                "colour": self.colours[index],
                "kind": self.kinds[index],
                "box_xyxy": self.boxes_xyxy[index].tolist(),
                "full_box_xyxy": self.full_boxes_xyxy[index].tolist(),
                "visible_fraction": float(self.visible_fraction[index]),
                "truncated_fraction": float(self.truncated_fraction[index]),
                "depth_m": float(self.depths_m[index]),
                "parts": [
                    {"name": part.name, "box_xyxy": list(part.box_xyxy), "pixels": part.pixels}
                    for part in self.parts
                    if part.item == index
                ],
                "keypoints": [
                    {"name": key.name, "x": key.x, "y": key.y, "visible": key.visible}
                    for key in self.keypoints
                    if key.item == index
                ],
            }
            for index, name in enumerate(self.names)
        ]
        return {
            "size_hw": [int(height), int(width)],
            "seed": self.seed,
            "main": self.main,
            "objects": objects,
            "counts": self.counts,
            "captions": list(self.captions),
            "regions": [
                {"item": r.item, "box_xyxy": list(r.box_xyxy), "phrase": r.phrase} for r in self.regions
            ],
            "factors": dict(self.factors),
            "weather": self.settings.weather,
        }

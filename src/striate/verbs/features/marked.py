"""Pictures in which objects are marked: drawn street scenes, or a COCO file and its pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.scenes.chance import stream
from striate.data.scenes.make import make_scene
from striate.data.scenes.names import OBJECT_NAMES
from striate.data.scenes.settings import SceneSettings
from striate.data.scenes.truth import Scene
from striate.errors import LabelError, LayoutError, UnknownNameError
from striate.pictures import read
from striate.types import Array, Picture

__all__ = ["Marked", "read_marked"]

_SIZE_HW = (192, 240)
_BESIDE = ("", "pictures", "images")
"""Where the pictures of a COCO file may lie, from its own folder."""


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """A picture, the objects of one class in it, (N, 4), and named things on them, such as wheels."""

    picture: Picture
    boxes_xyxy: Array
    marks: tuple[tuple[str, Array], ...]


def read_marked(source: str, label: str, *, count: int, seed: int) -> list[Marked]:
    """Pictures in which every object of class `label` is marked.

    `source`: "scenes", of which `count` are drawn from `seed`; else a COCO annotation file, or a folder
    with one named annotations.json, as `striate data scenes` writes it. Errors: `LayoutError` where
    there is no such file, `LabelError` where it is not COCO, `UnknownNameError` for the class.
    """
    return _scenes(label, count, seed) if source == "scenes" else _coco(Path(source), label)


def _scenes(label: str, count: int, seed: int) -> list[Marked]:
    if label not in OBJECT_NAMES:
        raise UnknownNameError("object class", label, OBJECT_NAMES)
    return [_scene(make_scene(one, seed=number), label) for one, number in _settings(count, seed)]


def _settings(count: int, seed: int) -> Iterator[tuple[SceneSettings, int]]:
    """Streets from all sides, at all times of day, more or less cluttered, objects bent a little."""
    for index in range(count):
        rng = stream(seed, "marked", index)
        settings = SceneSettings(
            size_hw=_SIZE_HW,
            viewpoint_deg=round(rng.uniform(-60, 60), 1),
            illumination=round(rng.uniform(0.5, 1), 3),
            clutter=round(rng.uniform(0, 0.8), 3),
            deformation=round(rng.uniform(0, 0.6), 3),
            occlusion=round(rng.uniform(0, 0.25), 3),
        )
        yield settings, rng.getrandbits(48)


def _scene(scene: Scene, label: str) -> Marked:
    names = scene.names
    boxes = scene.boxes_xyxy[[name == label for name in names]]
    own = [part for part in scene.parts if names[part.item] == label]
    return Marked(scene.picture, boxes, tuple((one.name, np.array(one.box_xyxy)) for one in own))


# -- COCO -------------------------------------------------------------------------------------


def _coco(path: Path, label: str) -> list[Marked]:
    file = path / "annotations.json" if path.is_dir() else path
    if not file.is_file():
        raise LayoutError(
            f"{file} is not there",
            expected='"scenes", a COCO annotation file, or a folder with annotations.json',
        )
    try:
        about = json.loads(file.read_bytes())
        names = {one["id"]: str(one["name"]) for one in about["categories"]}
        pictures = [(one["id"], str(one["file_name"])) for one in about["images"]]
        rows = [(one["image_id"], names[one["category_id"]], one) for one in about["annotations"]]
    except (ValueError, KeyError, TypeError) as error:
        raise LabelError(
            f"{file} is not a COCO annotation file: {type(error).__name__} {error}",
            expected="images, annotations and categories as COCO has them",
        ) from error
    if label not in names.values():
        raise UnknownNameError("object class", label, names.values())
    own: dict[Any, list[Mapping[str, Any]]] = {number: [] for number, _ in pictures}
    for number, name, row in rows:
        if name == label and number in own and not row.get("iscrowd"):
            own[number].append(row)
    return [_record(_beside(file, name), own[number], file) for number, name in pictures]


def _record(picture: Path, rows: Sequence[Mapping[str, Any]], file: Path) -> Marked:
    try:
        boxes = np.array([row["bbox"] for row in rows], np.float64).reshape(-1, 4)
        parts = [part for row in rows for part in row.get("attributes", {}).get("parts", ())]
        marks = tuple((str(part["name"]), np.array(part["box_xyxy"], np.float64)) for part in parts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabelError(
            f"{file} has an annotation of {picture.name} without a box",
            expected="bbox: x, y, width, height",
        ) from error
    corners = np.column_stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
    return Marked(read(picture), corners[(boxes[:, 2:] > 0).all(axis=1)], marks)


def _beside(file: Path, name: str) -> Path:
    """The picture `name` near the annotation file; never outside of its folder."""
    root = file.parent.resolve()
    for folder in _BESIDE:
        found = (root / folder / name).resolve()
        if found.is_file() and root in found.parents:
            return found
    raise LabelError(
        f"{file} names a picture {name} that is not there",
        expected=f"it in {root} or its folders {_BESIDE[1]} or {_BESIDE[2]}",
    )

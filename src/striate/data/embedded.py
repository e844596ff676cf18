"""Data sets that need no download: those that come with installed packages, and drawn scenes."""

from __future__ import annotations

import gzip
import importlib.util
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from striate.data.boxes.truth import Boxes
from striate.data.dataset import Dataset, Record
from striate.data.origins import ArrayOrigin
from striate.errors import MachineError
from striate.types import Array

__all__ = ["EMBEDDED", "EMBEDDED_PREFIX", "EmbeddedSet"]

EMBEDDED_PREFIX = "embedded:"
"""What makes a name mean the embedded set, whatever files there are."""

Labels = tuple[str, ...]
Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EmbeddedSet:
    """A data set that is always at hand. `about`: what it shows, its size, source and licence.

    `labels`, `values` and `boxes` read it; None where it has no truths of that kind.
    """

    about: str
    labels: Callable[[], Dataset[Labels]] | None
    values: Callable[[], Dataset[Values]] | None = None
    boxes: Callable[[], Dataset[Boxes]] | None = None


def _installed(package: str, inside: str) -> Path:
    """A file of an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / inside).is_file():
            return path
    raise MachineError(
        f"{inside}, which comes with {package}, is not installed",
        remedy=f"install it again: pip install --force-reinstall {package.replace('sk', 'scikit-', 1)}",
    )


def _digits() -> Dataset[Labels]:
    """1797 handwritten digits, 8 × 8; 0..16 becomes 0..255."""
    packed = _installed("sklearn", "datasets/data/digits.csv.gz").read_bytes()
    table = np.loadtxt(io.BytesIO(gzip.decompress(packed)), delimiter=",")
    pixels = np.rint(table[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)  # (N, 8, 8)
    labels = [str(int(label)) for label in table[:, -1]]
    return _dataset("digits", pixels, labels)


def _faces_or_not() -> Dataset[Labels]:
    """100 faces, then 100 other cut-outs, 25 × 25; 0..1 becomes 0..255."""
    stored: Array = np.load(_installed("skimage", "data/lfw_subset.npy"), allow_pickle=False)
    pixels = np.rint(stored * 255).clip(0, 255).astype(np.uint8)  # (200, 25, 25)
    return _dataset("faces-or-not", pixels, ["face"] * 100 + ["other"] * 100)


def _scene_classes() -> Dataset[Labels]:
    from striate.data.scenes import scenes_dataset

    return scenes_dataset("class")


def _scene_counts() -> Dataset[Values]:
    from striate.data.scenes import scenes_dataset

    return scenes_dataset("count")


def _scene_values() -> Dataset[Values]:
    from striate.data.scenes import scenes_dataset

    return scenes_dataset("values")


def _scene_boxes() -> Dataset[Boxes]:
    from striate.data.scenes import scenes_dataset

    return scenes_dataset("boxes")


def _solid_classes() -> Dataset[Labels]:
    from striate.data.meshes import solids_dataset

    return solids_dataset("class")


def _solid_boxes() -> Dataset[Boxes]:
    from striate.data.meshes import solids_dataset

    return solids_dataset("boxes")


def _head_angles() -> Dataset[Values]:
    from striate.data.meshes import solids_dataset

    return solids_dataset("heads")


def _dataset(name: str, pixels: Array, labels: list[str]) -> Dataset[Labels]:
    known: dict[str, Labels] = {label: (label,) for label in labels}
    records = tuple(
        Record(f"{name}/{i:05d}", ArrayOrigin(pixels, i, f"{name}/{i:05d}"), known[label])
        for i, label in enumerate(labels)
    )
    return Dataset(records, tuple(sorted(known)), name, f"embedded set {name}")


EMBEDDED: MappingProxyType[str, EmbeddedSet] = MappingProxyType(
    {
        "digits": EmbeddedSet("1797 handwritten digits, 8 × 8 (UCI, with scikit-learn)", _digits),
        "faces-or-not": EmbeddedSet(
            "100 faces and 100 other cut-outs, 25 × 25 (from LFW, with scikit-image)", _faces_or_not
        ),
        "scenes": EmbeddedSet(
            "drawn street scenes: 1200 with one object of ten classes, or 600 streets in which cars, "
            "buses, lorries, bicycles, people and dogs are counted or found",
            _scene_classes,
            _scene_counts,
            _scene_boxes,
        ),
        "scenes-3d": EmbeddedSet(
            "1600 rendered pictures of eight 3-D objects (bicycle, bus, car, dog, person, plane, truck, "
            "van), upright, from every side, each with its box",
            _solid_classes,
            None,
            _solid_boxes,
        ),
        "scenes-boxes": EmbeddedSet(
            "600 drawn streets with a box around each car, bus, lorry, bicycle, person and dog",
            None,
            None,
            _scene_boxes,
        ),
        "scenes-heads": EmbeddedSet(
            "3000 rendered heads with their yaw, pitch and roll (degrees)",
            None,
            _head_angles,
        ),
        "scenes-values": EmbeddedSet(
            "600 drawn streets with their illumination (0 to 1) and viewpoint (degrees)",
            None,
            _scene_values,
        ),
    }
)
"""The sets by the names under which they can be used instead of a path."""

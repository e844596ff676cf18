"""A part detector and what it finds; kept in one .npz file, without pickle."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import DataError, UsageError
from striate.features.parts.cells import CELL, DEPTH
from striate.types import Array

__all__ = ["Component", "Detections", "PartsModel"]

FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """One view of the object. Filters are float32 over cells of 31 numbers.

    `root`: (h, w, 31), the whole object. `parts`: (P, p, p, 31) over cells half as large. `anchors`:
    int64 (P, 2), row and column of each part's ideal place in those cells, from the root's corner.
    `prices`: (P, 4), what a move by (dx, dx², dy, dy²) of those cells costs. `bias`: added to each
    score. `usual_root`, `usual_parts` (P,): mean scores on the hardest windows without the object,
    which an explanation takes as zero. `corners`: (1 + 2P, 4), where the object's x0, y0, x1, y1 lie
    from the root window's, in root cells: a constant, and weights of the parts' moves (all dx, then dy).
    """

    root: Array
    parts: Array
    anchors: Array
    prices: Array
    bias: float
    usual_root: float
    usual_parts: Array
    corners: Array

    def __post_init__(self) -> None:
        count, side = self.parts.shape[0], self.parts.shape[1]
        shapes = {
            "root": (self.root, (*self.root.shape[:2], DEPTH)),
            "parts": (self.parts, (count, side, side, DEPTH)),
            "anchors": (self.anchors, (count, 2)),
            "prices": (self.prices, (count, 4)),
            "usual_parts": (self.usual_parts, (count,)),
            "corners": (self.corners, (1 + 2 * count, 4)),
        }
        for name, (array, shape) in shapes.items():
            if array.shape != shape or not np.isfinite(array).all():
                raise ValueError(f"{name} is {array.shape}; expected finite numbers {shape}")
        if count and self.prices[:, [1, 3]].min() < 0:
            raise ValueError("prices: the squares must cost 0 or more, or a part would fly off")

    @property
    def size_cells(self) -> tuple[int, int]:
        """Height and width of the root filter."""
        return self.root.shape[0], self.root.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class PartsModel:
    """Finds `label` in pictures. `first_scale`: how far pictures are enlarged at most when searching.

    `part_names`: names of the parts of each component, as given, else by their place.
    """

    label: str
    components: tuple[Component, ...]
    part_names: tuple[tuple[str, ...], ...]
    first_scale: float

    def __post_init__(self) -> None:
        if not self.components:
            raise ValueError("a part model needs a component")
        counts = [len(one.parts) for one in self.components]
        if [len(names) for names in self.part_names] != counts or len(set(counts)) != 1:
            raise ValueError(
                f"parts {counts} and names {self.part_names}: expected one each, equally many"
            )
        if not self.first_scale > 0:
            raise ValueError(f"first_scale is {self.first_scale}; expected a number above 0")

    @property
    def parts(self) -> int:
        """Parts of each component."""
        return len(self.part_names[0])

    def renamed(self, names: Sequence[str], *, component: int = 0) -> PartsModel:
        """The model with other words for the parts of a component. A `UsageError` for another count."""
        if len(names) != self.parts:
            raise UsageError(f"{len(names)} names were given", expected=f"{self.parts}, one a part")
        every = list(self.part_names)
        every[component] = tuple(names)
        return replace(self, part_names=tuple(every))

    def to_bytes(self) -> bytes:
        """The contents of its .npz file."""
        about = {
            "format": FORMAT,
            "label": self.label,
            "part_names": self.part_names,
            "first_scale": self.first_scale,
            "cell": CELL,
            "components": len(self.components),
            "biases": [one.bias for one in self.components],
            "usual_roots": [one.usual_root for one in self.components],
        }
        arrays: dict[str, Any] = {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)}
        for index, one in enumerate(self.components):
            for name in _ARRAYS:
                arrays[f"{name}_{index}"] = getattr(one, name)
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, *, source: str = "the part model") -> PartsModel:
        """What `to_bytes` wrote. A `DataError` for anything else, or a newer format."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                about = json.loads(file["about"].tobytes())
                if about["format"] > FORMAT:
                    raise DataError(
                        f"{source} was written by a newer striate (format {about['format']})",
                        expected=f"format {FORMAT} or earlier",
                        remedy="upgrade with: pip install --upgrade striate",
                    )
                components = tuple(
                    Component(
                        **{name: file[f"{name}_{index}"] for name in _ARRAYS},
                        bias=float(about["biases"][index]),
                        usual_root=float(about["usual_roots"][index]),
                    )
                    for index in range(about["components"])
                )
            names = tuple(tuple(map(str, part)) for part in about["part_names"])
            return cls(str(about["label"]), components, names, float(about["first_scale"]))
        except (
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            OSError,
            EOFError,
            zipfile.BadZipFile,
        ) as error:
            raise DataError(
                f"{source} is not a part model: {error}",
                expected="a file that striate features train-parts wrote",
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PartsModel:
        """Read a file that holds `to_bytes`."""
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}") from error
        return cls.from_bytes(data, source=os.fspath(path))


_ARRAYS = ("root", "parts", "anchors", "prices", "usual_parts", "corners")


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What was found in a picture, the best first, in its pixels.

    `boxes_xyxy`: float32 (N, 4), also beyond the picture's edge. `scores`: (N,); above 0 the model says
    yes. `part_boxes_xyxy`: (N, P, 4). `components`: int64 (N,), which view. `root_scores` (N,) and
    `part_scores` (N, P), the latter less the price of their move, add up to the score with the bias;
    `part_prices`: (N, P), what those moves cost.
    """

    label: str
    boxes_xyxy: Array
    scores: Array
    part_boxes_xyxy: Array
    components: Array
    root_scores: Array
    part_scores: Array
    part_prices: Array

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, rows: Array) -> Detections:
        """Those that `rows` (indices, or a mask) picks, in its order."""
        return Detections(
            self.label,
            self.boxes_xyxy[rows],
            self.scores[rows],
            self.part_boxes_xyxy[rows],
            self.components[rows],
            self.root_scores[rows],
            self.part_scores[rows],
            self.part_prices[rows],
        )

    def above(self, score: float) -> Detections:
        """Those that score more."""
        return self.take(self.scores > score)

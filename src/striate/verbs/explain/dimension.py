"""How many directions a set of pictures varies along: as pixels, and inside a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.inputs import choose_fit, choose_size, glance, size_from_text, text_from_size
from striate.errors import DataError, UsageError
from striate.explain.dimension import LEAST, Dimension, intrinsic_dimension
from striate.explain.dimension_report import (
    about,
    dimension_section,
    dimension_statements,
    method_section,
)
from striate.pictures.lettering import spaced
from striate.pictures.resize import fit
from striate.runs.atomic import write_text
from striate.runs.page import write_page
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.types import Array, Problem, SizeHW
from striate.verbs.explain.pictures import PictureSet, any_pictures, fitted, some
from striate.verbs.explain.tuning import look_inside
from striate.verbs.model import FilePath, load
from striate.verbs.outputs import writable

__all__ = ["FILES", "Directions", "dimension"]

FILES = ("report.html", "dimension.json")


@dataclass(frozen=True, slots=True)
class Directions:
    """The dimension of a set: `found` by what it was measured on, "pixels" first.

    `available`: pictures in the set, of which `found["pixels"].count` were taken. `size_hw`: the size
    that they were brought to.
    """

    source: str
    run: str | None
    size_hw: SizeHW
    available: int
    found: Mapping[str, Dimension]
    problems: tuple[Problem, ...]

    @property
    def statements(self) -> list[str]:
        """The result in sentences."""
        return dimension_statements(self.found)

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate data dimension --json`."""
        return {
            "source": self.source,
            "run": self.run,
            "size_hw": list(self.size_hw),
            "available": self.available,
            "statements": self.statements,
            "found": {name: one.to_dict() for name, one in self.found.items()},
            "problems": [one.to_dict() for one in self.problems],
        }

    def save(self, folder: FilePath, *, overwrite: bool = False) -> Path:
        """Write report.html and dimension.json to `folder`; the page's path."""
        page, data = (writable(Path(folder) / name, overwrite=overwrite) for name in FILES)
        write_text(data, json.dumps(json_ready(self.to_dict()), allow_nan=False) + "\n")
        first = self.found["pixels"]
        height, width = self.size_hw
        taken = f"{spaced(first.count)} of {spaced(self.available)} pictures, {height} × {width} pixels"
        tiles = [("numbers a picture", spaced(first.numbers))]
        tiles += [
            (
                f"directions of the {name}",
                f"{about(one.two_nn.value)} ({about(one.two_nn.low)} to {about(one.two_nn.high)})",
            )
            for name, one in self.found.items()
        ]
        return write_page(
            page,
            f"Directions in {self.source}",
            _INTRO,
            [dimension_section(self.found), method_section()],
            kind="striate data dimension",
            facts=taken + (f" · run {self.run}" if self.run else ""),
            numbers=tiles,
            overwrite=overwrite,
        )


_INTRO = (
    "A picture is a point with a coordinate for each number. Pictures of something do not fill that "
    "space: they lie on a thin sheet in it, the manifold, and a few directions lead from each one to "
    "its like. Their number says how hard the set is to cover with examples."
)


def dimension(
    source: FilePath,
    *,
    run: FilePath | Run | None = None,
    layers: Sequence[str] = (),
    size: str | int | None = None,
    at_most: int = 2000,
    seed: int = 0,
) -> Directions:
    """The intrinsic dimension of the pictures at `source`, with or without labels.

    `run`: also that of its last hidden features and its outputs for them, and of `layers` by name; the
    pictures are brought to its input. `size`: without a run, the side or HEIGHTxWIDTH to bring them
    to; by default what striate would train on. `at_most`: of more, so many are drawn by `seed`.
    Errors: `DataError` with fewer than twelve different pictures; `UsageError` for settings that
    exclude each other; `UnknownNameError` for a layer that is not there.
    """
    if run is None and layers:
        raise UsageError("layers were named without a run", remedy="name the run with --run")
    if run is not None and size is not None:
        raise UsageError(
            "a size was given beside a run", expected="one of both: a run brings pictures to its input"
        )
    if at_most < LEAST:
        raise UsageError(f"at most {at_most} pictures were asked for", expected=f"{LEAST} or more")
    whole = any_pictures(source)
    taken = some(whole, at_most, seed)
    found: dict[str, Dimension] = {}
    if run is None:
        size_hw = _size(size, taken.records)
        how = choose_fit(glance(taken.records).sizes_hw, size_hw)
        pictures = fitted(taken, partial(fit, size_hw=size_hw, how=how), size_hw)
        found["pixels"] = intrinsic_dimension(_flat(pictures.pixels), seed=seed)
        name = None
    else:
        model = load(run)
        pictures = fitted(taken, model.task.prepare, model.task.read_at_least_hw)
        found["pixels"] = intrinsic_dimension(_flat(pictures.pixels), seed=seed)
        for layer, values in _values(look_inside(model), pictures, layers).items():
            found[layer] = _of_layer(layer, values, seed)
        name = model.run.name
    height, width = pictures.pixels.shape[1:3]
    return Directions(
        pictures.root, name, (int(height), int(width)), len(whole), found, pictures.problems
    )


def _size(size: str | int | None, records: Sequence[Any]) -> SizeHW:
    if size is None:
        return choose_size("small-cnn", glance(records).sizes_hw)
    try:
        return size_from_text(str(text_from_size(size)))
    except ValueError as error:
        raise UsageError(f"the size is {size}", expected=str(error)) from error


def _flat(pixels: Array) -> Array:
    """One row a picture; a grey picture's three equal bands count once."""
    grey = bool((pixels[..., :1] == pixels).all())
    return (pixels[..., :1] if grey else pixels).reshape(len(pixels), -1)


def _values(inside: Any, pictures: PictureSet, names: Sequence[str]) -> dict[str, Array]:
    """Values (N, D) of the layers named, of the last hidden one and of the first output, in order."""
    wanted = {inside.layer(name) for name in names} | {inside.features}
    wanted.add(inside.layer(inside.output_names[0]))
    layers = [one for one in inside.layers if one in wanted]
    watch = inside.watch(layers)
    parts: dict[str, list[Array]] = {one.name: [] for one in layers}
    for _, values in watch.each(pictures.pixels):
        for name, array in values.items():
            parts[name].append(array.reshape(len(array), -1))
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _of_layer(name: str, values: Array, seed: int) -> Dimension:
    try:
        return intrinsic_dimension(values, seed=seed)
    except DataError as error:
        raise DataError(f"{name}: {error.what}", expected=error.expected, remedy=error.remedy) from error

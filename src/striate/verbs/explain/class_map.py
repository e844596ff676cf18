"""Where in a large picture a classifier sees which class: the picture goes through the network once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import MissingExtraError, UnknownNameError, UsageError
from striate.explain.attribution_drawing import (
    Panel,
    overlaid,
    picture_panel,
    sheet_of,
    shown_size,
)
from striate.explain.whereabouts import region_words
from striate.figures import Gallery, GalleryItem, Section
from striate.pictures.panels import percent
from striate.pictures.read import read
from striate.pictures.write import write
from striate.runs.atomic import write_text
from striate.runs.page import write_page
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.types import Array, Picture, Prepared, SizeHW, check_picture
from striate.verbs.model import FilePath, OnePicture, load
from striate.verbs.outputs import writable

__all__ = ["FILES", "ClassMap", "class_map"]

FILES = ("report.html", "class-map.json", "class-map.png")
_SIDE = 720
"""Pixels of a map on the page."""
_CLASSES, _WINDOWS = 4, 4
"""Classes that are shown unless some are named, and windows across the shorter side."""
_FINE = 8
"""Cells a window's step is drawn with."""
_TRAIN_EXTRA = ("torch", "torchvision", "timm", "safetensors")


@dataclass(frozen=True, slots=True, eq=False)
class ClassMap:
    """What a run says at every window of a picture.

    `probabilities`: float32 (rows, columns, K). `window_hw`, `step_hw`: of a window, and from one to the
    next, as shares of the picture. `layer`: the one whose map is cut into windows. `shown`: indices of
    the classes that are told, those that were asked for, or the most probable ones.
    """

    run: str
    name: str
    picture: Picture
    names: tuple[str, ...]
    probabilities: Array
    window_hw: tuple[float, float]
    step_hw: tuple[float, float]
    layer: str
    shown: tuple[int, ...]

    @property
    def statements(self) -> tuple[str, ...]:
        """A sentence a class."""
        return tuple(self._words(one) for one in self.shown)

    def heat(self, index: int) -> Array:
        """Probability of class `index` as float32 (h, w) over the whole picture.

        The value of a window stands at its middle, with straight lines between; at the rim the nearest.
        """
        rows, columns = (
            _between(self.probabilities.shape[axis], self.window_hw[axis], self.step_hw[axis])
            for axis in (0, 1)
        )
        found: Array = rows @ self.probabilities[..., index] @ columns.T
        return found.astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain RUN PICTURE --class-map --json`."""
        return {
            "run": self.run,
            "picture": self.name,
            "size_hw": list(self.picture.shape[:2]),
            "layer": self.layer,
            "windows": list(self.probabilities.shape[:2]),
            "window_hw": [round(one, 4) for one in self.window_hw],
            "classes": [
                {
                    "name": self.names[one],
                    "most": round(float(self.probabilities[..., one].max()), 4),
                    "mean": round(float(self.probabilities[..., one].mean()), 4),
                    "where": region_words(self.heat(one)),
                }
                for one in self.shown
            ],
        }

    def save(self, folder: FilePath, *, overwrite: bool = False) -> Path:
        """Write report.html, class-map.json (every probability) and class-map.png; the page's path."""
        page, data, sheet = (writable(Path(folder) / name, overwrite=overwrite) for name in FILES)
        whole = {
            **self.to_dict(),
            "names": list(self.names),
            "probabilities": np.round(self.probabilities.astype(np.float64), 4).tolist(),
        }
        write_text(data, json.dumps(json_ready(whole), allow_nan=False) + "\n")
        write(sheet_of(self._panels()), sheet, overwrite=overwrite)
        items = [
            GalleryItem(one.picture, one.title, " ".join(words for words, _ in one.lines))
            for one in self._panels(_SIDE)
        ]
        gallery = Gallery(self.name, self._terms(), items, large=True)
        return write_page(
            page,
            f"Where {self.run} sees what",
            _INTRO,
            [Section("The picture", "", [gallery])],
            kind="striate explain --class-map",
            facts=self.name,
            overwrite=overwrite,
        )

    def _terms(self) -> str:
        rows, columns = self.probabilities.shape[:2]
        return (
            f"{rows} × {columns} windows, each {self.window_hw[0]:.0%} of the picture high and "
            f"{self.window_hw[1]:.0%} wide, cut out of the map of {self.layer}."
        )

    def _words(self, index: int) -> str:
        field = self.probabilities[..., index]
        where = region_words(self.heat(index))
        half = float((field > 0.5).mean())
        most = percent(min(1.0, float(field.max())))
        return f"{self.names[index]}: up to {most}, {where}; above one half in {half:.0%} of the windows"

    def _panels(self, side: int = 320) -> list[Panel]:
        size_hw = shown_size((self.picture.shape[0], self.picture.shape[1]), side)
        found = [picture_panel(self.picture, self.name, [], side=side)]
        for one in self.shown:
            heat = self.heat(one)
            scale = heat.shape[0] / self.picture.shape[0], heat.shape[1] / self.picture.shape[1]
            whole = Prepared(self.picture, (self.picture.shape[0], self.picture.shape[1]), scale)
            words = self._words(one).partition(": ")[2]
            drawn = overlaid(self.picture, heat, whole, size_hw)
            found.append(Panel(drawn, self.names[one], [(f"{words[:1].upper()}{words[1:]}.", "plain")]))
        return found


_INTRO = (
    "The network looks at the whole picture once, larger than it was trained on, and its head is asked "
    "about every window of the last map: so a classifier tells where it sees what. Each class for "
    "itself, from grey over violet and orange to pale yellow, which is the probability written beneath."
)


def _between(windows: int, window: float, step: float) -> Array:
    """(cells, windows): the share of each window at each cell along a side."""
    cells = max(1, round(_FINE / step))
    at = np.clip(((np.arange(cells) + 0.5) / cells - window / 2) / step, 0, windows - 1)
    found: Array = np.maximum(0.0, 1 - np.abs(at[:, None] - np.arange(windows)))
    return found


def class_map(
    run: FilePath | Run,
    picture: OnePicture,
    *,
    about: Sequence[str] = (),
    windows: int = _WINDOWS,
    threads: int = 0,
) -> ClassMap:
    """What a classifier says at every window of a picture: a path, bytes, an open file or an array.

    `about`: classes; by default the four that are most probable anywhere. `windows`: so many fit side by
    side along the shorter side, fewer where the picture is too small for that. Errors: `PictureError`;
    `UsageError` for runs that do not classify, that are hand-made, or whose network takes one size only;
    `UnknownNameError` for names.
    """
    if windows < 1:
        raise UsageError(f"{windows} windows were asked for", expected="1 or more")
    model = load(run, threads=threads)
    if model.header.task != "classify":
        raise UsageError(
            f"{model.run.name} was trained to {model.header.task}", expected="a run of classify"
        )
    unknown = [name for name in about if name not in model.names]
    if unknown:
        raise UnknownNameError("class", unknown[0], model.names)
    shown = check_picture(picture) if isinstance(picture, np.ndarray) else read(picture)
    half = _torch_half()
    found = half.look(model, shown, _seen_hw(shown, model, windows))
    most = found.probabilities.max(axis=(0, 1))
    chosen = [model.names.index(name) for name in about] or np.argsort(-most)[:_CLASSES].tolist()
    return ClassMap(
        run=model.run.name,
        name=Path(picture).name if isinstance(picture, str | Path) else "a picture",
        picture=shown,
        names=tuple(model.names),
        probabilities=found.probabilities,
        window_hw=found.window_hw,
        step_hw=found.step_hw,
        layer=found.layer,
        shown=tuple(chosen),
    )


def _seen_hw(picture: Picture, model: Any, windows: int) -> SizeHW:
    """The size at which the picture is seen: its shorter side `windows` inputs long, never enlarged but
    to one input."""
    height, width = model.task.facts.size_hw
    least = max(height / picture.shape[0], width / picture.shape[1])
    scale = max(least, min(1.0, windows * least))
    return (
        max(height, round(picture.shape[0] * scale)),
        max(width, round(picture.shape[1] * scale)),
    )


def _torch_half() -> Any:
    """By name: the commands may not import torch."""
    try:
        return import_module("striate.verbs.explain.class_map_network")
    except ModuleNotFoundError as error:
        if error.name not in _TRAIN_EXTRA:
            raise
        raise MissingExtraError(error.name, "train", needed_for="a class map") from error

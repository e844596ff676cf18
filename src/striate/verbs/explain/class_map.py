"""Where in a large picture a classifier sees which class: the picture goes through the network once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import MissingExtraError, UnknownNameError, UsageError
from striate.explain.attribution_drawing import (
    Panel,
    picture_panel,
    sheet_layout,
    sheet_of,
    shown_size,
)
from striate.explain.class_map_drawing import COLOURS, draw_best, draw_probability
from striate.explain.explanation import file_name
from striate.explain.whereabouts import region_words
from striate.figures import Gallery, GalleryItem, Section
from striate.pictures.write import write
from striate.runs.atomic import write_text
from striate.runs.page import write_page
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.types import Array, Picture, SizeHW
from striate.verbs.explain.why_sources import one_picture
from striate.verbs.model import FilePath, OnePicture, load
from striate.verbs.outputs import writable

__all__ = ["FILES", "ClassMap", "class_map"]

FILES = ("report.html", "class-map.json", "class-map.png")
_SIDE = 720
"""Pixels of a map on the page."""
_CLASSES, _WINDOWS = 4, 4
"""Classes that are shown unless some are named, and windows across the shorter side."""
_FINE = 8
"""Cells a window's step is looked at with."""
_COARSE = 1 / 6
"""Of the shorter side: things that are smaller than a window of this size are easily missed."""
_TRAIN_EXTRA = ("torch", "torchvision", "timm", "safetensors")


@dataclass(frozen=True, slots=True, eq=False)
class ClassMap:
    """What a run says at every window of a picture.

    `probabilities`: float32 (rows, columns, K). `window_hw`, `step_hw`: of a window, and from one to the
    next, as shares of the picture. `layer`: the one whose map is cut into windows. `shown`: indices of
    the classes that are told, those that were asked for, or the most probable ones. `hint`: how smaller
    things would be seen, "" where windows are small.
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
    hint: str = ""

    @property
    def statements(self) -> tuple[str, ...]:
        """Which class is likeliest where, a sentence a class, and the hint."""
        found = (self._likeliest_words(), *(self._words(one) for one in self.shown))
        return (*found, self.hint) if self.hint else found

    def heat(self, index: int, size_hw: SizeHW | None = None) -> Array:
        """Probability of class `index` as float32 (h, w) over the whole picture, at a size of its own
        unless one is given.

        The value of a window stands at its middle, with straight lines between; at the rim the nearest.
        """
        rows, columns = (
            _between(
                self.probabilities.shape[axis],
                self.window_hw[axis],
                self.step_hw[axis],
                None if size_hw is None else size_hw[axis],
            )
            for axis in (0, 1)
        )
        found: Array = rows @ self.probabilities[..., index] @ columns.T
        return found.astype(np.float32)

    def best(self, size_hw: SizeHW | None = None) -> tuple[Array, Array]:
        """The likeliest class at each place, int (h, w), and its probability; sizes as in `heat`.

        Of the classes that are likeliest at some window: between two, a close second may be above both.
        """
        could = np.unique(self.probabilities.argmax(axis=-1)).tolist()
        share = self.heat(could[0], size_hw)
        index = np.full(share.shape, could[0])
        for one in could[1:]:  # one at a time: there may be a thousand classes
            heat = self.heat(one, size_hw)
            better = heat > share
            index[better], share[better] = one, heat[better]
        return index, share

    def likeliest(self) -> list[tuple[str, float]]:
        """Classes, and on what share of the picture each is the likeliest, the largest first."""
        index, _ = self.best()
        counts = np.bincount(index.ravel(), minlength=len(self.names)) / index.size
        order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
        return [(self.names[one], float(counts[one])) for one in order]

    def unsure(self) -> float:
        """The share of the picture where no class is above one half."""
        return float((self.best()[1] <= 0.5).mean())

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain RUN PICTURE --class-map --json`."""
        return {
            "run": self.run,
            "picture": self.name,
            "size_hw": list(self.picture.shape[:2]),
            "layer": self.layer,
            "windows": list(self.probabilities.shape[:2]),
            "window_hw": [round(one, 4) for one in self.window_hw],
            "likeliest": [{"name": name, "share": round(share, 4)} for name, share in self.likeliest()],
            "unsure": round(self.unsure(), 4),
            "classes": [
                {
                    "name": self.names[one],
                    "most": round(float(self.probabilities[..., one].max()), 4),
                    "mean": round(float(self.probabilities[..., one].mean()), 4),
                    "where": region_words(self.heat(one)),
                }
                for one in self.shown
            ],
            "hint": self.hint,
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
        side, columns = sheet_layout(self.picture.shape)
        drawn = sheet_of(self._panels(side), columns=columns or 3, key=False)
        write(drawn, sheet, overwrite=overwrite)
        items = [
            GalleryItem(one.picture, one.title, " ".join(words for words, _ in one.lines))
            for one in self._panels(_SIDE)
        ]
        gallery = Gallery(self.name, self._terms(), items, large=True)
        return write_page(
            page,
            f"Where {self.run} sees what",
            _INTRO,
            [Section("Which class is where", "", [gallery])],
            kind="striate explain --class-map",
            facts=self.name,
            overwrite=overwrite,
        )

    def _terms(self) -> str:
        rows, columns = self.probabilities.shape[:2]
        many = f"{rows} × {columns} windows" if rows * columns > 1 else "One window"
        return (
            f"{many}, each {_share(self.window_hw[0])} of the picture high and "
            f"{_share(self.window_hw[1])} wide, cut out of the map of {self.layer}."
            + (f" {self.hint[:1].upper()}{self.hint[1:]}." if self.hint else "")
        )

    def _words(self, index: int) -> str:
        field = self.probabilities[..., index]
        where, half = region_words(self.heat(index)), _share(float((field > 0.5).mean()))
        most = f"{self.names[index]}: up to {_share(float(field.max()))}"
        return f"{most}, {where}; above one half in {half} of the windows"

    def _likeliest_words(self) -> str:
        told = ", ".join(f"{name} {_share(share)}" for name, share in self._largest())
        return f"likeliest class, by area: {told}; none above one half in {_share(self.unsure())}"

    def _largest(self) -> list[tuple[str, float]]:
        """Of `likeliest` those that get a colour."""
        first, *rest = self.likeliest()
        return [first, *(one for one in rest if one[1] >= _LEAST)][:COLOURS]

    def _panels(self, side: int) -> list[Panel]:
        size_hw = shown_size((self.picture.shape[0], self.picture.shape[1]), side)
        found = [picture_panel(self.picture, self.name, [], side=side), self._best_panel(size_hw)]
        for one in self.shown:
            drawn = draw_probability(self.picture, self.heat(one, size_hw))
            words = self._words(one).partition(": ")[2]
            found.append(Panel(drawn, self.names[one], [(f"{words[:1].upper()}{words[1:]}.", "plain")]))
        return found

    def _best_panel(self, size_hw: SizeHW) -> Panel:
        index, share = self.best(size_hw)
        told = self._largest()
        place = np.full(len(self.names), -1)
        for at, (name, _) in enumerate(told):
            place[self.names.index(name)] = at
        keys = [(name, _share(area)) for name, area in told]
        rest = 1 - sum(area for _, area in told)
        others = _share(rest) if (place[index] < 0).any() else ""
        words = f"No class is above one half in {_share(self.unsure())} of the picture."
        return Panel(
            draw_best(self.picture, place[index], share, keys, others),
            "The likeliest class",
            [(words, "plain")],
        )


_LEAST = 0.01
"""Of the picture: classes that win on less are not named, but for the first."""
_INTRO = (
    "The network looks at the whole picture once, larger than it was trained on, and its head is asked "
    "about every window of the last map: so a classifier tells where it sees what. Colour is the "
    "stronger the surer it is; all classes have one scale, and the line is where one is above one half."
)


def _share(value: float) -> str:
    """In whole per cent, 0 and 100 only where it is."""
    if 0 < value < 0.01:
        return "<1 %"
    return ">99 %" if 0.99 < value < 1 else f"{100 * min(1.0, value):.0f} %"


def _between(windows: int, window: float, step: float, cells: int | None) -> Array:
    """(cells, windows): the share of each window at each cell along a side."""
    cells = cells or max(1, round(_FINE / step))
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
    name, shown = one_picture(model, picture)
    half = _torch_half()
    found = half.look(model, shown, _seen_hw(shown, model, windows))
    most = found.probabilities.max(axis=(0, 1))
    chosen = [model.names.index(name) for name in about] or np.argsort(-most)[:_CLASSES].tolist()
    return ClassMap(
        run=model.run.name,
        name=file_name(name),
        picture=shown,
        names=tuple(model.names),
        probabilities=found.probabilities,
        window_hw=found.window_hw,
        step_hw=found.step_hw,
        layer=found.layer,
        shown=tuple(chosen),
        hint=_hint(shown, model, windows, found.window_hw),
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


def _hint(picture: Picture, model: Any, windows: int, window_hw: tuple[float, float]) -> str:
    """What to do where windows are large: ask for more, if the picture has the pixels."""
    height, width = model.task.facts.size_hw
    room = ceil(min(picture.shape[0] / height, picture.shape[1] / width))
    shorter = min(picture.shape[:2])
    across = max(one * side for one, side in zip(window_hw, picture.shape[:2], strict=True)) / shorter
    if across < _COARSE:
        return ""
    coarse = f"each window is {_share(across)} of the shorter side"
    if room > windows:
        return f"{coarse}: --windows {min(2 * windows, room)} looks closer, at smaller things"
    return f"{coarse}, and the picture has no more pixels: what is smaller is easily missed"


def _torch_half() -> Any:
    """By name: the commands may not import torch."""
    try:
        return import_module("striate.verbs.explain.class_map_network")
    except ModuleNotFoundError as error:
        if error.name not in _TRAIN_EXTRA:
            raise
        raise MissingExtraError(error.name, "train", needed_for="a class map") from error

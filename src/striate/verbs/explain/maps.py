"""What every layer of a run makes of one picture, and its filters, as a page, a picture and JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.errors import UsageError
from striate.explain.explanation import file_name
from striate.explain.feature_maps import Filters, LayerMaps, filters_of, maps_of
from striate.explain.tiles import grey_tiles, mosaic, signal_picture, signed_grey
from striate.figures import Figure, Gallery, GalleryItem, Section, Table
from striate.pictures.panels import contact_sheet
from striate.pictures.write import write
from striate.runs.atomic import write_text
from striate.runs.markup import number
from striate.runs.page import write_page
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.types import Array, Picture, PictureArray
from striate.verbs.explain.tuning import look_inside
from striate.verbs.explain.why_sources import one_picture
from striate.verbs.model import FilePath, OnePicture, load
from striate.verbs.outputs import writable

__all__ = ["FILES", "FeatureMaps", "feature_maps"]

FILES = ("report.html", "maps.json", "maps.png")
_SIDE = 288
"""Of a sheet of maps, pixels."""
_FILTERS = 64
"""Filters of a layer that are drawn."""
_PLANES = 256
"""Planes of filters on maps that are drawn: 16 filters of 16 planes, say."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMaps:
    """The maps of every layer for one picture, `pixels` as the network gets it, and the filters."""

    run: str
    picture: str
    pixels: PictureArray
    layers: tuple[LayerMaps, ...]
    filters: tuple[Filters, ...]

    @property
    def statements(self) -> tuple[str, ...]:
        """The result in sentences: one a layer with a map."""
        return tuple(f"{one.layer.name}: {_words(one)}." for one in self.layers if one.layer.is_map)

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain RUN PICTURE --maps --json`."""
        return {
            "run": self.run,
            "picture": self.picture,
            "input_hw": list(self.pixels.shape[:2]),
            "layers": [one.to_dict() for one in self.layers],
            "filters": [
                {"layer": one.layer.name, "shape": list(one.weights.shape)} for one in self.filters
            ],
        }

    def save(self, folder: FilePath, *, overwrite: bool = False) -> Path:
        """Write report.html, maps.json and maps.png to `folder`; the page's path."""
        page, data, sheet = (writable(Path(folder) / name, overwrite=overwrite) for name in FILES)
        write_text(data, json.dumps(json_ready(self.to_dict()), allow_nan=False) + "\n")
        shown = [one for one in self.layers if one.layer.is_map]
        pictures = [self.pixels, *(_sheet(one, 16) for one in shown)]
        titles = ["as the network gets it", *(one.layer.name for one in shown)]
        write(contact_sheet(pictures, titles, cell=288), sheet, overwrite=overwrite)
        return write_page(
            page,
            f"What {self.run} makes of a picture",
            _INTRO,
            self._sections(),
            kind="striate explain --maps",
            facts=self.picture,
            overwrite=overwrite,
        )

    def _sections(self) -> list[Section]:
        size = f"{self.pixels.shape[0]} × {self.pixels.shape[1]} pixels"
        first: list[Figure] = [
            Gallery(size, "", [GalleryItem(self.pixels, "as the network gets it")], large=True)
        ]
        maps = [_gallery(one) for one in self.layers if one.layer.is_map]
        flat = [_numbers(one) for one in self.layers if not one.layer.is_map]
        sections = [Section("The picture", "", first), Section("Maps", _MAPS, maps)]
        if flat:
            sections.append(Section("Numbers", _FLAT, flat))
        if self.filters:
            drawn = [_filters(one) for one in self.filters]
            sections.append(Section("Filters", _WEIGHTS, drawn))
        return sections


_INTRO = (
    "One picture goes through the network, and every layer is drawn: first edges and colours, later "
    "parts of things, on ever fewer places, until only numbers are left."
)
_MAPS = (
    "Each tile is one channel, strongest first; white is its own highest value, black its lowest. Above "
    "them: how far the values of the layer reach, and which share of them is above zero."
)
_FLAT = "Layers without places have one number a channel; the highest are listed."
_WEIGHTS = (
    "What the convolutions multiply with. Those that see the picture are drawn in its colours, grey is "
    "zero; those that see maps are drawn plane by plane, a filter a row."
)


def _words(one: LayerMaps) -> str:
    height, width = one.layer.places_hw
    reach = f"{number(one.low, 3)} to {number(one.high, 3)}"
    return f"{one.layer.channels} maps of {height} × {width}, values {reach}, {one.awake:.0%} above zero"


def _sheet(one: LayerMaps, at_most: int = 64) -> Picture:
    """In as many columns as rows."""
    tiles = [grey_tiles(values) for values in one.maps[:at_most]]
    columns = math.ceil(len(tiles) ** 0.5)
    return mosaic(tiles, columns, cell=(_SIDE - 3 * (columns - 1)) // columns, filling=True)


def _gallery(one: LayerMaps) -> Figure:
    """Few channels as pictures with their numbers, and all that are shown as one sheet."""
    chosen = list(zip(one.channels[:2], one.maps[:2], strict=True))
    items = [
        GalleryItem(grey_tiles(values), f"channel {channel}", f"up to {number(float(values.max()), 3)}")
        for channel, values in chosen
    ]
    many = min(len(one.channels), 64)
    title = f"{one.layer.name} · {one.layer.kind}"
    sheet = GalleryItem(_sheet(one), f"the strongest {many}" if many < one.layer.channels else "all")
    return Gallery(title, _words(one).capitalize() + ".", [sheet, *items], large=True)


def _numbers(one: LayerMaps) -> Figure:
    rows = [
        (f"{one.layer.name}:{channel}", float(values.max()))
        for channel, values in list(zip(one.channels, one.maps, strict=True))[:10]
    ]
    words = f"{one.layer.channels} numbers, {number(one.low, 3)} to {number(one.high, 3)}."
    return Table(f"{one.layer.name} · {one.layer.kind}", words, ("unit", "value"), rows)


# -- filters ----------------------------------------------------------------------------------


def _filters(one: Filters) -> Figure:
    count, planes, height, width = one.weights.shape
    title = f"{one.layer.name} · {count} filters {height} × {width}"
    if one.sees_picture:
        shown = min(count, _FILTERS)
        tiles = [_drawn(weights) for weights in one.weights[:shown]]
        columns = max(1, round(shown**0.5 * 1.4))
        picture = mosaic(tiles, columns, cell=max(8 * max(height, width), 560 // columns - 3))
        words = f"{shown} of {count} are shown." if shown < count else ""
        return Gallery(title, words, [GalleryItem(picture, "on the picture")], large=True)
    across = min(planes, 16)
    down = min(count, _PLANES // across)
    tiles = [signed_grey(plane) for weights in one.weights[:down] for plane in weights[:across]]
    picture = mosaic(tiles, across, cell=max(15, 5 * max(height, width)))
    words = f"{down} of {count} filters, {across} of {planes} planes each."
    return Gallery(title, words, [GalleryItem(picture, "on maps")], large=True)


def _drawn(weights: Array) -> Picture:
    """(C, h, w) in colours, or in grey where there is one plane."""
    if len(weights) == 1:
        return signed_grey(weights[0])
    return signal_picture(weights.transpose(1, 2, 0))


def feature_maps(
    run: FilePath | Run, picture: OnePicture, *, at_most: int = 64, threads: int = 0
) -> FeatureMaps:
    """The maps of every layer of `run` for `picture`, and its filters; `at_most` channels a layer.

    Errors: `PictureError`, those of a run, `MissingExtraError` without onnx.
    """
    if at_most < 1:
        raise UsageError(f"at most {at_most} channels were asked for", expected="1 or more")
    model = load(run, threads=threads)
    inside = look_inside(model, threads=threads)
    name, whole = one_picture(model, picture, model.task.read_at_least_hw)
    pixels = model.task.prepare(whole).pixels
    data = model.run.file(model.header.graphs["main"]).read_bytes()
    return FeatureMaps(
        model.run.name,
        file_name(name),
        pixels,
        tuple(maps_of(inside, pixels, at_most=at_most)),
        tuple(filters_of(data, inside)),
    )

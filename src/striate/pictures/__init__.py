"""Pictures in and out: safe decoding, colour, one resize, drawing, writing, views.

Reading, resizing and writing are here at once; what draws is imported when it is first named.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from striate.pictures.formats import PICTURE_SUFFIXES, is_picture_name
from striate.pictures.read import MAX_PIXELS, MAX_SIDE, PictureInfo, probe, read
from striate.pictures.resize import PAD_GREY, Fit, Resample, fit, resize
from striate.pictures.sources import Source, shown_name
from striate.pictures.write import WRITABLE_SUFFIXES, OutFormat, to_bytes, to_data_uri, write

if TYPE_CHECKING:
    from striate.pictures.draw import draw_boxes, enlarge, label_band
    from striate.pictures.flattening import (
        SeparatedNeighbours,
        flatten,
        neighbours_view,
        separated_neighbours,
        unflatten,
    )
    from striate.pictures.palette import PALETTE, TONES, Tone, colour_of, ink_on
    from striate.pictures.panels import bars, contact_sheet
    from striate.pictures.views import (
        DimensionReport,
        NumberGrid,
        dimension_report,
        grey_levels,
        number_grid,
    )

__all__ = [
    "MAX_PIXELS",
    "MAX_SIDE",
    "PAD_GREY",
    "PALETTE",
    "PICTURE_SUFFIXES",
    "TONES",
    "WRITABLE_SUFFIXES",
    "DimensionReport",
    "Fit",
    "NumberGrid",
    "OutFormat",
    "PictureInfo",
    "Resample",
    "SeparatedNeighbours",
    "Source",
    "Tone",
    "bars",
    "colour_of",
    "contact_sheet",
    "dimension_report",
    "draw_boxes",
    "enlarge",
    "fit",
    "flatten",
    "grey_levels",
    "ink_on",
    "is_picture_name",
    "label_band",
    "neighbours_view",
    "number_grid",
    "probe",
    "read",
    "resize",
    "separated_neighbours",
    "shown_name",
    "to_bytes",
    "to_data_uri",
    "unflatten",
    "write",
]

LAZY = {
    "draw": ("draw_boxes", "enlarge", "label_band"),
    "flattening": (
        "SeparatedNeighbours",
        "flatten",
        "neighbours_view",
        "separated_neighbours",
        "unflatten",
    ),
    "palette": ("PALETTE", "TONES", "Tone", "colour_of", "ink_on"),
    "panels": ("bars", "contact_sheet"),
    "views": ("DimensionReport", "NumberGrid", "dimension_report", "grey_levels", "number_grid"),
}
"""Module → names. Drawing loads fonts, which reading a picture does not need."""


def __getattr__(name: str) -> Any:
    for module, names in LAZY.items():
        if name in names:
            return getattr(importlib.import_module(f"striate.pictures.{module}"), name)
    raise AttributeError(f"module 'striate.pictures' has no attribute {name!r}")

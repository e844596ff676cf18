"""Pictures as data, made visible: the grid of numbers, the flattened vector, the count of dimensions."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np

from striate.errors import UnknownNameError
from striate.pictures.draw import heading, plate
from striate.pictures.lettering import font_for, line_height, spaced
from striate.pictures.palette import FAINT, RGB, ink_on
from striate.pictures.write import to_bytes
from striate.types import Array, Picture, PictureArray, SizeHW, check_picture

__all__ = ["DimensionReport", "NumberGrid", "Region", "dimension_report", "grey_levels", "number_grid"]

Region = tuple[int, int, int, int]
"""Top, left, height, width, pixels."""

MOST_CELLS = 16
"""Rows and columns of numbers that a person can take in; a larger picture is shown in part."""


def grey_levels(picture: Picture) -> PictureArray:
    """The grey picture (H, W), uint8: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded."""
    levels: Array = np.rint(picture @ np.array([0.299, 0.587, 0.114]))
    return levels.astype(np.uint8)


@dataclass(frozen=True, slots=True)
class NumberGrid:
    """A picture, or a part of it, as the numbers it is.

    `values`: uint8, (h, w) for grey and (h, w, 3) for colour. `region`: where they come from: top,
    left, height, width. `size_hw`: the whole picture. `statement`: what is shown, in a sentence.
    `text`: the numbers in rows, one block for each channel. `picture`: the numbers in cells of their
    own colour.
    """

    values: PictureArray
    region: Region
    size_hw: SizeHW
    statement: str
    text: str
    picture: Picture = field(repr=False)

    def to_dict(self) -> dict[str, object]:
        """For `--json`: the numbers as nested lists, row by row."""
        return {
            "statement": self.statement,
            "size_hw": list(self.size_hw),
            "region": list(self.region),
            "values": self.values.tolist(),
        }

    def plot(self) -> Picture:
        """The drawn grid, uint8 (H, W, 3)."""
        return self.picture

    def _repr_png_(self) -> bytes:
        return to_bytes(self.picture)


def number_grid(
    picture: Picture,
    *,
    region: Region | None = None,
    channels: Literal["grey", "rgb"] = "rgb",
) -> NumberGrid:
    """`picture`, uint8 (H, W, 3), as its 0-255 grid: in text and drawn.

    `region`: the part to show (top, left, height, width); None for all of a small picture and the
    middle 16 × 16 of a large one. `channels`: "rgb" for three numbers a pixel, "grey" for one. A
    `ValueError` for a region that is empty or reaches outside.
    """
    if channels not in ("grey", "rgb"):
        raise UnknownNameError("channels", channels, ("grey", "rgb"))
    height, width = check_picture(picture).shape[:2]
    top, left, tall, wide = region = _middle((height, width)) if region is None else region
    if min(top, left) < 0 or min(tall, wide) < 1 or top + tall > height or left + wide > width:
        raise ValueError(
            f"region {region} does not lie in a picture of height {height} and width {width}"
        )
    part = picture[top : top + tall, left : left + wide]
    values = grey_levels(part) if channels == "grey" else part.copy()
    statement = _statement((height, width), region, 1 if channels == "grey" else 3)
    drawn = _draw_grid(part, values, region, statement)
    return NumberGrid(values, region, (height, width), statement, _as_text(values), drawn)


def _middle(size_hw: SizeHW) -> Region:
    tall, wide = min(size_hw[0], MOST_CELLS), min(size_hw[1], MOST_CELLS)
    return (size_hw[0] - tall) // 2, (size_hw[1] - wide) // 2, tall, wide


def _statement(size_hw: SizeHW, region: Region, channels: int) -> str:
    height, width = size_hw
    depth = f" × {channels}" if channels > 1 else ""
    whole = f"{height} × {width}{depth} = {spaced(height * width * channels)} numbers from 0 to 255"
    top, left, tall, wide = region
    if (tall, wide) == size_hw:
        return f"The whole picture: {whole}"
    rows, columns = f"rows {top}-{top + tall - 1}", f"columns {left}-{left + wide - 1}"
    return f"Only {rows} and {columns} of a picture of {whole}"


def _as_text(values: PictureArray) -> str:
    """Rows of right-aligned numbers; colour as three headed blocks."""
    if values.ndim == 2:
        return "\n".join(" ".join(f"{value:3d}" for value in row) for row in values.tolist())
    names = ("red", "green", "blue")
    return "\n\n".join(f"{name}\n{_as_text(values[..., index])}" for index, name in enumerate(names))


LETTER = 14


def _draw_grid(part: Picture, values: PictureArray, region: Region, statement: str) -> Picture:
    """Cells in their own colour with their numbers, row and column numbers beside, the words above."""
    tall, wide = values.shape[:2]
    stack = 1 if values.ndim == 2 else 3
    cell_h, cell_w = 12 + line_height(LETTER) * stack, 40
    margin_x, margin_y = 52, 62 if stack == 1 else 84
    words, font = font_for(statement.replace("×", "x"), LETTER)  # the bundled font has no ×
    wide_enough = max(margin_x + cell_w * wide, round(font.getlength(words)) + 12) + 12
    canvas, draw = plate((wide_enough, margin_y + cell_h * tall + 12))
    heading(draw, (12, 20), words, LETTER)
    if stack > 1:
        heading(
            draw,
            (12, 20 + line_height(LETTER)),
            "In each cell, from above: red, green, blue",
            LETTER,
            FAINT,
        )
    for row in range(tall):
        middle = margin_y + cell_h * (row + 0.5)
        draw.text((margin_x - 8, middle), str(region[0] + row), fill=FAINT, font=font, anchor="rm")
    for column in range(wide):
        middle = margin_x + cell_w * (column + 0.5)
        draw.text((middle, margin_y - 12), str(region[1] + column), fill=FAINT, font=font, anchor="mm")
    for row, column in np.ndindex(tall, wide):
        numbers = np.atleast_1d(values[row, column]).tolist()
        ground: RGB = (numbers[0],) * 3 if stack == 1 else tuple(part[row, column].tolist())
        left, top = margin_x + cell_w * column, margin_y + cell_h * row
        draw.rectangle((left, top, left + cell_w - 1, top + cell_h - 1), fill=ground)
        for line, number in enumerate(numbers):
            place = (left + cell_w - 8, top + 6 + line_height(LETTER) * (line + 0.5))
            draw.text(place, str(number), fill=ink_on(ground), font=font, anchor="rm")
    end = (margin_x + cell_w * wide, margin_y + cell_h * tall)
    draw.rectangle((margin_x - 1, margin_y - 1, *end), outline=FAINT)
    return np.array(canvas)


@dataclass(frozen=True, slots=True)
class DimensionReport:
    """What flattening costs: numbers in, and parameters that each of them needs.

    `dimensions`: d, the length of the flattened vector. `first_layer_weights`: d × nodes, without
    the `nodes` biases. `regressor_parameters`: weights of a linear regressor, one a number, without
    its bias.
    """

    size_hw: SizeHW
    channels: int
    nodes: int
    dimensions: int
    first_layer_weights: int
    regressor_parameters: int

    def __str__(self) -> str:
        height, width = self.size_hw
        return (
            f"A picture {width} wide and {height} high with {self.channels} channel(s) is a point in "
            f"{spaced(self.dimensions)} dimensions. A linear regressor on it has "
            f"{spaced(self.regressor_parameters)} weights; a first dense layer of "
            f"{spaced(self.nodes)} nodes has {spaced(self.first_layer_weights)} weights."
        )

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self) | {"size_hw": list(self.size_hw)}


def dimension_report(size_hw: SizeHW, channels: int = 1, nodes: int = 1024) -> DimensionReport:
    """The dimensions of a picture of `size_hw`, and the parameters that dense layers need for it.

    >>> dimension_report((768, 1024)).dimensions
    786432
    >>> dimension_report((1000, 1000)).first_layer_weights > 10**9
    True
    """
    if min(*size_hw, channels, nodes) < 1:
        raise ValueError(
            f"size_hw {size_hw}, channels {channels}, nodes {nodes}: expected 1 or more of each"
        )
    dimensions = size_hw[0] * size_hw[1] * channels
    return DimensionReport(size_hw, channels, nodes, dimensions, dimensions * nodes, dimensions)

"""A picture as a vector: row by row, exactly reversible, and which neighbours part on the way."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image, ImageDraw

from striate.pictures.draw import heading, plate
from striate.pictures.lettering import font_for, spaced
from striate.pictures.palette import BLUE, FAINT, INK, RGB, VERMILION
from striate.types import Array, Picture, SizeHW, check_picture

__all__ = ["SeparatedNeighbours", "flatten", "neighbours_view", "separated_neighbours", "unflatten"]


def flatten(picture: Array) -> Array:
    """`picture`, (H, W) or (H, W, C) of any dtype, as the vector (H · W · C,), row by row.

    Row-major: pixel (y, x), channel c lies at (y · W + x) · C + c. A copy; `unflatten` undoes it.

    >>> flatten(np.array([[1, 2], [3, 4]]))
    array([1, 2, 3, 4])
    """
    if picture.ndim not in (2, 3):
        raise ValueError(f"expected a picture (H, W) or (H, W, C), got shape {picture.shape}")
    return picture.flatten(order="C")


def unflatten(vector: Array, size_hw: SizeHW, channels: int = 3) -> Array:
    """The picture (H, W, C) that `flatten` made `vector` of; (H, W) where `channels` is 1. A copy.

    A `ValueError` where the length is not H · W · C.
    """
    height, width = size_hw
    if vector.ndim != 1 or len(vector) != height * width * channels:
        raise ValueError(
            f"a picture of {height} × {width} × {channels} needs a vector of "
            f"{height * width * channels} numbers, got shape {vector.shape}"
        )
    return vector.reshape(size_hw if channels == 1 else (height, width, channels)).copy()


@dataclass(frozen=True, slots=True)
class SeparatedNeighbours:
    """Which pixels that touch along a side are still beside each other in the flattened vector.

    Distances are in places of the vector, from a number to the same channel of the neighbour.
    `side_pairs`: pixels left and right of each other, all `side_distance` apart (one pixel: kept).
    `stacked_pairs`: pixels above each other, all `stacked_distance` apart (a whole row: separated).
    `false_pairs`: pixels beside each other in the vector that lie at opposite edges of the picture:
    the end of a row and the start of the next.
    """

    size_hw: SizeHW
    channels: int
    side_pairs: int
    side_distance: int
    stacked_pairs: int
    stacked_distance: int
    false_pairs: int

    @property
    def kept(self) -> int:
        """Neighbouring pairs that are one pixel apart in the vector."""
        return self.side_pairs + (self.stacked_pairs if self.size_hw[1] == 1 else 0)

    @property
    def separated(self) -> int:
        """Neighbouring pairs that are further than one pixel apart in the vector."""
        return self.side_pairs + self.stacked_pairs - self.kept

    @property
    def furthest(self) -> int:
        """The largest distance, in the vector, of two pixels that touch; 0 for a single pixel."""
        distances = {self.side_distance: self.side_pairs, self.stacked_distance: self.stacked_pairs}
        return max((distance for distance, pairs in distances.items() if pairs), default=0)

    def __str__(self) -> str:
        return (
            f"Of {self.kept + self.separated} pairs of touching pixels, {self.kept} stay together and "
            f"{self.separated} are separated, {self.furthest} places apart at most; "
            f"{self.false_pairs} pairs meet in the vector that do not touch in the picture."
        )

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        derived = {"kept": self.kept, "separated": self.separated, "furthest": self.furthest}
        return asdict(self) | {"size_hw": list(self.size_hw)} | derived


def separated_neighbours(size_hw: SizeHW, channels: int = 1) -> SeparatedNeighbours:
    """What `flatten` does to the neighbours in a picture of `size_hw` with `channels`.

    >>> print(separated_neighbours((3, 4)))
    Of 17 pairs of touching pixels, 9 stay together and 8 are separated, 4 places apart at most; \
2 pairs meet in the vector that do not touch in the picture.
    """
    height, width = size_hw
    if min(height, width, channels) < 1:
        raise ValueError(f"size_hw {size_hw}, channels {channels}: expected 1 or more of each")
    return SeparatedNeighbours(
        size_hw=size_hw,
        channels=channels,
        side_pairs=height * (width - 1),
        side_distance=channels,
        stacked_pairs=(height - 1) * width,
        stacked_distance=width * channels,
        false_pairs=height - 1 if width > 1 else 0,
    )


SHOWN = 9
"""Rows and columns of the part that is drawn."""
CELL = 34
MARGIN = 24


def neighbours_view(picture: Picture, at_yx: tuple[int, int] | None = None) -> Picture:
    """A figure of what flattening does to one pixel and its four neighbours.

    Above: the part of `picture`, uint8 (H, W, 3), around pixel `at_yx` (default: the middle), with
    the pixel, its neighbours left and right (blue) and above and below (vermilion). Below: the stretch
    of the vector between the neighbours, where each of them has gone. Returns uint8 (H', W', 3).
    """
    height, width = check_picture(picture).shape[:2]
    y, x = (height // 2, width // 2) if at_yx is None else at_yx
    if not (0 <= y < height and 0 <= x < width):
        raise ValueError(f"pixel {at_yx} does not lie in a picture of height {height} and width {width}")
    top, left = _start(y, height), _start(x, width)
    part = picture[top : top + SHOWN, left : left + SHOWN]
    across = 860
    grid_bottom = 44 + max(CELL * part.shape[0], 100)
    canvas, draw = plate((across + 2 * MARGIN, grid_bottom + 210))
    found = separated_neighbours((height, width))
    heading(
        draw, (MARGIN, 22), f"Pixel (row {y}, column {x}) of {height} x {width} and its neighbours", 16
    )
    large = np.repeat(np.repeat(part, CELL, axis=0), CELL, axis=1)
    canvas.paste(Image.fromarray(large), (MARGIN, 44))
    _mark_cells(draw, (y - top, x - left), (height, width), (y, x))
    _legend(draw, MARGIN + CELL * part.shape[1] + 28, found)
    _draw_stretch(canvas, draw, picture.reshape(-1, 3), (y * width + x, width), grid_bottom + 24)
    return np.array(canvas)


def _start(at: int, length: int) -> int:
    return min(max(0, at - SHOWN // 2), max(0, length - SHOWN))


def _neighbours(size_hw: SizeHW, at_yx: tuple[int, int]) -> list[tuple[int, int, RGB]]:
    """Steps (down, right) to the neighbours that exist, and their colours."""
    steps = [(0, -1, BLUE), (0, 1, BLUE), (-1, 0, VERMILION), (1, 0, VERMILION)]
    inside = [0 <= at_yx[0] + dy < size_hw[0] and 0 <= at_yx[1] + dx < size_hw[1] for dy, dx, _ in steps]
    return [step for step, keep in zip(steps, inside, strict=True) if keep]


def _mark_cells(
    draw: ImageDraw.ImageDraw, cell_yx: tuple[int, int], size_hw: SizeHW, at_yx: tuple[int, int]
) -> None:
    for dy, dx, colour in [*_neighbours(size_hw, at_yx), (0, 0, INK)]:
        left, top = MARGIN + CELL * (cell_yx[1] + dx), 44 + CELL * (cell_yx[0] + dy)
        draw.rectangle((left, top, left + CELL - 1, top + CELL - 1), outline=(255, 255, 255), width=5)
        draw.rectangle((left, top, left + CELL - 1, top + CELL - 1), outline=colour, width=3)


def _legend(draw: ImageDraw.ImageDraw, left: int, found: SeparatedNeighbours) -> None:
    apart = (
        f"{spaced(found.stacked_distance)} place{'s' * (found.stacked_distance > 1)} apart in the vector"
    )
    lines = [
        (BLUE, f"left and right: {spaced(found.side_pairs)} pairs, 1 place apart in the vector"),
        (VERMILION, f"above and below: {spaced(found.stacked_pairs)} pairs, {apart}"),
        (FAINT, f"ends of rows: {spaced(found.false_pairs)} pairs meet that were no neighbours"),
    ]
    for number, (colour, words) in enumerate(lines):
        middle = 60 + 30 * number
        draw.rectangle((left, middle - 7, left + 14, middle + 7), fill=colour)
        heading(draw, (left + 24, middle), words, 14)


def _draw_stretch(
    canvas: Image.Image, draw: ImageDraw.ImageDraw, pixels: Array, at: tuple[int, int], top: int
) -> None:
    """The vector around place `at[0]`, a row of `at[1]` before and after it, with arcs to where the
    neighbours went. `pixels`: (H · W, 3)."""
    place, row = at
    reach = round(row * 1.15) + 2
    first, last = max(0, place - reach), min(len(pixels), place + reach + 1)
    across, strip_top = canvas.width - 2 * MARGIN, top + 120
    columns = first + np.arange(across) * (last - first) // across
    strip = np.broadcast_to(pixels[columns], (34, across, 3))
    canvas.paste(Image.fromarray(np.ascontiguousarray(strip)), (MARGIN, strip_top))
    draw.rectangle((MARGIN - 1, strip_top - 1, MARGIN + across, strip_top + 34), outline=FAINT)
    words = f"Places {spaced(first)} to {spaced(last - 1)} of the vector of {spaced(len(pixels))} pixels"
    heading(draw, (MARGIN, strip_top + 52), words, 14, FAINT)

    def middle(index: int) -> float:
        return MARGIN + (index - first + 0.5) * across / (last - first)

    for step, colour in ((-row, VERMILION), (row, VERMILION), (-1, BLUE), (1, BLUE)):
        if first <= place + step < last and not (row == 1 and colour == BLUE):
            ends = sorted((middle(place), middle(place + step)))
            rise = 84 if colour == VERMILION else 26
            draw.arc(
                (ends[0], strip_top - rise, ends[1], strip_top + rise), 180, 360, fill=colour, width=3
            )
            draw.line(
                (middle(place + step), strip_top, middle(place + step), strip_top + 33),
                fill=colour,
                width=3,
            )
            if colour == VERMILION:
                crown = ((ends[0] + ends[1]) / 2, strip_top - rise - 12)
                draw.text(crown, f"{spaced(row)}", fill=colour, font=font_for("", 14)[1], anchor="mm")
    draw.line((middle(place), strip_top, middle(place), strip_top + 33), fill=INK, width=3)

"""A sheet of pictures and their variants: a row each, the original first; as a picture or a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw

from striate.ops.rotated import rotated_to_corners
from striate.pictures.draw import PAPER, heading, meet, plate
from striate.pictures.lettering import font_for, line_height, shortened, wrapped
from striate.pictures.palette import FAINT, INK, RGB, colour_of, ink_on
from striate.pictures.resize import resize
from striate.pictures.write import to_data_uri
from striate.runs.markup import escape
from striate.runs.page import document, masthead
from striate.types import Array, Picture

__all__ = ["NO_CLASS", "Cell", "draw_sheet", "sheet_page"]

_LONG = 184
"""Longer side of a picture on the sheet, pixels, about."""
_GAP = 14
_MARGIN = 28
_TEXT, _TITLE, _CAPTION = 13, 24, 15
_APART = 26
"""Between the originals and their variants."""

NO_CLASS = 255
"""Of a pixel that is not judged, or comes from beyond the picture."""
_TINT = 0.5
"""How much of a pixel's colour is its class's."""

_Place: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A picture and its truth in words; boxes float (N, 4), with names, class numbers and angles;
    classes of its pixels uint8 (h, w), `NO_CLASS` for none.

    `words`: one text, or, where lines are told apart, each of them on its own.
    """

    picture: Picture
    words: str
    boxes_xyxy: Array | None = None
    names: tuple[str, ...] = ()
    labels: Array | None = None
    angles_deg: Array | None = None
    class_map: Array | None = None


def draw_sheet(title: str, words: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Picture:
    """The sheet as a picture, uint8 (H, W, 3)."""
    height, width = _cell_hw(rows[0][0].picture)
    wide = max(width, 96)
    columns = len(rows[0])
    across = 2 * _MARGIN + columns * (wide + _GAP) - _GAP + _APART
    caption = " · ".join(words)
    text, font = font_for(caption, _CAPTION)
    lines = wrapped(text, font, across - 2 * _MARGIN, 6)
    top = _MARGIN + line_height(_TITLE) + 6 + line_height(_CAPTION) * len(lines) + 16
    heads = line_height(_TEXT) + 8
    deep = max(len(_lines(cell.words, wide)) for row in rows for cell in row)
    step = height + deep * line_height(_TEXT) + 14 + _GAP
    canvas, draw = plate((across, top + heads + step * len(rows) + _MARGIN - _GAP))
    heading(draw, (_MARGIN, _MARGIN + line_height(_TITLE) / 2), title, _TITLE)
    for number, line in enumerate(lines):
        middle = _MARGIN + line_height(_TITLE) + 6 + line_height(_CAPTION) * (number + 0.5)
        draw.text((_MARGIN, middle), line, fill=FAINT, font=font, anchor="lm")
    for column in range(columns):
        left = _left(column, wide)
        name = "as it is" if column == 0 else "as trained" if column == 1 else ""
        heading(draw, (left, top + heads / 2 - 4), name, _TEXT, FAINT)
    line_x = _left(1, wide) - (_APART + _GAP) // 2
    draw.line((line_x, top, line_x, canvas.height - _MARGIN), fill=(214, 219, 226), width=1)
    for place, row in enumerate(rows):
        y = top + heads + step * place
        for column, cell in enumerate(row):
            _draw_cell(canvas, cell, (_left(column, wide), y), (height, width), wide)
    return np.array(canvas)


def _left(column: int, wide: int) -> int:
    return _MARGIN + column * (wide + _GAP) + (_APART if column else 0)


def _cell_hw(picture: Picture) -> tuple[int, int]:
    """Enlarged a whole number of times, or made smaller."""
    height, width = picture.shape[:2]
    longest = max(height, width)
    if longest <= _LONG:
        times = max(1, round(_LONG / longest))
        return height * times, width * times
    scale = _LONG * 1.3 / longest if longest > _LONG * 1.3 else 1.0
    return max(1, round(height * scale)), max(1, round(width * scale))


def _draw_cell(
    canvas: Image.Image, cell: Cell, corner: tuple[int, int], size_hw: tuple[int, int], wide: int
) -> None:
    left, top = corner
    draw = ImageDraw.Draw(canvas)
    canvas.paste(PAPER, (left, top, left + wide, top + size_hw[0]))
    shown = _rendered(cell, size_hw)
    canvas.paste(Image.fromarray(shown), (left + (wide - size_hw[1]) // 2, top))
    font = font_for(cell.words, _TEXT)[1]
    for number, line in enumerate(_lines(cell.words, wide)):
        middle = top + size_hw[0] + 5 + line_height(_TEXT) * (number + 0.5)
        draw.text((left, middle), line, fill=INK, font=font, anchor="lm")


def _lines(words: str, wide: int) -> list[str]:
    """In the width of a picture: one text in two lines at most, or each of several cut to its line."""
    text, font = font_for(words, _TEXT)
    if "\n" not in words:
        return wrapped(text, font, wide, 2)
    return [shortened(font_for(line, _TEXT)[0], font, wide) for line in words.splitlines()]


def _rendered(cell: Cell, size_hw: tuple[int, int]) -> Picture:
    """The picture in its size on the sheet, its boxes drawn."""
    height = cell.picture.shape[0]
    picture = cell.picture if cell.class_map is None else _tinted(cell.picture, cell.class_map)
    if size_hw[0] >= height:
        times = size_hw[0] // height
        shown = np.repeat(np.repeat(picture, times, axis=0), times, axis=1)
    else:
        shown = resize(np.ascontiguousarray(picture), size_hw)
    if cell.boxes_xyxy is None or not len(cell.boxes_xyxy):
        return shown
    return _with_boxes(shown, cell, shown.shape[0] / height)


def _tinted(picture: Picture, classes: Array) -> Picture:
    """Each class in its colour, with a light edge between classes."""
    colours = np.array([colour_of(one) for one in range(NO_CLASS)], np.float32)
    there = classes != NO_CLASS
    found = picture.astype(np.float32)
    found[there] += _TINT * (colours[classes[there]] - found[there])
    edge = np.zeros(classes.shape, bool)
    edge[1:] |= classes[1:] != classes[:-1]
    edge[:, 1:] |= classes[:, 1:] != classes[:, :-1]
    found[edge] += 0.6 * (255 - found[edge])
    return found.round().astype(np.uint8)


def _with_boxes(shown: Picture, cell: Cell, scale: float) -> Picture:
    """Outlines with a dark and a light edge, seen on any ground; names on tags."""
    assert cell.boxes_xyxy is not None
    boxes = np.asarray(cell.boxes_xyxy, np.float64) * scale
    angles = np.zeros(len(boxes)) if cell.angles_deg is None else cell.angles_deg
    labels = np.zeros(len(boxes), int) if cell.labels is None else cell.labels
    canvas = Image.fromarray(np.ascontiguousarray(shown))
    draw = ImageDraw.Draw(canvas)
    outlines = rotated_to_corners(boxes, np.asarray(angles, np.float64))
    tints = [colour_of(int(label)) for label in labels]
    for outline, tint in zip(outlines, tints, strict=True):
        points = [tuple(point) for point in np.clip(outline, 0, [canvas.width - 1, canvas.height - 1])]
        draw.line([*points, points[0]], fill=(255, 255, 255), width=4, joint="curve")
        draw.line([*points, points[0]], fill=tint, width=2, joint="curve")
    taken: list[_Place] = []
    for outline, tint, name in zip(outlines, tints, cell.names, strict=True):
        _tag(draw, canvas.size, outline, tint, name, taken)
    return np.array(canvas)


def _tag(
    draw: ImageDraw.ImageDraw,
    size: tuple[int, int],
    outline: Array,
    tint: RGB,
    name: str,
    taken: list[_Place],
) -> None:
    """The class on the upper left of its box; left out where it would hide another's."""
    text, font = font_for(name, 11)
    text = shortened(text, font, size[0] - 6)
    width, height = round(font.getlength(text)) + 6, line_height(11)
    low = outline.min(axis=0)
    left = int(min(max(low[0], 0), max(0, size[0] - width)))
    top = int(low[1] - height if low[1] >= height else max(low[1], 0))
    place = (left, top, left + width, top + height)
    if any(meet(place, other) for other in taken):
        return
    taken.append(place)
    draw.rectangle((left, top, left + width - 1, top + height - 1), fill=tint)
    draw.text((left + 3, top + height / 2), text, fill=ink_on(tint), font=font, anchor="lm")


# -- a page -----------------------------------------------------------------------------------

_STYLE = """<style>
main{max-width:1320px}
.variants{margin:28px 0 8px;background-color:var(--paper);border:1px solid var(--line);
border-radius:12px;padding:4px 0 0 18px}
.variants table{border-collapse:separate;border-spacing:0 16px;width:auto}
.variants td,.variants th{padding:0 14px 0 0;vertical-align:top;border:0;background:none}
.variants th{font-weight:500;text-align:left;color:var(--soft);font-size:14px}
.variants td:first-child,.variants th:first-child{padding-right:22px;border-right:1px solid var(--line)}
.variants td:nth-child(2),.variants th:nth-child(2){padding-left:22px}
.variants img{display:block;image-rendering:pixelated;border-radius:3px;max-width:none}
.variants p{margin:6px 0 0;font-size:13.5px;line-height:1.35}
</style>"""


def sheet_page(title: str, words: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """The sheet as one HTML file."""
    size_hw = _cell_hw(rows[0][0].picture)
    parts = []
    for row in rows:
        cells = []
        for cell in row:
            uri = to_data_uri(_rendered(cell, size_hw), "png")
            cells.append(
                f'<td><img src="{uri}" alt="{escape(cell.words)}" width="{size_hw[1]}" '
                f'height="{size_hw[0]}"><p style="width:{max(size_hw[1], 96)}px">'
                f"<bdi>{escape(cell.words)}</bdi></p></td>"
            )
        parts.append(f"<tr>{''.join(cells)}</tr>")
    variants = len(rows[0]) - 1
    head = f'<tr><th scope="col">as it is</th><th scope="col" colspan="{variants}">as trained</th></tr>'
    table = f"<table><thead>{head}</thead><tbody>{''.join(parts)}</tbody></table>"
    body = (
        masthead(title, kind="striate data augment")
        + _STYLE
        + f'<p class="intro">{escape(" · ".join(words))}</p>'
        + '<div class="variants scroll" tabindex="0" role="region" '
        + f'aria-label="Pictures and their variants">{table}</div>'
    )
    return document(f"{title} · striate", body)

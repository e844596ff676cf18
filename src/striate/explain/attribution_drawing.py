"""Heat over a picture, and a sheet of panels: the picture, then what each method says, with its scores.

The colours are those of "inferno" (Smith & van der Walt 2015, CC0): each is lighter than the one before,
so that they are told apart without seeing hues, and printed in grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from striate.explain.attribution import in_picture
from striate.pictures.draw import PAPER, draw_boxes, plate
from striate.pictures.lettering import font_for, line_height, wrapped
from striate.pictures.palette import INK, RGB, TONES, Tone
from striate.pictures.resize import resize
from striate.types import Array, Picture, Prepared, SizeHW

__all__ = [
    "Panel",
    "crossed",
    "heat_colours",
    "overlaid",
    "picture_panel",
    "sheet_layout",
    "sheet_of",
    "shown_size",
]

_INFERNO: tuple[RGB, ...] = (
    (0, 0, 4), (22, 11, 57), (66, 10, 104), (106, 23, 110), (147, 38, 103), (188, 55, 84),
    (221, 81, 58), (243, 120, 25), (252, 165, 10), (246, 215, 70), (252, 255, 164),
)  # fmt: skip
_FULL = 0.995
"""The quantile that has the full colour: single pixels do not decide how all others look."""
_SIDE, _GAP, _TEXT = 320, 16, 15
_QUIET: RGB = (75, 85, 99)


def heat_colours(values: Array) -> Picture:
    """Colours uint8 (…, 3) of `values` 0 … 1."""
    at = np.clip(np.asarray(values, np.float64), 0, 1) * (len(_INFERNO) - 1)
    stops = np.arange(len(_INFERNO))
    channels = [np.interp(at, stops, [colour[k] for colour in _INFERNO]) for k in range(3)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)


def sheet_layout(size_hw: tuple[int, ...]) -> tuple[int, int]:
    """The longer side that a picture has on a sheet, and the columns, 0 for as many as there is room
    for: long ones have a row each."""
    return (3 * _SIDE, 1) if size_hw[1] >= 3 * size_hw[0] else (_SIDE, 0)


def shown_size(size_hw: SizeHW, side: int = _SIDE) -> SizeHW:
    """The size to show a picture at: its longer side `side`, small ones a whole number of times."""
    longest = max(size_hw)
    times = side // longest if longest <= side else side / longest
    return max(1, round(size_hw[0] * times)), max(1, round(size_hw[1] * times))


def overlaid(
    picture: Picture,
    heat: Array,
    prepared: Prepared,
    size_hw: SizeHW,
    box_xyxy: Sequence[float] | None = None,
) -> Picture:
    """`picture` in grey at `size_hw` with `heat` (h, w) of the input over it, in colours.

    Hatched where the network sees nothing of the picture. `box_xyxy`: the object that is explained, in
    pixels of the picture.
    """
    seen = in_picture(np.asarray(heat, np.float64), prepared, size_hw)
    known = seen[np.isfinite(seen)]
    top = float(np.quantile(known, _FULL)) if known.size else 0.0
    top = top if top > 0 else float(known.max(initial=0.0))
    share = np.clip(np.nan_to_num(seen) / top, 0, 1) if top > 0 else np.zeros(size_hw)
    grey = _at(picture, size_hw).astype(np.float64) @ (0.299, 0.587, 0.114)
    ground = (0.62 * grey + 30)[..., None]
    strength = (0.8 * np.sqrt(share))[..., None]
    found = ground * (1 - strength) + heat_colours(share) * strength
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    hatch = ((y + x) % 8 < 2)[..., None]
    outside = np.isnan(seen)[..., None]
    found = np.where(outside, np.where(hatch, 150.0, 0.45 * grey[..., None] + 20), found)
    return framed(np.round(found).clip(0, 255).astype(np.uint8), picture.shape, box_xyxy)


def crossed(picture: Picture) -> Picture:
    """`picture` crossed out and framed: it can be seen, and should not be read."""
    canvas = Image.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    right, bottom = canvas.width - 1, canvas.height - 1
    thick = max(1, round(max(canvas.size) / 110))
    for ink, wide in (((255, 255, 255), thick + 2), (TONES["bad"], thick)):
        draw.line((0, 0, right, bottom), fill=ink, width=wide)
        draw.line((0, bottom, right, 0), fill=ink, width=wide)
        draw.rectangle((0, 0, right, bottom), outline=ink, width=wide)
    return np.array(canvas)


def _at(picture: Picture, size_hw: SizeHW) -> Picture:
    """Small pictures with hard edges, large ones reduced."""
    larger = size_hw[0] > picture.shape[0] or size_hw[1] > picture.shape[1]
    return resize(picture, size_hw, how="nearest" if larger else "bilinear")


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A picture, its title, and lines beneath: (words, how they are meant)."""

    picture: Picture
    title: str
    lines: Sequence[tuple[str, Tone]] = ()


def picture_panel(
    picture: Picture,
    title: str,
    lines: Sequence[str],
    box_xyxy: Sequence[float] | None = None,
    *,
    side: int = _SIDE,
) -> Panel:
    """The picture itself; `box_xyxy`: the object that is explained, in its pixels."""
    size_hw = shown_size((picture.shape[0], picture.shape[1]), side)
    return Panel(
        framed(_at(picture, size_hw), picture.shape[:2], box_xyxy),
        title,
        [(one, "plain") for one in lines],
    )


def framed(shown: Picture, size_hw: tuple[int, ...], box_xyxy: Sequence[float] | None) -> Picture:
    """`shown` with the box of a picture of `size_hw` drawn on it."""
    if box_xyxy is None:
        return shown
    down, along = shown.shape[0] / size_hw[0], shown.shape[1] / size_hw[1]
    box = [box_xyxy[0] * along, box_xyxy[1] * down, box_xyxy[2] * along, box_xyxy[3] * down]
    return draw_boxes(shown, [box], colours=[(86, 180, 233)], at_least=1)


def sheet_of(panels: Sequence[Panel], *, columns: int = 0, key: bool = True) -> Picture:
    """Panels in rows, titles and words beneath each; with `key`, what the colours mean at the foot."""
    across = columns or min(len(panels), 4)
    side = max(_SIDE, *(one.picture.shape[1] for one in panels))
    laid = [_words(panel, side) for panel in panels]
    rows = [range(at, min(at + across, len(panels))) for at in range(0, len(panels), across)]
    talls = [max(panels[k].picture.shape[0] for k in row) for row in rows]
    texts = [max(len(laid[k]) for k in row) * line_height(_TEXT) + 2 * _GAP for row in rows]
    legend = 2 * _GAP + 16 if key else 0
    width = _GAP + across * (side + _GAP)
    canvas, draw = plate((width, _GAP + sum(talls) + sum(texts) + legend))
    canvas.paste(PAPER, (0, 0, *canvas.size))
    top = _GAP
    for row, tall, text in zip(rows, talls, texts, strict=True):
        for column, k in enumerate(row):
            left = _GAP + column * (side + _GAP)
            shown = panels[k].picture
            along = (side - shown.shape[1]) // 2
            canvas.paste(Image.fromarray(shown), (left + along, top))
            _write(draw, laid[k], (left, top + tall + _GAP // 2))
        top += tall + text
    if key:
        _legend(canvas, draw, (_GAP, top), min(width - 2 * _GAP, 2 * _SIDE))
    return np.array(canvas)


Line = tuple[str, RGB, int]


def _words(panel: Panel, side: int) -> list[Line]:
    """Lines that fit: text, ink, size."""
    title, font = font_for(panel.title, _TEXT + 2)
    found: list[Line] = [(line, INK, _TEXT + 2) for line in wrapped(title, font, side, 2)]
    for words, tone in panel.lines:
        text, font = font_for(words, _TEXT - 1)
        ink = _QUIET if tone == "plain" else TONES[tone]
        found += [(line, ink, _TEXT - 1) for line in wrapped(text, font, side, 4)]
    return found


def _write(draw: ImageDraw.ImageDraw, lines: Sequence[Line], corner: tuple[int, int]) -> None:
    for number, (text, ink, size) in enumerate(lines):
        words, font = font_for(text, size)
        draw.text((corner[0], corner[1] + number * line_height(_TEXT)), words, fill=ink, font=font)


def _legend(canvas: Image.Image, draw: ImageDraw.ImageDraw, corner: tuple[int, int], width: int) -> None:
    """A bar from little to much."""
    left, top = corner
    words = [font_for(text, _TEXT - 1) for text in ("says little", "says most")]
    begin = left + round(words[0][1].getlength(words[0][0])) + 10
    long = max(40, min(160, width - begin - round(words[1][1].getlength(words[1][0])) - 10))
    ramp = np.repeat(overlay_ramp(long)[None], 14, axis=0)
    canvas.paste(Image.fromarray(ramp), (begin, top + 2))
    draw.text((left, top), words[0][0], fill=_QUIET, font=words[0][1])
    draw.text((begin + long + 10, top), words[1][0], fill=_QUIET, font=words[1][1])


def overlay_ramp(count: int) -> Picture:
    """The colours of heat from 0 to 1 as they look over mid grey: uint8 (count, 3)."""
    share = np.linspace(0, 1, count)
    strength = (0.8 * np.sqrt(share))[:, None]
    mixed = (0.62 * 127 + 30) * (1 - strength) + heat_colours(share) * strength
    return np.round(mixed).astype(np.uint8)

"""A detection with its parts: where they are, and which one spoke most for the object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from striate.features.parts.explain import PartsExplanation
from striate.pictures import resize
from striate.pictures.draw import PAPER, draw_boxes, plate, text_size
from striate.pictures.lettering import font_for, line_height, shortened, wrapped
from striate.pictures.palette import FAINT, INK, RGB, TRACK, colour_of, ink_on
from striate.types import Array, Picture, check_picture

__all__ = ["draw_parts"]

_WHOLE: RGB = (38, 43, 51)
"""Colour of the object's own box."""
_LONGER, _PANEL = 720, 360
_EDGE, _CLOSE_UP, _CHIP = 18, 230, 22
_TINT = 0.4
"""How strongly the part that spoke most is tinted."""


def draw_parts(picture: Picture, explanations: Sequence[PartsExplanation]) -> Picture:
    """`picture`, uint8 (H, W, 3), with the box of each object; the part that contributed most is tinted.

    Beside it the first object is shown large with all its parts, and what each of them contributed. A
    picture under 720 pixels is enlarged smoothly. Returns uint8 (H', W', 3).
    """
    scale = max(1.0, _LONGER / max(check_picture(picture).shape[:2]))
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    shown = resize(picture, (height, width), how="bicubic")
    scale_xyxy = np.tile([width / picture.shape[1], height / picture.shape[0]], 2)
    for one in reversed(explanations):  # the best is drawn last, over the others
        shown = _tinted(shown, one, scale_xyxy)
    whole = np.array([one.box_xyxy for one in explanations]).reshape(-1, 4) * scale_xyxy
    words = [f"{one.label} {one.score:.2f}" for one in explanations]
    shown = draw_boxes(shown, whole, words, [_WHOLE] * len(words), at_least=1)
    if not explanations:
        return shown
    panel = _panel(explanations[0], _close_up(picture, explanations[0]), height)
    canvas, _ = plate((width + panel.width, max(height, panel.height)), PAPER)
    canvas.paste(Image.fromarray(shown), (0, (canvas.height - height) // 2))
    canvas.paste(panel, (width, (canvas.height - panel.height) // 2))
    return np.array(canvas)


def _close_up(picture: Picture, one: PartsExplanation) -> Picture:
    """The object and what is near it, as wide as the panel, with all parts numbered."""
    every = np.array([one.box_xyxy, *(part.box_xyxy for part in one.parts)])
    low, high = every[:, :2].min(axis=0), every[:, 2:].max(axis=0)
    room = 0.06 * (high - low)
    height, width = picture.shape[:2]
    left, top = np.clip(np.floor(low - room), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(high + room), (left + 1, top + 1), (width, height)).astype(int)
    part = np.ascontiguousarray(picture[top:bottom, left:right])
    scale = min((_PANEL - 2 * _EDGE) / (right - left), _CLOSE_UP / (bottom - top))
    size = max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale))
    corner = np.array([left, top, left, top])
    boxes = (every[1:] - corner) * scale
    shown = _tinted(resize(part, size, how="bicubic"), one, np.full(4, scale), corner)
    order = sorted(range(len(boxes)), key=lambda index: one.parts[index] is one.strongest)
    shown = draw_boxes(shown, boxes[order], None, [colour_of(index) for index in order], at_least=1)
    return _numbered(shown, boxes, order)


def _numbered(shown: Picture, boxes: Array, order: Sequence[int]) -> Picture:
    """A chip with its number in the lower left of each part."""
    canvas = Image.fromarray(shown)
    draw = ImageDraw.Draw(canvas)
    for index in order:
        x0, _, _, y1 = np.rint(boxes[index]).astype(int).tolist()
        place = min(max(x0, 0), canvas.width - _CHIP), min(max(y1 - _CHIP, 0), canvas.height - _CHIP)
        _chip(draw, place, _CHIP, str(index + 1), colour_of(index))
    return np.array(canvas)


def _chip(
    draw: ImageDraw.ImageDraw, corner: tuple[float, float], side: int, text: str, colour: RGB
) -> None:
    x, y = corner
    draw.rectangle((x, y, x + side - 1, y + side - 1), fill=colour)
    mark, font = font_for(text, round(side * 0.72))
    draw.text((x + side / 2, y + side / 2), mark, fill=ink_on(colour), font=font, anchor="mm")


def _tinted(
    shown: Picture, one: PartsExplanation, scale_xyxy: Array, corner_xyxy: Array | None = None
) -> Picture:
    """The strongest part's place, coloured through. `corner_xyxy`: where `shown` begins."""
    if one.strongest is None:
        return shown
    height, width = shown.shape[:2]
    corner = np.zeros(4) if corner_xyxy is None else corner_xyxy
    x0, y0, x1, y1 = np.rint((np.array(one.strongest.box_xyxy) - corner) * scale_xyxy).astype(int)
    place = np.s_[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    colour = np.array(colour_of(one.parts.index(one.strongest)))
    found = shown.copy()
    found[place] = np.rint((1 - _TINT) * found[place] + _TINT * colour).astype(np.uint8)
    return found


# -- the panel --------------------------------------------------------------------------------


def _panel(one: PartsExplanation, close_up: Picture, height: int) -> Image.Image:
    """The sentence, the object, then a signed bar for the whole and each part, the strongest first."""
    size = text_size(_PANEL + 60)
    gap, row = _EDGE, round(size * 2.3)
    words, font = font_for(one.sentence, size + 2)
    lines = wrapped(words, font, _PANEL - 2 * gap, 4)
    above = gap + line_height(size + 2) * len(lines) + gap // 2
    head = above + close_up.shape[0] + gap
    parts = sorted(one.parts, key=lambda part: -part.contribution)
    tall = max(height, head + row * (len(parts) + 1) + line_height(size) + gap)
    panel, draw = plate((_PANEL, tall), PAPER)
    for number, line in enumerate(lines):
        middle = gap + line_height(size + 2) * (number + 0.5)
        draw.text((gap, middle), line, fill=INK, font=font, anchor="lm")
    panel.paste(Image.fromarray(close_up), ((_PANEL - close_up.shape[1]) // 2, above))
    longest = max([abs(one.whole), *(abs(part.contribution) for part in parts), 1e-6])
    top = head
    _row(draw, top, size, "", "the whole, seen coarsely", one.whole / longest, one.whole, _WHOLE)
    for number, part in enumerate(parts, start=1):
        index = one.parts.index(part)
        share = part.contribution / longest
        strongest = part is one.strongest
        _row(
            draw,
            top + row * number,
            size,
            str(index + 1),
            part.name,
            share,
            part.contribution,
            colour_of(index),
            strong=strongest,
        )
    note, small = font_for(f"start {_signed(one.base)}: windows without {one.label}", size - 2)
    draw.text((gap, top + row * (len(parts) + 1)), note, fill=FAINT, font=small, anchor="lt")
    return panel


def _row(
    draw: ImageDraw.ImageDraw,
    top: float,
    size: int,
    chip: str,
    name: str,
    share: float,
    value: float,
    colour: RGB,
    *,
    strong: bool = False,
) -> None:
    """A chip with the part's number, its name, its value, and beneath a bar from the middle."""
    left, right = _EDGE, _PANEL - _EDGE
    middle = top + line_height(size) / 2
    text, value_font = font_for(_signed(value), size)
    start = left
    if chip:
        box = round(size * 1.4)
        _chip(draw, (left, middle - box / 2), box, chip, colour)
        start = left + box + size // 2
    words, font = font_for(name, size)
    room = right - start - value_font.getlength(text) - size
    draw.text((start, middle), shortened(words, font, room), fill=INK, font=font, anchor="lm")
    draw.text((right, middle), text, fill=INK, font=value_font, anchor="rm")
    upper = top + line_height(size) + size * 0.15
    thick = max(4, round(size * (0.5 if strong else 0.3)))
    zero = (left + right) / 2
    end = zero + share * (right - left) / 2
    draw.rectangle((left, upper, right, upper + thick), fill=TRACK)
    draw.rectangle((min(zero, end), upper, max(zero, end), upper + thick), fill=colour)
    draw.line((zero, upper - 2, zero, upper + thick + 2), fill=FAINT)


def _signed(value: float) -> str:
    """+0.61 or -0.20."""
    return f"{value:+.2f}"

"""Drawing on copies of pictures: captions, boxes. What is drawn can be read on any picture.

Small pictures are enlarged first, by a whole number and without smoothing, so that their pixels
stay visible as what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from striate.errors import UnknownNameError
from striate.pictures.lettering import font_for, line_height, shortened, wrapped
from striate.pictures.palette import INK, RGB, TONES, WHITE, Tone, colour_of, ink_on
from striate.types import Array, Picture, check_picture

__all__ = ["draw_boxes", "enlarge", "label_band", "meet"]

LEGIBLE = 192
"""The longer side, in pixels, below which words beside or on a picture would dwarf it."""

PAPER: RGB = (246, 247, 249)


def enlarge(picture: Picture, at_least: int) -> Picture:
    """`picture`, uint8 (H, W, 3), each pixel a square of k × k, k the smallest whole number with
    which the longer side is `at_least` pixels; the picture itself where it is large enough."""
    times = -(-at_least // max(picture.shape[:2]))
    return picture if times <= 1 else np.repeat(np.repeat(picture, times, axis=0), times, axis=1)


def label_band(picture: Picture, text: str, *, tone: Tone = "plain", at_least: int = LEGIBLE) -> Picture:
    """`picture` with a caption beneath, never over it: white on green with a tick ("good"), on
    vermilion with a cross ("bad"), or on slate ("plain"). Two lines at most, cut with "...".

    The picture is enlarged to `at_least` first; one that is too narrow for words stands on a wider
    ground. Returns uint8 (H', W', 3).
    """
    if tone not in TONES:
        raise UnknownNameError("tone", tone, TONES)
    shown = enlarge(check_picture(picture), at_least)
    height, width = shown.shape[0], max(shown.shape[1], at_least)
    size = text_size(width)
    words, font = font_for(text, size)
    gap, mark = round(size * 0.6), round(size * 1.3) if tone != "plain" else 0
    lines = wrapped(words, font, width - 2 * gap - mark, 2) or [""]
    step = line_height(size)
    canvas = Image.new("RGB", (width, height + step * len(lines) + gap), PAPER)
    canvas.paste(Image.fromarray(shown), ((width - shown.shape[1]) // 2, 0))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, height, width, canvas.height), fill=TONES[tone])
    for number, line in enumerate(lines):
        middle = height + gap / 2 + step * (number + 0.5)
        draw.text((gap + mark, middle), line, fill=WHITE, font=font, anchor="lm")
    if mark:
        draw_mark(
            draw, (gap, round(height + gap / 2 + step / 2)), round(size * 0.8), good=tone == "good"
        )
    return np.array(canvas)


def draw_mark(draw: ImageDraw.ImageDraw, left_middle: tuple[int, int], size: int, *, good: bool) -> None:
    """A white tick or cross `size` pixels wide, so that the tone is told by more than colour."""
    x, y = left_middle
    half, stroke = size // 2, max(2, size // 6)
    if good:
        path = [(x, y), (x + size // 3, y + size // 3), (x + size, y - half + size // 8)]
        draw.line(path, fill=WHITE, width=stroke, joint="curve")
        return
    draw.line((x, y - half, x + size, y + half), fill=WHITE, width=stroke)
    draw.line((x, y + half, x + size, y - half), fill=WHITE, width=stroke)


def text_size(width: int) -> int:
    """Size of text, pixels, for a figure `width` pixels wide."""
    return min(max(round(width / 24), 13), 56)


def draw_boxes(
    picture: Picture,
    boxes_xyxy: Array | Sequence[Sequence[float]],
    labels: Sequence[str] | None = None,
    colours: Sequence[RGB] | None = None,
    *,
    at_least: int = LEGIBLE,
) -> Picture:
    """`picture` with boxes drawn, each with its label on a tag of its colour.

    `boxes_xyxy`: (N, 4), absolute pixels of `picture`; ends in any order, outside parts are cut off.
    `labels`, `colours`: one each, or None; without colours, equal labels get equal colours of the
    palette. A picture under `at_least` is enlarged first, its boxes with it. Returns uint8 (H', W', 3).
    """
    boxes = np.asarray(boxes_xyxy, dtype=np.float64).reshape(-1, 4)
    names = [""] * len(boxes) if labels is None else list(labels)
    tints = _tints(names) if colours is None else list(colours)
    if not len(boxes) == len(names) == len(tints):
        raise ValueError(
            f"{len(boxes)} boxes, {len(names)} labels, {len(tints)} colours: expected one each"
        )
    shown = enlarge(check_picture(picture), at_least)
    times = shown.shape[0] // picture.shape[0]
    canvas = Image.fromarray(shown)
    draw = ImageDraw.Draw(canvas)
    stroke = max(2, round(min(canvas.size) / 220))
    size = min(text_size(canvas.width), 24)
    frames = [_corners(box * times, canvas.size) for box in boxes]
    for frame, tint in zip(frames, tints, strict=True):
        _draw_frame(draw, frame, tint, stroke)
    for frame, tint, name in zip(frames, tints, names, strict=True):
        if name:  # all tags after all frames: no line crosses a word
            _draw_tag(draw, frame, tint, text=name, size=size, most=canvas.width)
    return np.array(canvas)


def _tints(names: Sequence[str]) -> list[RGB]:
    order = {name: index for index, name in enumerate(dict.fromkeys(names))}
    return [colour_of(order[name]) for name in names]


Frame = tuple[int, int, int, int]


def _corners(box: Array, size: tuple[int, int]) -> Frame:
    """Whole pixels (left, top, right, bottom), both ends drawn, inside a canvas of `size` (w, h)."""
    if not np.isfinite(box).all():
        raise ValueError(f"box {box.tolist()} has a corner that is not a finite number")
    (left, right), (top, bottom) = sorted(box[[0, 2]]), sorted(box[[1, 3]])
    ends = np.rint([left, top, right - 1, bottom - 1]).astype(int)
    ends[2:] = np.maximum(ends[2:], ends[:2])
    x0, y0, x1, y1 = np.clip(ends, 0, [size[0] - 1, size[1] - 1] * 2).tolist()
    return x0, y0, x1, y1


def _draw_frame(draw: ImageDraw.ImageDraw, frame: Frame, tint: RGB, stroke: int) -> None:
    """The box in its colour between two thin lines of the opposite lightness: seen on any ground."""
    x0, y0, x1, y1 = frame
    halo: Any = ink_on(tint)
    draw.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline=halo)
    inner = stroke
    if x1 - x0 > 2 * inner + 1 and y1 - y0 > 2 * inner + 1:
        draw.rectangle((x0 + inner, y0 + inner, x1 - inner, y1 - inner), outline=halo)
    draw.rectangle(frame, outline=tint, width=stroke)


def _draw_tag(
    draw: ImageDraw.ImageDraw, frame: Frame, tint: RGB, *, text: str, size: int, most: int
) -> None:
    """The label on the upper left of its box: above it, or inside where there is no room above.

    `most`: width of the canvas, which the tag never leaves.
    """
    text, font = font_for(text, size)
    pad = max(3, size // 4)
    text = shortened(text, font, most - 2 * pad)
    width, height = round(font.getlength(text)) + 2 * pad, line_height(size) + 2
    left = min(frame[0], max(0, most - width))
    top = frame[1] - height if frame[1] >= height else frame[1]
    draw.rectangle((left, top, left + width - 1, top + height - 1), fill=tint)
    draw.text((left + pad, top + height / 2), text, fill=ink_on(tint), font=font, anchor="lm")


def plate(size_wh: tuple[int, int], ground: RGB = WHITE) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty canvas, and what draws on it."""
    canvas = Image.new("RGB", size_wh, ground)
    return canvas, ImageDraw.Draw(canvas)


def heading(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, ink: RGB = INK
) -> None:
    """A line of text from the left, its middle at `at` (x, y)."""
    words, font = font_for(text, size)
    draw.text(at, words, fill=ink, font=font, anchor="lm")


def meet(one_xyxy: Sequence[float], other_xyxy: Sequence[float]) -> bool:
    """Whether two boxes overlap, so that two labels would be written over each other."""
    return all(one_xyxy[k] < other_xyxy[k + 2] and other_xyxy[k] < one_xyxy[k + 2] for k in (0, 1))

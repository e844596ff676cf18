"""Class maps as pictures: how probable one class is where, and which class is likeliest where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from striate.explain.attribution_drawing import heat_colours
from striate.pictures.draw import heading, meet, plate, text_size
from striate.pictures.lettering import font_for, line_height, shortened
from striate.pictures.palette import INK, PALETTE, RGB, TONES, WHITE, ink_on
from striate.pictures.resize import resize
from striate.types import Array, Picture, SizeHW

__all__ = ["COLOURS", "draw_best", "draw_probability"]

COLOURS = len(PALETTE)
"""So many classes have a colour of their own on one map; all others share one."""
_OTHERS: RGB = (148, 153, 161)
_STRONGEST = 0.7
"""Of the colour at 100 %: what is in the picture can be seen through it."""
_NARROWEST = 200
"""Pixels that the words beneath a map need."""


def draw_probability(picture: Picture, share: Array) -> Picture:
    """`picture` in grey under `share` (h, w), the probability of a class 0 … 1, as (h, w, 3).

    The less probable, the less colour. A line goes around what is above one half, and a bar beneath says
    what the colours mean: the same for every class and picture.
    """
    share = np.clip(np.asarray(share, np.float64), 0, 1)
    shown = _mixed(_grey(picture, (share.shape[0], share.shape[1])), heat_colours(share), share)
    return _above(_outlined(shown, share > 0.5), _bar)


def draw_best(
    picture: Picture, best: Array, share: Array, keys: Sequence[tuple[str, str]], others: str = ""
) -> Picture:
    """`picture` in grey under the colour of its likeliest class at each place.

    `best` (h, w): the place of that class in `keys`, which are (name, what is said of it); −1 for other
    classes, of which `others` is said. `share` (h, w): its probability; the less, the less colour. Each
    name stands where its class is surest, and in the key beneath.
    """
    colours = np.asarray([*PALETTE, _OTHERS])[best]
    shown = _mixed(_grey(picture, (best.shape[0], best.shape[1])), colours, np.clip(share, 0, 1))
    named = _named(shown, best, share, [name for name, _ in keys])
    entries = [(f"{name} {said}", colour) for (name, said), colour in zip(keys, PALETTE, strict=False)]
    entries += [(f"others {others}", _OTHERS)] if others else []
    return _above(named, lambda width, size: _key(entries, width, size))


def _grey(picture: Picture, size_hw: SizeHW) -> Array:
    """float (h, w, 1), neither black nor white: colours are told apart on it."""
    larger = size_hw[0] > picture.shape[0] or size_hw[1] > picture.shape[1]
    there = resize(picture, size_hw, how="nearest" if larger else "bilinear")
    found: Array = (0.78 * (there.astype(np.float64) @ (0.299, 0.587, 0.114)) + 30)[..., None]
    return found


def _mixed(ground: Array, colours: Array, share: Array) -> Picture:
    strength = (_STRONGEST * share)[..., None]
    return np.round(ground * (1 - strength) + colours * strength).clip(0, 255).astype(np.uint8)


def _outlined(shown: Picture, inside: Array) -> Picture:
    """A white line around `inside` (h, w), with a dark one beside it: seen on any ground."""
    if inside.all() or not inside.any():
        return shown
    thick = max(1, round(max(inside.shape) / 360))
    grown = Image.fromarray(np.pad(inside, 3 * thick, mode="edge").astype(np.uint8) * 255)
    rings = [
        np.array(grown.filter(ImageFilter.MaxFilter(2 * wide * thick + 1)))[_middle(3 * thick)] > 0
        for wide in (1, 2)
    ]
    found = shown.copy()
    found[rings[1] & ~rings[0]] = INK
    found[rings[0] & ~inside] = WHITE
    return found


def _middle(rim: int) -> tuple[slice, slice]:
    return slice(rim, -rim), slice(rim, -rim)


def _above(shown: Picture, made: Callable[[int, int], Image.Image]) -> Picture:
    """`shown` over the band that `made` makes for a width and a size of text."""
    width = max(shown.shape[1], _NARROWEST)
    band = made(width, text_size(width))
    canvas, _ = plate((width, shown.shape[0] + band.height), TONES["plain"])
    canvas.paste(Image.fromarray(shown), ((width - shown.shape[1]) // 2, 0))
    canvas.paste(band, (0, shown.shape[0]))
    return np.array(canvas)


def _bar(width: int, size: int) -> Image.Image:
    """The colours from 0 to 100 %, as they look over mid grey."""
    gap, high = size // 2, size
    long = width - 2 * gap
    share = np.linspace(0, 1, long)
    ramp = _mixed(np.full((1, long, 1), 130.0), heat_colours(share)[None], share[None])
    band, draw = plate((width, 2 * gap + high + line_height(size)), TONES["plain"])
    band.paste(Image.fromarray(np.repeat(ramp, high, axis=0)), (gap, gap))
    middle = gap + high + gap // 4 + line_height(size) // 2
    marks = (("0 %", 0.0, "lm"), ("probability", 0.25, "mm"), ("50 %", 0.5, "mm"), ("100 %", 1.0, "rm"))
    for text, at, anchor in marks:
        words, font = font_for(text, size)
        draw.text((gap + at * long, middle), words, fill=WHITE, font=font, anchor=anchor)
    half = gap + long // 2
    draw.line((half, gap, half, gap + high - 1), fill=WHITE, width=max(1, size // 12))
    return band


Box: TypeAlias = tuple[int, int, int, int]


def _named(shown: Picture, best: Array, share: Array, names: Sequence[str]) -> Picture:
    """Each name where its class is surest, or a little above or below, if there is room."""
    canvas = Image.fromarray(shown)
    draw = ImageDraw.Draw(canvas)
    size = text_size(canvas.width)
    high, taken = line_height(size), list[Box]()
    for at, name in enumerate(names if canvas.height >= 3 * high else ()):
        y, x = np.unravel_index(int(np.where(best == at, share, -1).argmax()), best.shape)
        text, font = font_for(name, size)
        wide = round(font.getlength(text)) + size
        for down in (0, -high, high):
            box = _within((int(x), int(y) + down), (wide, high), canvas.size)
            if wide <= canvas.width and not any(meet(box, one) for one in taken):
                taken.append(box)
                draw.rectangle(box, fill=PALETTE[at])
                middle = (box[0] + size / 2, box[1] + high / 2)
                heading(draw, middle, text, size, ink_on(PALETTE[at]))
                break
    return np.array(canvas)


def _within(middle: tuple[int, int], size_wh: tuple[int, int], canvas: tuple[int, int]) -> Box:
    """A box about `middle`, moved into the canvas."""
    left, top = (
        min(max(0, at - side // 2), whole - side)
        for at, side, whole in zip(middle, size_wh, canvas, strict=True)
    )
    return left, top, left + size_wh[0], top + size_wh[1]


def _key(entries: Sequence[tuple[str, RGB]], width: int, size: int) -> Image.Image:
    """Each class beside its colour, as many in a row as there is room for."""
    gap, step = size // 2, line_height(size)
    placed: list[tuple[int, int, str, RGB]] = []
    x, y = gap, gap
    for words, colour in entries:
        text, font = font_for(words, size)
        text = shortened(text, font, width - 3 * gap - size)
        long = size + gap + round(font.getlength(text)) + gap
        if x > gap and x + long > width:
            x, y = gap, y + step
        placed.append((x, y, text, colour))
        x += long + gap
    band, draw = plate((width, y + step + gap), TONES["plain"])
    for left, top, text, colour in placed:
        middle = top + step // 2
        draw.rectangle((left, middle - size // 2, left + size, middle + size // 2), fill=colour)
        heading(draw, (left + size + gap, middle), text, size, WHITE)
    return band

"""Figures made of pictures: score bars beside one, and sheets of many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from striate.pictures.draw import LEGIBLE, PAPER, draw_mark, enlarge, plate, text_size
from striate.pictures.lettering import Font, font_for, line_height, shortened, wrapped
from striate.pictures.palette import BLUE, FAINT, INK, TONES, TRACK, Tone
from striate.pictures.resize import resize
from striate.types import Picture, check_picture

__all__ = ["bars", "contact_sheet"]

QUIET_BAR = (148, 163, 184)


def bars(picture: Picture, scores: Sequence[tuple[str, float]], *, at_least: int = LEGIBLE) -> Picture:
    """`picture` with named score bars on its right, in the order given, the first one emphasised.

    `scores`: (name, fraction), fractions 0-1; a `ValueError` outside of it. The picture is enlarged
    to `at_least` first. Returns uint8 (H', W', 3).
    """
    for name, fraction in scores:
        if not 0 <= fraction <= 1:
            raise ValueError(f"score of {name!r} is {fraction}; expected a fraction from 0 to 1")
    shown = enlarge(check_picture(picture), at_least)
    height, width = shown.shape[:2]
    panel = max(260, round(width * 0.75))
    size = text_size(panel + 60)
    gap, row = round(size * 1.2), round(size * 2.5)
    tall = max(height, row * len(scores) + gap)
    canvas, draw = plate((width + panel, tall))
    canvas.paste(PAPER, (0, 0, width, tall))
    canvas.paste(Image.fromarray(shown), (0, (tall - height) // 2))
    top = (tall - row * len(scores)) / 2
    for number, (name, fraction) in enumerate(scores):
        place = (width + gap, top + row * number, width + panel - gap)
        _bar(draw, place, size, name, fraction, first=number == 0)
    return np.array(canvas)


def _bar(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float, float],
    size: int,
    name: str,
    fraction: float,
    *,
    first: bool,
) -> None:
    """One row: name on the left, per cent on the right, the bar beneath. `place`: left, top, right."""
    left, top, right = place
    value, number_font = font_for(percent(fraction), size)
    words, font = font_for(name, size)
    room = right - left - number_font.getlength(value) - size
    ink = INK if first else FAINT
    middle = top + line_height(size) / 2
    draw.text((left, middle), shortened(words, font, room), fill=ink, font=font, anchor="lm")
    draw.text((right, middle), value, fill=ink, font=number_font, anchor="rm")
    upper, thick = top + line_height(size) + size * 0.15, max(4, round(size * 0.45))
    radius = thick // 2
    draw.rounded_rectangle((left, upper, right, upper + thick), radius, fill=TRACK)
    long = (right - left) * fraction
    if long >= 1:
        colour = BLUE if first else QUIET_BAR
        draw.rounded_rectangle(
            (left, upper, left + max(long, thick), upper + thick), radius, fill=colour
        )


def percent(fraction: float) -> str:
    """A fraction for people: never 100 % or 0 % unless it is.

    >>> percent(0.5), percent(0.9996), percent(1), percent(0.0004), percent(0)
    ('50.0%', '>99.9%', '100%', '<0.1%', '0%')
    """
    if fraction in (0, 1):
        return f"{fraction:.0%}"
    if fraction < 0.001:
        return "<0.1%"
    return ">99.9%" if fraction > 0.999 else f"{fraction:.1%}"


def contact_sheet(
    pictures: Sequence[Picture],
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    *,
    tones: Sequence[Tone] | None = None,
    cell: int = 160,
) -> Picture:
    """Many pictures in a grid, each whole and centred in a square of `cell` pixels, titles beneath.

    Small pictures are enlarged a whole number of times, large ones scaled down. `columns`: None for
    a sheet about three cells wide to two high. `tones`: a coloured edge and a tick or cross each.
    Returns uint8 (H', W', 3). A `ValueError` for no pictures, or titles or tones that are not one each.
    """
    if not len(pictures):
        raise ValueError("no pictures for a contact sheet; expected at least one")
    _one_each(len(pictures), titles=titles, tones=tones)
    across = min(len(pictures), columns or max(1, round((len(pictures) * 1.5) ** 0.5)))
    size, gap = max(12, round(cell / 12)), max(12, cell // 10)
    lines = [_title_lines(title, size, cell) for title in titles or ()]
    words = line_height(size) * max((len(own) for own, _ in lines), default=0) + (
        gap // 2 if lines else 0
    )
    down = -(-len(pictures) // across)
    canvas, draw = plate((gap + across * (cell + gap), gap + down * (cell + words + gap)))
    for number, picture in enumerate(pictures):
        left = gap + number % across * (cell + gap)
        top = gap + number // across * (cell + words + gap)
        canvas.paste(PAPER, (left, top, left + cell, top + cell))
        _paste_centred(canvas, picture, (left, top), cell)
        if tones is not None:
            _edge(draw, (left, top), cell, tones[number])
        for row, line in enumerate(lines[number][0] if lines else ()):
            middle = top + cell + gap // 2 + line_height(size) * (row + 0.5)
            draw.text((left, middle), line, fill=INK, font=lines[number][1], anchor="lm")
    return np.array(canvas)


def _title_lines(title: str, size: int, width: int) -> tuple[list[str], Font]:
    text, font = font_for(title, size)
    return wrapped(text, font, width, 2), font


def _one_each(count: int, **given: Sequence[str] | None) -> None:
    for what, values in given.items():
        if values is not None and len(values) != count:
            raise ValueError(f"{count} pictures and {len(values)} {what}: expected one each")


def _paste_centred(canvas: Image.Image, picture: Picture, corner: tuple[int, int], cell: int) -> None:
    height, width = check_picture(picture).shape[:2]
    if max(height, width) > cell:
        scale = cell / max(height, width)
        shown = resize(picture, (max(1, round(height * scale)), max(1, round(width * scale))))
    else:
        times = cell // max(height, width)
        shown = np.repeat(np.repeat(picture, times, axis=0), times, axis=1)
    down, along = (cell - shown.shape[0]) // 2, (cell - shown.shape[1]) // 2
    canvas.paste(Image.fromarray(shown), (corner[0] + along, corner[1] + down))


def _edge(draw: ImageDraw.ImageDraw, corner: tuple[int, int], cell: int, tone: Tone) -> None:
    if tone == "plain":
        return
    left, top = corner
    thick = max(3, cell // 40)  # around the cell, so that no pixel of the picture is hidden
    outer = (left - thick, top - thick, left + cell + thick - 1, top + cell + thick - 1)
    draw.rectangle(outer, outline=TONES[tone], width=thick)
    badge = max(16, cell // 8)
    draw.rectangle((left, top, left + badge, top + badge), fill=TONES[tone])
    draw_mark(draw, (left + badge // 4, top + badge // 2), badge // 2, good=tone == "good")

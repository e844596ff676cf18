"""A map of answers as a picture: coloured ground, lines where the answer changes, names and a legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from striate.explain.boundary import AnswerMap
from striate.pictures.draw import PAPER, enlarge, heading, plate
from striate.pictures.lettering import Font, font_for, line_height, shortened, wrapped
from striate.pictures.palette import CLASS_COLOURS, FAINT, INK, RGB, WHITE, ink_on
from striate.pictures.resize import fit
from striate.types import Array, Picture

__all__ = ["Corner", "Spot", "draw_map"]

_SIDE = 760
_PANEL = 330
_GAP = 26
_TITLE, _TEXT, _SMALL = 26, 17, 15
OTHERS: RGB = (198, 202, 209)
"""Of classes beyond twelve, which share a colour."""
_CLEAR = 60
"""Pixels around a letter that stay free of names."""
_LEAST_LABEL = 0.02
"""Part of the map from which an area is named on it."""


@dataclass(frozen=True, slots=True)
class Corner:
    """A picture that the plane goes through: letter, place (x, y), pixels, and two lines about it."""

    letter: str
    xy: tuple[float, float]
    picture: Picture
    name: str
    answer: str


@dataclass(frozen=True, slots=True)
class Spot:
    """A picture that is laid out: its place, its truth (a class name), whether it was answered so."""

    xy: tuple[float, float]
    truth: str
    right: bool


def draw_map(
    found: AnswerMap,
    *,
    title: str,
    notes: Sequence[str],
    corners: Sequence[Corner] = (),
    spots: Sequence[Spot] = (),
) -> Picture:
    """The map with its legend and `notes` beneath, uint8 (H, W, 3)."""
    truths = [one.truth for one in spots if one.truth not in found.names]
    names = [*found.names, *dict.fromkeys(truths)]
    colours = dict.fromkeys(names, OTHERS) | dict(zip(names, CLASS_COLOURS, strict=False))
    words = _wrapped_notes(notes)
    height = _GAP + _TITLE + 18 + _SIDE + 16 + len(words) * line_height(_SMALL) + _GAP
    canvas, draw = plate((_GAP + _SIDE + _GAP + _PANEL + _GAP, height), PAPER)
    heading(draw, (_GAP, _GAP + _TITLE / 2), title, _TITLE)
    top = _GAP + _TITLE + 18
    ground = Image.fromarray(_ground(found, colours))
    canvas.paste(ground, (_GAP, top))
    on_map = _OnMap(found, draw, (_GAP, top))
    if corners:
        on_map.triangle([one.xy for one in corners])
    on_map.spots(spots, colours)
    on_map.names(colours, [one.xy for one in corners])
    on_map.letters(corners)
    draw.rectangle((_GAP - 1, top - 1, _GAP + _SIDE, top + _SIDE), outline=FAINT)
    below = _legend(draw, found, names, colours, (_GAP + _SIDE + _GAP, top))
    _pictures(canvas, draw, corners, (_GAP + _SIDE + _GAP, below + 14), top + _SIDE)
    if spots:
        _key(draw, (_GAP + _SIDE + _GAP, below + 10))
    for row, line in enumerate(words):
        y = top + _SIDE + 16 + line_height(_SMALL) * (row + 0.5)
        heading(draw, (_GAP, y), line, _SMALL, FAINT)
    return np.array(canvas)


def _wrapped_notes(notes: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for note in notes:
        text, font = font_for(note, _SMALL)
        lines += wrapped(text, font, _SIDE + _GAP + _PANEL, 4)
    return lines


def _ground(found: AnswerMap, colours: dict[str, RGB]) -> Picture:
    """Each cell in its class's colour, the paler the less sure; ink between cells that differ."""
    palette = np.array([colours[name] for name in found.names], np.float64)
    strength = 0.3 + 0.6 * np.clip(found.sureness, 0, 1)[..., None]
    cells = palette[found.classes] * strength + np.array(WHITE, np.float64) * (1 - strength)
    grid = len(found.classes)
    at = np.minimum(np.arange(_SIDE) * grid // _SIDE, grid - 1)
    painted = np.rint(cells[at][:, at]).astype(np.uint8)
    classes = found.classes[at][:, at]
    edge = np.zeros(classes.shape, bool)
    edge[1:] |= classes[1:] != classes[:-1]
    edge[:, 1:] |= classes[:, 1:] != classes[:, :-1]
    painted[edge] = INK
    return painted


class _OnMap:
    """Draws at places of the map."""

    def __init__(self, found: AnswerMap, draw: ImageDraw.ImageDraw, at: tuple[int, int]) -> None:
        self.found, self.draw, self.left, self.top = found, draw, at[0], at[1]

    def place(self, xy: tuple[float, float]) -> tuple[float, float]:
        """A point of the plane in pixels of the canvas."""
        (x_low, x_high), (y_low, y_high) = self.found.x_range, self.found.y_range
        across = (xy[0] - x_low) / (x_high - x_low)
        up = (xy[1] - y_low) / (y_high - y_low)
        return self.left + across * _SIDE, self.top + (1 - up) * _SIDE

    def triangle(self, corners: Sequence[tuple[float, float]]) -> None:
        """A light line in a dark one: seen on any colour."""
        places = [self.place(one) for one in (*corners, corners[0])]
        self.draw.line(places, fill=INK, width=4)
        self.draw.line(places, fill=WHITE, width=2)

    def spots(self, spots: Sequence[Spot], colours: dict[str, RGB]) -> None:
        """Dots of the truth's colour; wrongly answered ones, drawn last, as squares on end."""
        for one in sorted(spots, key=lambda spot: not spot.right):
            x, y = self.place(one.xy)
            if one.right:
                _dot(self.draw, x, y, colours[one.truth])
            else:
                _wrong(self.draw, x, y, colours[one.truth])

    def names(self, colours: dict[str, RGB], clear_of: Sequence[tuple[float, float]]) -> None:
        """The names of areas large enough, where they are widest, `clear_of` these points (x, y)."""
        side = len(self.found.classes)
        middles = (np.arange(side) + 0.5) / side * _SIDE
        free = np.ones((side, side), bool)
        for xy in clear_of:
            x, y = self.place(xy)
            free &= np.hypot(middles[None] + self.left - x, middles[:, None] + self.top - y) > _CLEAR
        for at, (name, share) in enumerate(zip(self.found.names, self.found.shares, strict=True)):
            if share < _LEAST_LABEL:
                continue
            area = self.found.classes == at
            row, column = _middle(area & free if (area & free).any() else area)
            x = self.left + (column + 0.5) / side * _SIDE
            y = self.top + (row + 0.5) / side * _SIDE
            _tag(self.draw, (x, y), name, colours[name], (self.left, self.left + _SIDE))

    def letters(self, corners: Sequence[Corner]) -> None:
        for one in corners:
            x, y = self.place(one.xy)
            self.draw.ellipse((x - 15, y - 15, x + 15, y + 15), fill=INK, outline=WHITE, width=2)
            text, font = font_for(one.letter, _TEXT)
            self.draw.text((x, y), text, fill=WHITE, font=font, anchor="mm")


def _dot(draw: ImageDraw.ImageDraw, x: float, y: float, colour: RGB) -> None:
    draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=colour, outline=WHITE, width=1)


def _wrong(draw: ImageDraw.ImageDraw, x: float, y: float, colour: RGB) -> None:
    draw.polygon([(x, y - 9), (x + 9, y), (x, y + 9), (x - 9, y)], fill=INK)
    draw.polygon([(x, y - 6), (x + 6, y), (x, y + 6), (x - 6, y)], fill=colour)


def _middle(area: Array) -> tuple[int, int]:
    """The cell of `area` that lies farthest from its edge (city blocks): a name stands within."""
    depth = np.zeros(area.shape, np.int64)
    left = np.pad(area, 1)
    inner = left
    while inner.any():
        depth += inner[1:-1, 1:-1]
        inner = inner.copy()
        core = (
            inner[1:-1, 1:-1] & inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]
        )
        inner = np.pad(core, 1)
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(row), int(column)


def _tag(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], name: str, colour: RGB, ends: tuple[int, int]
) -> None:
    text, font = font_for(name, _TEXT)
    text = shortened(text, font, 180)
    width = font.getlength(text) + 16
    x = min(max(at[0], ends[0] + width / 2 + 4), ends[1] - width / 2 - 4)
    box = (x - width / 2, at[1] - 13, x + width / 2, at[1] + 13)
    draw.rounded_rectangle(box, 5, fill=colour, outline=WHITE, width=1)
    draw.text((x, at[1]), text, fill=ink_on(colour), font=font, anchor="mm")


def _legend(
    draw: ImageDraw.ImageDraw,
    found: AnswerMap,
    names: Sequence[str],
    colours: dict[str, RGB],
    at: tuple[int, int],
) -> float:
    """Colours, names and areas; where it ends."""
    x, y = at
    heading(draw, (x, y + 10), "Answer, and its part of the map", _TEXT)
    y += 34
    shares = dict(zip(found.names, found.shares, strict=True))
    shown = [name for name in names if colours[name] != OTHERS]
    rest = [name for name in names if colours[name] == OTHERS]
    rows = [(name, colours[name], shares.get(name, 0.0)) for name in shown]
    if rest:
        rows.append((f"{len(rest)} others", OTHERS, sum(shares.get(name, 0.0) for name in rest)))
    for name, colour, share in rows:
        draw.rounded_rectangle((x, y, x + 20, y + 20), 4, fill=colour)
        text, font = font_for(name, _TEXT)
        draw.text(
            (x + 30, y + 10), shortened(text, font, _PANEL - 120), fill=INK, font=font, anchor="lm"
        )
        value, number_font = font_for(_percent(share), _TEXT)
        draw.text((x + _PANEL, y + 10), value, fill=FAINT, font=number_font, anchor="rm")
        y += 29
    return float(y)


def _percent(share: float) -> str:
    return "0 %" if share == 0 else f"{100 * share:.1f} %" if share >= 0.0005 else "<0.1 %"


def _pictures(
    canvas: Image.Image,
    draw: ImageDraw.ImageDraw,
    corners: Sequence[Corner],
    at: tuple[float, float],
    bottom: int,
) -> None:
    """The three pictures with their letters, as large as there is room for."""
    if not corners:
        return
    x, y = int(at[0]), int(at[1])
    side = max(48, min(124, (bottom - y) // 3 - 14))
    for one in corners:
        thumb = fit(enlarge(one.picture, side), (side, side), how="pad").pixels
        canvas.paste(Image.fromarray(thumb), (x, y))
        draw.ellipse((x - 8, y - 8, x + 18, y + 18), fill=INK, outline=WHITE, width=2)
        letter, font = font_for(one.letter, _SMALL)
        draw.text((x + 5, y + 5), letter, fill=WHITE, font=font, anchor="mm")
        room = _PANEL - side - 14
        name, small = font_for(one.name, _SMALL)
        draw.text(
            (x + side + 14, y + side / 2 - 12), _tail(name, small, room), FAINT, small, anchor="lm"
        )
        answer, large = font_for(one.answer, _TEXT)
        draw.text(
            (x + side + 14, y + side / 2 + 12),
            shortened(answer, large, room),
            fill=INK,
            font=large,
            anchor="lm",
        )
        y += side + 14


def _tail(text: str, font: Font, room: float) -> str:
    """The end of a file name, which tells it apart."""
    while font.getlength(text) > room and len(text) > 4:
        text = "..." + text.removeprefix("...")[1:]
    return text


def _key(draw: ImageDraw.ImageDraw, at: tuple[float, float]) -> None:
    """What dots and squares mean."""
    x, y = at
    for row, (mark, words) in enumerate(
        ((_dot, "a picture, in the colour of its truth"), (_wrong, "answered wrongly"))
    ):
        middle = y + 12 + 26 * row
        mark(draw, x + 10, middle, FAINT)
        heading(draw, (x + 30, middle), words, _SMALL)

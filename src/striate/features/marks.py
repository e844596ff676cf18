"""Marks on pictures, smooth and seen on any ground: each lies on a soft dark edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from striate.features.opencv import cv2_module
from striate.pictures import enlarge
from striate.pictures.draw import draw_mark
from striate.pictures.lettering import font_for, line_height, wrapped
from striate.pictures.palette import INK, RGB, TONES, WHITE, Tone
from striate.pictures.views import grey_levels
from striate.types import Array, Picture

__all__ = ["AT_LEAST", "Sheet", "captioned", "muted"]

AT_LEAST = 480
"""The longer side, pixels, below which marks would hide what they mark."""

SHIFT = 4
"""Places are drawn to 1/16 pixel."""

EDGE_ALPHA = 0.55
"""How dark the edge of a mark is."""


def muted(picture: Picture, *, colour: float = 0.35, light: float = 0.8) -> Picture:
    """`picture` with less colour and contrast, so that marks stand out: `colour` of its colour, and
    pulled towards a middle grey by 1 − `light`."""
    grey = grey_levels(picture)[..., None].astype(np.float32)
    mixed = grey + (picture - grey) * np.float32(colour)
    found: Picture = np.rint(118 + (mixed - 118) * np.float32(light)).astype(np.uint8)
    return found


def captioned(picture: Picture, text: str, *, tone: Tone = "plain") -> Picture:
    """`picture` above a slim band with `text` in white, at most two lines; with a tick or cross in
    front for the tones "good" and "bad". A narrow picture stands in the middle of a wider ground."""
    height, width = picture.shape[0], max(picture.shape[1], 240)
    size = min(max(round(width / 56), 14), 56)
    words, font = font_for(text, size)
    gap, mark = round(size * 0.75), round(size * 1.5) if tone != "plain" else 0
    lines = wrapped(words, font, width - 2 * gap - mark, 2) or [""]
    step = line_height(size)
    canvas = Image.new("RGB", (width, height + step * len(lines) + gap), TONES[tone])
    canvas.paste(Image.fromarray(picture), ((width - picture.shape[1]) // 2, 0))
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        middle = height + gap / 2 + step * (number + 0.5)
        draw.text((gap + mark, middle), line, fill=WHITE, font=font, anchor="lm")
    if mark:
        place = (gap, round(height + gap / 2 + step / 2))
        draw_mark(draw, place, round(size * 0.8), good=tone == "good")
    return np.array(canvas)


@dataclass(slots=True)
class Sheet:
    """A picture that is drawn on. `canvas`: uint8 (H·k, W·k, 3); `times`: k; `stroke`: line weight,
    canvas pixels."""

    canvas: Picture
    times: int
    stroke: int

    @classmethod
    def of(cls, picture: Picture, *, at_least: int = AT_LEAST, mute: bool = True) -> Sheet:
        """A copy of `picture`, muted, enlarged to `at_least` by a whole number."""
        shown = enlarge(picture, at_least)
        times = shown.shape[0] // picture.shape[0]
        canvas = muted(shown) if mute else shown.copy()
        return cls(np.ascontiguousarray(canvas), times, max(1, round(max(canvas.shape) / 700)))

    def place(self, points_xy: Array) -> Array:
        """Points of the picture on the canvas: pixel centres stay pixel centres."""
        found: Array = (np.asarray(points_xy, np.float64) + 0.5) * self.times - 0.5
        return found

    def lines(self, starts_xy: Array, ends_xy: Array, colours: Sequence[RGB]) -> None:
        """Straight lines, places of the picture."""
        paths = np.stack([self.place(starts_xy), self.place(ends_xy)], axis=1)
        self._strokes(list(paths), colours, closed=False)

    def circles(self, points_xy: Array, radii_px: Array, colours: Sequence[RGB]) -> None:
        """Circles of given radius, pixels of the picture."""
        shapes = np.asarray(radii_px, np.float64)[:, None, None] * np.eye(2)
        self.ellipses(points_xy, shapes, colours)

    def ellipses(self, points_xy: Array, shapes: Array, colours: Sequence[RGB]) -> None:
        """The unit circle under each of `shapes`, (N, 2, 2), around each point."""
        around = (np.asarray(shapes, np.float64) @ _ring(64)).transpose(0, 2, 1) * self.times
        self._strokes(list(self.place(points_xy)[:, None] + around), colours, closed=True)

    def polygon(self, points_xy: Array, colour: RGB) -> None:
        """A closed outline, places of the picture."""
        self._strokes([self.place(points_xy)], [colour], closed=True)

    def dots(self, points_xy: Array, colours: Sequence[RGB], *, weight: float = 1.6) -> None:
        """Filled discs; their radius is `weight` line weights, and a fifth of a pixel at least."""
        cv2 = cv2_module()
        radius = max(2.2, weight * self.stroke, 0.2 * self.times)
        centres = self.place(points_xy)[:, None]
        shade = self.canvas.copy()
        for ring in centres + _ring(24).T * (radius + max(1.0, self.stroke * 0.6)):
            cv2.fillPoly(shade, _fine(ring), INK, cv2.LINE_AA, SHIFT)
        self._lay_under(shade)
        for ring, colour in zip(centres + _ring(24).T * radius, colours, strict=True):
            cv2.fillPoly(self.canvas, _fine(ring), colour, cv2.LINE_AA, SHIFT)

    def tint(self, alpha: Array, colour: RGB) -> None:
        """Mix `colour` into the pixels of the picture; `alpha`: float (H, W), 0 to 1."""
        strength = np.asarray(alpha, np.float32)
        strength = np.repeat(np.repeat(strength, self.times, 0), self.times, 1)[..., None]
        mixed = self.canvas + (np.array(colour, np.float32) - self.canvas) * strength
        self.canvas = np.rint(mixed).astype(np.uint8)

    def _strokes(self, paths: Sequence[Array], colours: Sequence[RGB], *, closed: bool) -> None:
        cv2 = cv2_module()
        shade = self.canvas.copy()
        broad = self.stroke + 2 * max(1, round(self.stroke * 0.6))
        for path in paths:
            cv2.polylines(shade, _fine(path), closed, INK, broad, cv2.LINE_AA, SHIFT)
        self._lay_under(shade)
        for path, colour in zip(paths, colours, strict=True):
            cv2.polylines(self.canvas, _fine(path), closed, colour, self.stroke, cv2.LINE_AA, SHIFT)

    def _lay_under(self, shade: Picture) -> None:
        cv2 = cv2_module()
        self.canvas = cv2.addWeighted(shade, EDGE_ALPHA, self.canvas, 1 - EDGE_ALPHA, 0)


def _ring(corners: int) -> Array:
    """Points on the unit circle, (2, corners)."""
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([np.cos(turns), np.sin(turns)])


def _fine(points: Array) -> Array:
    """Places in sixteenths of a pixel, as OpenCV wants a path; far outside ones are brought near."""
    found: Array = np.rint(np.clip(points, -1e5, 1e5) * 2**SHIFT).astype(np.int32)
    return found.reshape(1, -1, 2)

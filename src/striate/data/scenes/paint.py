"""Marks to pixels: the picture is painted twice as fine as it is given back."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from striate.data.scenes.sketch import BALL, FACE, Drawn
from striate.types import SizeHW

__all__ = ["FINE", "Pens", "Stroke", "glow_layer", "paint", "put", "soft_mask"]

FINE = 2
"""Canvas pixels for each pixel of the picture, along each axis."""

Fill = tuple[int, ...] | int
Stroke = tuple[Drawn, int]
"""A drawn thing and the grey value that all of it is filled with."""


class Pens:
    """Two pens for one RGB canvas: one covers, the other mixes (and is slower)."""

    __slots__ = ("cover", "mix")

    def __init__(self, canvas: Image.Image) -> None:
        self.cover = ImageDraw.Draw(canvas)
        self.mix = ImageDraw.Draw(canvas, "RGBA")


def put(pen: ImageDraw.ImageDraw, kind: int, points: list[float], size: float, fill: Fill) -> None:
    """One mark: flat canvas points x, y …, `size` its radius in canvas pixels."""
    if kind == FACE:
        if len(points) >= 6:
            pen.polygon(points, fill=fill)
        return
    if kind != BALL:
        pen.line(points, fill=fill, width=max(1, round(2 * size)))
        if size < 0.9:
            return
    elif size < 0.5:
        pen.point(points, fill=fill)
        return
    for index in range(0, len(points), 2):
        x, y = points[index], points[index + 1]
        pen.ellipse((x - size, y - size, x + size, y + size), fill=fill)


def flat_of(drawn: Drawn, scale: float, left: float = 0.0, top: float = 0.0) -> list[float]:
    """The points of `drawn` on a canvas `scale` times the picture that begins at (left, top)."""
    # Pillow cuts points down to whole canvas pixels and fills up to and including them: unshifted,
    # a shape gains half a canvas pixel on every side alike.
    flat: list[float] = ((drawn.xy - (left, top)) * scale).ravel().tolist()
    return flat


def paint(pens: Pens, drawn: Drawn) -> None:
    """Paint the marks of `drawn` in order on a canvas `FINE` times the picture."""
    flat = flat_of(drawn, FINE)
    for kind, start, stop, radius, rgba, _, _, _ in drawn.marks:
        pen = pens.cover if rgba[3] == 255 else pens.mix
        put(pen, kind, flat[2 * start : 2 * stop], radius * FINE, rgba if rgba[3] < 255 else rgba[:3])


def soft_mask(strokes: Iterable[Stroke], size_hw: SizeHW, *, blur: float) -> Image.Image:
    """A grey mask for the canvas: the strokes, where they overlap the last, blurred by `blur` pixels."""
    height, width = size_hw
    mask = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(mask)
    for drawn, value in strokes:
        flat = flat_of(drawn, 1)
        for kind, start, stop, radius, _, _, _, _ in drawn.marks:
            put(pen, kind, flat[2 * start : 2 * stop], radius, value)
    if blur > 0.2:
        mask = mask.filter(ImageFilter.BoxBlur(blur))
    return mask.resize((width * FINE, height * FINE), Image.Resampling.BILINEAR)


def glow_layer(things: Iterable[Drawn], size_hw: SizeHW, strength: float) -> Image.Image:
    """The halo of everything that shines, hidden where something stands in front; (H, W) RGB."""
    height, width = size_hw
    layer = Image.new("RGB", (max(1, (width + 1) // 2), max(1, (height + 1) // 2)), 0)
    pen = ImageDraw.Draw(layer)
    for drawn in things:
        flat = flat_of(drawn, 0.5)
        for kind, start, stop, radius, rgba, _, decal, glow in drawn.marks:
            if glow <= 0.02 and decal:
                continue
            power = glow * strength if glow > 0.02 else 0.0
            fill = (int(rgba[0] * power), int(rgba[1] * power), int(rgba[2] * power))
            put(pen, kind, flat[2 * start : 2 * stop], radius * 0.5, fill)
    near = layer.filter(ImageFilter.GaussianBlur(width / 160))
    far = layer.filter(ImageFilter.GaussianBlur(width / 36))
    far = ImageChops.add(far, far)
    return ImageChops.add(near, far, scale=1.4).resize((width, height), Image.Resampling.BILINEAR)

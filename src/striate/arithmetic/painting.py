"""The drawing of a network as a picture, with the patch that a unit sees lit up on the input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from striate.arithmetic.drawing import Face, Point, Scene, Tint, draw_network
from striate.arithmetic.layers import Network
from striate.arithmetic.receptive_field import Patch
from striate.pictures.draw import plate
from striate.pictures.lettering import font_for
from striate.pictures.palette import FAINT, INK, PALETTE, RGB, VERMILION, WHITE
from striate.pictures.resize import resize
from striate.types import Picture, SizeHW, check_picture

__all__ = ["paint_network"]

_SHARP = 2
"""Pixels of the picture for each of the drawing."""
_TINTS: dict[Tint, RGB] = {
    "picture": (120, 128, 140),
    "conv": PALETTE[0],
    "pool": PALETTE[5],
    "dense": PALETTE[2],
    "other": PALETTE[3],
}
_LIGHT: dict[Face, float] = {"front": 0.62, "top": 0.8, "side": 0.42}
"""How much white is in the colour of a face."""
_MARGIN = 24
_PANEL = 340
"""Longer side of a panel, pixels of the drawing."""
_CRISP = 100
"""Side up to which single pixels are shown as squares."""
_BEYOND = 0.35
"""Of the picture's longer side: how much padding around it is shown."""
_LEGEND: tuple[tuple[Tint, str], ...] = (
    ("conv", "convolution"),
    ("pool", "pooling"),
    ("dense", "dense"),
    ("other", "other"),
)


def paint_network(
    network: Network, patch: Patch | None = None, picture: Picture | None = None
) -> Picture:
    """The network as boxes; with `patch`, its unit and the part of the picture that it sees.

    `picture`: uint8 (H, W, 3), shown at the size of the network's input; None for an empty one.
    Returns uint8 (H', W', 3).
    """
    scene = draw_network(network)
    width = max(round(scene.width), 2 * _PANEL + 3 * _MARGIN if patch else 0)
    panels = _panels(network, patch, picture) if patch else []
    below = max((panel.height for panel in panels), default=0)
    size = (_SHARP * (width + 2 * _MARGIN), _SHARP * (round(scene.height) + below + 84))
    canvas, draw = plate(size)
    title = f"{network.title} on {'x'.join(map(str, network.input_hwc))}"
    _text(draw, (_MARGIN, 26), title, 19, INK, "lm")
    left = (width - scene.width) / 2 + _MARGIN
    _paint_scene(draw, scene, (left, 50), patch)
    _paint_legend(draw, scene, width + _MARGIN)
    for index, panel in enumerate(panels):
        at = (_MARGIN + index * (_PANEL + 2 * _MARGIN), round(scene.height) + 62)
        panel.paint(canvas, draw, at)
    return np.array(canvas)


# -- the boxes --------------------------------------------------------------------------------


def _paint_scene(draw: ImageDraw.ImageDraw, scene: Scene, origin: Point, patch: Patch | None) -> None:
    for polygon in scene.polygons:
        points = [_at(point, origin) for point in polygon.points]
        tint = _TINTS[polygon.tint]
        draw.polygon(points, fill=_mixed(tint, _LIGHT[polygon.face]))
        draw.line([*points, points[0]], fill=_mixed(tint, 0.1), width=_SHARP, joint="curve")
    for words in scene.words:
        x, y = words.at[0] + origin[0], words.at[1] + origin[1]
        _text(draw, (x, y), words.text, 13, INK if words.strong else FAINT, "mm")


def _paint_legend(draw: ImageDraw.ImageDraw, scene: Scene, right: float) -> None:
    present = {polygon.tint for polygon in scene.polygons}
    x = right
    for tint, name in reversed([one for one in _LEGEND if one[0] in present]):
        _, font = font_for(name, 13 * _SHARP)
        x -= font.getlength(name) / _SHARP
        _text(draw, (x, 26), name, 13, FAINT, "lm")
        x -= 18
        box = [_SHARP * value for value in (x, 20, x + 12, 32)]
        draw.rectangle(box, fill=_mixed(_TINTS[tint], 0.42))
        x -= 18


# -- what a unit sees -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Panel:
    """An image under a line of words."""

    title: str
    words: str
    image: Picture
    frames: tuple[tuple[tuple[float, float, float, float], bool], ...]
    """Boxes (x0, y0, x1, y1) as shares of the image, and whether they are dashed."""
    how: Image.Resampling

    @property
    def size_wh(self) -> tuple[int, int]:
        """Pixels of the picture; small cells stay equally large."""
        height, width = self.image.shape[:2]
        scale = _SHARP * _PANEL / max(height, width)
        if self.how is Image.Resampling.NEAREST and scale > 1:
            scale = float(int(scale))
        return max(1, round(width * scale)), max(1, round(height * scale))

    @property
    def height(self) -> int:
        return -(-self.size_wh[1] // _SHARP) + 66

    def paint(self, canvas: Image.Image, draw: ImageDraw.ImageDraw, at: tuple[int, int]) -> None:
        x, y = at
        _text(draw, (x, y + 12), self.title, 15, INK, "lm")
        _text(draw, (x, y + 32), self.words, 13, FAINT, "lm")
        width, height = self.size_wh
        left, top = _SHARP * x, _SHARP * (y + 50)
        canvas.paste(Image.fromarray(self.image).resize((width, height), self.how), (left, top))
        draw.rectangle((left - 1, top - 1, left + width, top + height), outline=(196, 202, 211))
        for (x0, y0, x1, y1), dashed in self.frames:
            box = (left + x0 * width, top + y0 * height, left + x1 * width, top + y1 * height)
            _frame(draw, box, dashed=dashed)


def _panels(network: Network, patch: Patch, picture: Picture | None) -> list[_Panel]:
    layer = next(one for one in network if one.name == patch.layer)
    return [_seen(network.input_hwc[:2], patch, picture), _units(layer.places_hw, patch)]


def _seen(size_hw: SizeHW, patch: Patch, picture: Picture | None) -> _Panel:
    """The picture, dark but for the patch, with as much of the padding as there is room for."""
    height, width = size_hw
    ground = np.full((height, width, 3), 236, np.uint8)
    if picture is not None:
        ground = resize(check_picture(picture), size_hw)
    lit = (ground * (0.38 if picture is not None else 0.92)).astype(np.uint8)
    words = "nothing: padding alone"
    if patch.box_xyxy is not None:
        x0, y0, x1, y1 = patch.box_xyxy
        lit[y0:y1, x0:x1] = ground[y0:y1, x0:x1] if picture is not None else (255, 231, 170)
        bound = "" if patch.exact else "at most "
        size = f"{y1 - y0}x{x1 - x0} of {height}x{width}"
        words = f"{bound}rows {y0} to {y1 - 1}, columns {x0} to {x1 - 1} ({size})"
    most = max(1, round(_BEYOND * max(size_hw)))
    px0, py0, px1, py1 = patch.padded_xyxy
    before = max(0, min(most, -py0)), max(0, min(most, -px0))
    after = max(0, min(most, py1 - height)), max(0, min(most, px1 - width))
    full = np.pad(lit, ((before[0], after[0]), (before[1], after[1]), (0, 0)), constant_values=250)
    tall, wide = full.shape[:2]

    def share(box: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
        ends = np.clip(np.array(box) + [before[1], before[0]] * 2, 0, [wide, tall] * 2) / (
            [wide, tall] * 2
        )
        return float(ends[0]), float(ends[1]), float(ends[2]), float(ends[3])

    how = Image.Resampling.LANCZOS if max(size_hw) > _CRISP else Image.Resampling.NEAREST
    frames = [(share(patch.padded_xyxy), True)] if patch.padded_xyxy != patch.box_xyxy else []
    frames += [(share(patch.box_xyxy), False)] if patch.box_xyxy is not None else []
    return _Panel("It sees", words, full, tuple(frames), how)


def _units(places_hw: SizeHW, patch: Patch) -> _Panel:
    """The layer's units as a grid, the chosen one marked."""
    height, width = places_hw
    cell = max(1, 2 * _PANEL // max(height, width))
    line = 1 if cell >= 6 else 0
    grid = np.full((height * cell + line, width * cell + line, 3), 241, np.uint8)
    if line:
        grid[::cell] = grid[:, ::cell] = 205
    y, x = patch.unit_yx
    grid[y * cell + line : (y + 1) * cell, x * cell + line : (x + 1) * cell] = VERMILION
    words = f"row {y}, column {x} of {height}x{width} units"
    return _Panel(f"This unit of {patch.layer}", words, grid, (), Image.Resampling.NEAREST)


def _frame(draw: ImageDraw.ImageDraw, box: Sequence[float], *, dashed: bool) -> None:
    x0, y0, x1, y1 = box
    if not dashed:
        draw.rectangle((x0, y0, x1, y1), outline=WHITE, width=3 * _SHARP)
        draw.rectangle((x0, y0, x1, y1), outline=VERMILION, width=2 * _SHARP)
        return
    step = 6 * _SHARP
    for at in np.arange(x0, x1, 2 * step):
        for y in (y0, y1):
            draw.line((at, y, min(at + step, x1), y), fill=VERMILION, width=_SHARP)
    for at in np.arange(y0, y1, 2 * step):
        for x in (x0, x1):
            draw.line((x, at, x, min(at + step, y1)), fill=VERMILION, width=_SHARP)


# -- ink --------------------------------------------------------------------------------------


def _at(point: Point, origin: Point) -> Point:
    return _SHARP * (point[0] + origin[0]), _SHARP * (point[1] + origin[1])


def _mixed(colour: RGB, white: float) -> RGB:
    red, green, blue = (round(value + (255 - value) * white) for value in colour)
    return red, green, blue


def _text(draw: ImageDraw.ImageDraw, at: Point, text: str, size: int, ink: RGB, anchor: str) -> None:
    words, font = font_for(text.replace("×", "x"), size * _SHARP)
    draw.text((_SHARP * at[0], _SHARP * at[1]), words, fill=ink, font=font, anchor=anchor)

"""Detections drawn on a copy of the picture: frames, and plates with label and score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw

from striate.features.opencv import cv2_module
from striate.ops.rotated import rotated_to_corners
from striate.pictures.draw import LEGIBLE, enlarge
from striate.pictures.lettering import Font, font_for, line_height, shortened
from striate.pictures.palette import RGB, colour_of, ink_on
from striate.tasks.detect.types import Detections
from striate.types import Array, Picture, check_picture

__all__ = ["render_detections"]

Place: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels, the last two outside."""

_SHIFT = 4
"""Turned frames are drawn to 1/16 pixel."""
_LEAST_STROKE = 2
_TEXT = (12, 110)
"""Least and most size of words, pixels."""
_TEXT_OF_BOX = 0.3
"""Size of words as a share of the longer side of a usual box."""
_MOST_PLATES = 300
"""Detections that may have a plate; more words than that nobody reads."""
_HIDDEN = 0.3
"""The share of another box that a plate may hide."""


def render_detections(picture: Picture, detections: Detections, *, plates: bool = True) -> Picture:
    """`picture` with a frame around each detection and a plate with its label and score.

    Colours stand for classes and repeat after seven. A plate keeps within the picture and off other
    plates: of those that have no free place only the best of each class are drawn. `plates`: False
    draws frames alone. A small picture is enlarged a whole number of times. Returns uint8 (H', W', 3).
    """
    shown = enlarge(check_picture(picture), LEGIBLE)
    canvas = np.ascontiguousarray(shown if shown is not picture else shown.copy())
    times = canvas.shape[0] // picture.shape[0]
    tints = [colour_of(label) for label in detections.labels.tolist()]
    outlines = _outlines(detections) * times
    stroke = max(_LEAST_STROKE, round(min(canvas.shape[:2]) / 240))
    for outline, tint in reversed(list(zip(outlines, tints, strict=True))):  # the best on top
        _frame(canvas, outline, tint, stroke, upright=detections.angles_deg is None)
    if not plates or not len(detections):
        return canvas
    image = Image.fromarray(canvas)
    _Plates(image, _text_size(canvas, outlines), outlines).draw(detections, tints)
    return np.array(image)


def _outlines(detections: Detections) -> Array:
    """The corners of each box from the upper left around, float64 (N, 4, 2), turned by its angle."""
    angles = detections.angles_deg
    return rotated_to_corners(
        detections.boxes_xyxy, np.zeros(len(detections)) if angles is None else angles
    )


def _words(detections: Detections) -> list[str]:
    """What stands on each plate: "#3 car 0.91"."""
    ids = [-1] * len(detections) if detections.track_ids is None else detections.track_ids.tolist()
    found = zip(detections.label_names(), detections.scores.tolist(), ids, strict=True)
    return [f"#{one} " * (one >= 0) + f"{label} {score:.2f}" for label, score, one in found]


def _text_size(canvas: Picture, outlines: Array) -> int:
    """A fiftieth of the longer side; less where the shorter side has no room, and where most boxes are
    so small that plates would hide the picture."""
    least, most = _TEXT
    shorter, longer = sorted(int(side) for side in canvas.shape[:2])
    sides = np.ptp(outlines, axis=1).max(axis=1)
    typical = int(np.median(sides) * _TEXT_OF_BOX)
    return max(least, min(round(longer / 50), most, shorter // 8, max(typical, round(longer / 120))))


def _frame(canvas: Picture, outline: Array, tint: RGB, stroke: int, *, upright: bool) -> None:
    """An outline in its colour on a darker or lighter edge, so that it is seen on any ground.

    It lies outside of the box where the box is small: what is found stays visible.
    """
    cv2 = cv2_module()
    side = float(min(np.linalg.norm(outline[1] - outline[0]), np.linalg.norm(outline[2] - outline[1])))
    stroke = max(_LEAST_STROKE, min(stroke, round(side / 8)))
    edge = max(1, stroke // 4)
    if not upright:
        path = np.rint(np.clip(outline - 0.5, -1e5, 1e5) * 2**_SHIFT).astype(np.int32).reshape(1, -1, 2)
        cv2.polylines(canvas, path, True, ink_on(tint), stroke + 2 * edge, cv2.LINE_AA, _SHIFT)
        cv2.polylines(canvas, path, True, tint, stroke, cv2.LINE_AA, _SHIFT)
        return
    height, width = canvas.shape[:2]
    outside = 0 if side >= 10 * stroke else stroke
    low, high = outline.min(axis=0) - outside, outline.max(axis=0) + outside
    x0, y0 = np.clip(np.rint(low), 0, [width - 1, height - 1]).astype(int).tolist()
    x1, y1 = np.clip(np.rint(high), [x0 + 1, y0 + 1], [width, height]).astype(int).tolist()
    _ring(canvas, (x0, y0, x1, y1), (-edge, stroke + edge), ink_on(tint))
    _ring(canvas, (x0, y0, x1, y1), (0, stroke), tint)


def _ring(canvas: Picture, place: Place, depths: tuple[int, int], colour: RGB) -> None:
    """The four sides of `place`, from `depths[0]` pixels inside of its edge to `depths[1]`."""
    height, width = canvas.shape[:2]
    near, far = depths
    x0, y0, x1, y1 = place[0] + near, place[1] + near, place[2] - near, place[3] - near
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    thick = far - near
    canvas[y0 : min(y0 + thick, y1), x0:x1] = colour
    canvas[max(y1 - thick, y0) : y1, x0:x1] = colour
    canvas[y0:y1, x0 : min(x0 + thick, x1)] = colour
    canvas[y0:y1, max(x1 - thick, x0) : x1] = colour


@dataclass(frozen=True, slots=True)
class _Plate:
    text: str
    font: Font
    tint: RGB
    size_wh: tuple[int, int]


class _Plates:
    """Words on a picture that keep out of each other's way."""

    def __init__(self, image: Image.Image, size: int, outlines: Array) -> None:
        self._draw = ImageDraw.Draw(image)
        self._width, self._height = image.size
        self._size = size
        self._pad = max(3, size // 4)
        self._taken = np.empty((0, 4), np.int64)
        self._outlines = outlines
        self._hulls = np.concatenate([outlines.min(axis=1), outlines.max(axis=1)], axis=1)

    def draw(self, detections: Detections, tints: Sequence[RGB]) -> None:
        """A plate for each outline, float (N, 4, 2), best first."""
        told: set[int] = set()
        rows = zip(detections.labels.tolist(), _words(detections), tints, strict=True)
        for row, (label, text, tint) in enumerate(rows):
            if row >= _MOST_PLATES and label in told:
                continue
            place, plate = self._place(row, text, tint, needed=label not in told)
            if place is not None:
                told.add(label)
                self._taken = np.concatenate([self._taken, [place]])
                self._put(place, plate)

    def _place(self, row: int, text: str, tint: RGB, *, needed: bool) -> tuple[Place | None, _Plate]:
        """The first place that hides nothing: above the box, in it, beneath it, at its right end."""
        plate = self._plate(text, tint)
        places = self._places(self._outlines[row], *plate.size_wh)
        free = [place for place in places if not self._hits(place) and not self._hides(place, row)]
        return (free[0] if free else places[0] if needed else None), plate

    def _places(self, outline: Array, wide: int, high: int) -> list[Place]:
        """Where a plate may stand, inside the picture; at least within the box."""
        (x0, y0), (x1, y1) = np.rint(outline.min(axis=0)), np.rint(outline.max(axis=0))
        if outline[0, 1] != outline[1, 1]:  # turned: by its highest and its lowest corner
            x0 = np.rint(outline[outline[:, 1].argmin(), 0] - wide / 2)
            x1 = np.rint(outline[outline[:, 1].argmax(), 0] + wide / 2)
        tries = [(x0, y0 - high), (x0, y0), (x0, y1), (x1 - wide, y0 - high), (x1 - wide, y1)]
        most_left, most_top = max(0, self._width - wide), max(0, self._height - high)
        found = []
        for number, (x, y) in enumerate(tries):
            if number == 1 or 0 <= y <= most_top:
                left, top = int(min(max(x, 0), most_left)), int(min(max(y, 0), most_top))
                found.append((left, top, left + wide, top + high))
        return found

    def _hits(self, place: Place) -> bool:
        taken = self._taken
        apart = (taken[:, 0] >= place[2]) | (taken[:, 2] <= place[0])
        apart |= (taken[:, 1] >= place[3]) | (taken[:, 3] <= place[1])
        return not apart.all()

    def _hides(self, place: Place, row: int) -> bool:
        """Whether too little of a box would still be seen; of its own box `row`, half may be covered."""
        low, high = np.maximum(self._hulls[:, :2], place[:2]), np.minimum(self._hulls[:, 2:], place[2:])
        shared = np.maximum(high - low, 0).prod(axis=1)
        allowed = np.full(len(shared), _HIDDEN)
        allowed[row] = 0.5
        return bool((shared > allowed * (self._hulls[:, 2:] - self._hulls[:, :2]).prod(axis=1)).any())

    def _plate(self, text: str, tint: RGB) -> _Plate:
        words, font = font_for(text, self._size)
        words = shortened(words, font, self._width - 2 * self._pad)
        wide = min(round(font.getlength(words)) + 2 * self._pad, self._width)
        return _Plate(words, font, tint, (wide, min(line_height(self._size) + 2, self._height)))

    def _put(self, place: Place, plate: _Plate) -> None:
        left, top, right, bottom = place
        if bottom - top < self._size or not plate.text:  # a picture too small for words
            return
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill=plate.tint)
        middle = (left + self._pad, (top + bottom) / 2)
        self._draw.text(middle, plate.text, fill=ink_on(plate.tint), font=plate.font, anchor="lm")

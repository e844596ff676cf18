"""What each kind of feature looks like on a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from striate.features.cascades import detect_objects
from striate.features.edges import canny
from striate.features.ellipses import Regions
from striate.features.kernels import KERNELS, convolve
from striate.features.keypoints import Keypoints, detect
from striate.features.marks import Sheet, captioned
from striate.features.opencv import cv2_module
from striate.features.regions import find_regions
from striate.features.ridges import TEXTURE, ridges
from striate.pictures import draw_boxes
from striate.pictures.lettering import spaced
from striate.pictures.palette import PALETTE, RGB
from striate.types import Array, Picture

__all__ = [
    "Drawn",
    "draw_canny",
    "draw_corners",
    "draw_kernel",
    "draw_objects",
    "draw_points",
    "draw_regions",
    "draw_ridges",
]


class Drawn(NamedTuple):
    """The figure, what it shows in a sentence, and its facts for `--json`."""

    picture: Picture
    statement: str
    facts: dict[str, object]


BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW = PALETTE
PINK = (236, 152, 200)  # the palette's purple, lightened for dark grounds
SMALL_TO_LARGE: tuple[RGB, ...] = (SKY, YELLOW, ORANGE, PINK)
"""Colours of sizes, a step for each doubling."""

MOST_CORNERS, MOST_POINTS, MOST_REGIONS = 400, 200, 100
"""Marks that can still be told apart on one picture."""

FEW = 40
"""So many marks are drawn however large they are."""

NAMES = {
    "harris": "Harris corner",
    "shi-tomasi": "Shi-Tomasi corner",
    "fast": "FAST corner",
    "log": "Laplacian-of-Gaussian spot",
    "dog": "difference-of-Gaussians spot",
    "sift": "SIFT point",
    "orb": "ORB point",
    "akaze": "AKAZE point",
    "kaze": "KAZE point",
    "brisk": "BRISK point",
    "mser": "MSER region",
    "harris-affine": "Harris-Affine region",
    "hessian-affine": "Hessian-Affine region",
}


def draw_canny(picture: Picture) -> Drawn:
    """Edges as lines of even weight over the muted picture."""
    found = canny(picture)
    sheet = Sheet.of(picture)
    broad = max(1, round(sheet.stroke / sheet.times))
    cv2 = cv2_module()
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (broad, broad))
    sheet.tint(cv2.dilate(found.mask.astype(np.uint8), window), YELLOW)
    words = f"Canny edges: {found.mask.mean():.1%} of the pixels" if found.mask.any() else "No edges"
    return _drawn(sheet, words, found.to_dict())


def draw_corners(picture: Picture, kind: str, limit: int | None) -> Drawn:
    """Corners as dots."""
    found = detect(picture, kind)
    listed = found.strongest(len(found) if limit is None else limit)
    shown = listed.strongest(MOST_CORNERS)
    sheet = Sheet.of(picture)
    sheet.dots(shown.points_xy, [YELLOW] * len(shown))
    words = _counted(len(found), NAMES[kind])
    return _drawn(sheet, words, _facts(listed, len(found), len(shown)))


def draw_points(picture: Picture, kind: str, limit: int | None) -> Drawn:
    """Key points as circles of their size, each with a hand in its direction if it has one."""
    found = detect(picture, kind)
    listed = found.strongest(len(found) if limit is None else limit)
    shown = listed.take(_apart(listed.points_xy, listed.scale_px, picture.size / 3, MOST_POINTS))
    sheet = Sheet.of(picture)
    order = np.argsort(-shown.scale_px, kind="stable")  # small ones on top
    points, radii = shown.points_xy[order], shown.scale_px[order]
    colours = _by_size(radii)
    sheet.circles(points, radii, colours)
    angles = np.radians(shown.angle_deg[order])
    known = np.flatnonzero(~np.isnan(angles))
    hands = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    sheet.lines(points[known], (points + hands)[known], [colours[row] for row in known.tolist()])
    more = " with size and direction" if len(known) else " with size"
    words = _counted(len(found), NAMES[kind], more)
    return _drawn(sheet, words, _facts(listed, len(found), len(shown)))


def draw_regions(picture: Picture, kind: str, limit: int | None) -> Drawn:
    """Regions as their ellipses."""
    found = find_regions(picture, kind)
    listed = found.strongest(len(found) if limit is None else limit)
    shown = listed.take(
        _apart(listed.points_xy, listed.circles().scale_px, picture.size / 3, MOST_REGIONS)
    )
    sheet = Sheet.of(picture)
    sheet.ellipses(shown.points_xy, shown.shapes, _by_size(shown.circles().scale_px))
    words = _counted(len(found), NAMES[kind])
    return _drawn(sheet, words, _facts(listed, len(found), len(shown)))


def draw_ridges(picture: Picture, name: str) -> Drawn:
    """Light lines orange, dark lines blue, the stronger the more."""
    sheet = Sheet.of(picture, mute=True)
    facts: dict[str, object] = {}
    both = {
        polarity: ridges(picture, filter=name, polarity=polarity)  # type: ignore[arg-type]
        for polarity in ("light", "dark")
    }
    strongest = max(*(float(one.strength.max()) for one in both.values()), TEXTURE)
    for (polarity, one), colour in zip(both.items(), (ORANGE, SKY), strict=True):
        sheet.tint(_alpha(one.strength, strongest), colour)
        facts[polarity] = one.to_dict()
    words = f"Ridges ({name.capitalize()}): lines lighter than their sides orange, darker ones blue"
    return _drawn(sheet, words, facts)


def _alpha(strength: Array, strongest: float) -> Array:
    """How much of its colour a ridge gets: none for texture, all from half of the strongest."""
    found: Array = np.clip((strength - 0.08 * strongest) / (0.42 * strongest), 0, 1)
    return found


def draw_objects(picture: Picture, cascade: str, limit: int | None) -> Drawn:
    """Boxes of a Haar cascade."""
    found = detect_objects(picture, cascade)
    shown = found.boxes_xyxy[:limit]
    drawn = draw_boxes(picture, shown, colours=[ORANGE] * len(shown), at_least=480)
    words = f"{cascade}: {len(found) or 'no'} {'box' if len(found) == 1 else 'boxes'} (Haar cascade)"
    return Drawn(captioned(drawn, words), words, found.to_dict())


def draw_kernel(picture: Picture, kernel: str) -> Drawn:
    """The picture under a kernel, pixel for pixel, without any mark."""
    found = convolve(picture, kernel)
    name = found.kernel.name if found.kernel.name in KERNELS else f"the kernel {found.kernel}"
    words = f"The picture under {name}: values from {found.values.min():g} to {found.values.max():g}"
    return Drawn(found.picture(), words, found.to_dict())


def _drawn(sheet: Sheet, words: str, facts: dict[str, object]) -> Drawn:
    """The captioned figure; where not all is drawn, the caption says so."""
    shown = facts.get("shown", facts.get("found"))
    part = f"; {shown} of them are drawn" if shown != facts.get("found") else ""
    return Drawn(captioned(sheet.canvas, words + part), words, facts)


def _apart(points_xy: Array, radii: Array, area: float, most: int) -> Array:
    """Rows of marks, strongest first, that do not nearly cover a stronger one: `most` of them, or so
    many that their discs add up to `area`, that of the picture."""
    kept: list[int] = []
    sizes = np.log2(np.maximum(radii, 1e-6))
    covered = 0.0
    for row in range(len(radii)):
        away = np.linalg.norm(points_xy[kept] - points_xy[row], axis=1)
        alike = np.abs(sizes[kept] - sizes[row]) < 0.7
        if not (alike & (away < 0.5 * np.maximum(radii[kept], radii[row]))).any():
            kept.append(row)
            covered += float(np.pi * radii[row] ** 2)
        if len(kept) == most or (covered > area and len(kept) >= FEW):
            break
    return np.array(kept, np.int64)


def _facts(listed: Keypoints | Regions, found: int, shown: int) -> dict[str, object]:
    return {"found": found, "shown": shown} | listed.to_dict()


def _counted(found: int, name: str, more: str = "") -> str:
    """How many there are. `name`: of one, its plural in s."""
    if found < 2:
        return f"1 {name}{more}" if found else f"No {name}s"
    return f"{spaced(found)} {name}s{more}"


def _by_size(radii: Array) -> Sequence[RGB]:
    steps = np.log2(np.maximum(radii, 1e-6) / max(float(np.min(radii, initial=1e9)), 1e-6)).astype(int)
    return [SMALL_TO_LARGE[min(step, len(SMALL_TO_LARGE) - 1)] for step in steps.tolist()]

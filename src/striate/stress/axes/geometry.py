"""Stress by geometry: seen from elsewhere, turned, nearer, farther, shifted, sheared."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from striate.features.opencv import cv2_module
from striate.stress.axes.chance import draw, signs
from striate.stress.axes.warping import Border, Projective, about_middle, rim_colours, warp
from striate.stress.changes import Axis, Changed, Material
from striate.types import Array, PictureArray

__all__ = ["FOCAL_LENGTH", "GEOMETRY", "geometry_axes"]

FOCAL_LENGTH = 1.5
"""Of the camera that looks at the picture as a plane: in longer sides, an angle of view of 37°."""

_TILT = 1 / 3
"""Up to so much of the angle is turned about the horizontal axis, too."""


def geometry_axes(border: Border = "mirror") -> tuple[Axis, ...]:
    """The axes of geometry with what comes in from beyond the edge. Of "farther" it is always the rim's
    colour: mirrored, one thing would become a crowd of them.
    """
    return (
        Axis(
            name="viewpoint",
            title="Seen from the side",
            family="viewpoint",
            unit="degrees",
            levels=(10, 20, 30, 45, 60),
            change=partial(_viewpoint, border=border),
            source="the picture as a plane, turned about the vertical axis and up to a third as far "
            f"about the horizontal one, by a camera of focal length {FOCAL_LENGTH} × its longer side",
        ),
        Axis(
            name="rotation",
            title="Turned",
            family="viewpoint",
            unit="degrees",
            levels=(5, 15, 30, 45, 90),
            change=partial(_rotation, border=border),
            source="about the middle, to either side",
        ),
        Axis(
            name="nearer",
            title="Nearer, cut off by the frame",
            family="viewpoint",
            unit="× as large",
            levels=(1.25, 1.5, 2, 2.5, 3),
            change=partial(_nearer, border=border),
            source="enlarged about the middle",
        ),
        Axis(
            name="farther",
            title="Farther away",
            family="viewpoint",
            unit="× as small",
            levels=(1.25, 1.5, 2, 3, 4),
            change=_farther,
            source="each pixel the mean of what it covers; around it the median colour of the rim",
        ),
        Axis(
            name="shift",
            title="Shifted",
            family="viewpoint",
            unit="share of the side",
            levels=(0.02, 0.05, 0.1, 0.15, 0.25),
            change=partial(_shift, border=border),
            source="in any direction, by parts of pixels, too",
        ),
        Axis(
            name="shear",
            title="Sheared",
            family="viewpoint",
            unit="degrees",
            levels=(5, 10, 20, 30, 40),
            change=partial(_shear, border=border),
            source="rows or columns pushed along themselves, to either side",
        ),
    )


def _viewpoint(pictures: PictureArray, level: float, material: Material, *, border: Border) -> Changed:
    sign, part = signs(material, "viewpoint"), draw(material, "viewpoint/tilt") * 2 - 1
    turn, tilt = np.radians(level) * sign, np.radians(level) * _TILT * part
    height, width = pictures.shape[1:3]
    far = FOCAL_LENGTH * max(height, width)
    matrices = _identities(len(pictures))
    # the plane's axes turned about y, then about x; x' = far · X / (far + Z)
    matrices[:, 0, 0] = far * np.cos(turn)
    matrices[:, 1, 0] = far * np.sin(turn) * np.sin(tilt)
    matrices[:, 1, 1] = far * np.cos(tilt)
    matrices[:, 2, 0] = -np.sin(turn) * np.cos(tilt)
    matrices[:, 2, 1] = np.sin(tilt)
    matrices[:, 2, 2] = far
    return _carried(pictures, matrices, border)


def _rotation(pictures: PictureArray, level: float, material: Material, *, border: Border) -> Changed:
    turn = np.radians(level) * signs(material, "rotation")
    matrices = _identities(len(pictures))
    matrices[:, 0, 0] = matrices[:, 1, 1] = np.cos(turn).round(12)
    matrices[:, 0, 1], matrices[:, 1, 0] = np.sin(turn).round(12), -np.sin(turn).round(12)
    return _carried(pictures, matrices, border)


def _nearer(pictures: PictureArray, level: float, material: Material, *, border: Border) -> Changed:
    matrices = _identities(len(pictures))
    matrices[:, 0, 0] = matrices[:, 1, 1] = level
    return _carried(pictures, matrices, border)


def _shift(pictures: PictureArray, level: float, material: Material, *, border: Border) -> Changed:
    way = draw(material, "shift") * (2 * math.pi)
    height, width = pictures.shape[1:3]
    matrices = _identities(len(pictures))
    matrices[:, 0, 2], matrices[:, 1, 2] = np.cos(way) * level * width, np.sin(way) * level * height
    return _carried(pictures, matrices, border)


def _shear(pictures: PictureArray, level: float, material: Material, *, border: Border) -> Changed:
    slope = np.tan(np.radians(level)) * signs(material, "shear")
    rows = draw(material, "shear/rows") < 0.5
    matrices = _identities(len(pictures))
    matrices[:, 0, 1], matrices[:, 1, 0] = np.where(rows, slope, 0), np.where(rows, 0, slope)
    return _carried(pictures, matrices, border)


def _farther(pictures: PictureArray, level: float, material: Material) -> Changed:
    """Made smaller to whole pixels, so that each is the exact mean of what it covers."""
    cv2 = cv2_module()
    height, width = pictures.shape[1:3]
    small = (max(1, round(height / level)), max(1, round(width / level)))
    top, left = (height - small[0]) // 2, (width - small[1]) // 2
    found = np.empty_like(pictures)
    if len(pictures):
        found[:] = rim_colours(pictures)[:, None, None]
    for row, picture in enumerate(pictures):
        reduced = cv2.resize(picture, small[::-1], interpolation=cv2.INTER_AREA)
        found[row, top : top + small[0], left : left + small[1]] = reduced
    matrix = np.array([[small[1] / width, 0, left], [0, small[0] / height, top], [0, 0, 1]])
    return Changed(found, (Projective(matrix),) * len(pictures))


def _carried(pictures: PictureArray, matrices: Array, border: Border) -> Changed:
    """Pictures moved by matrices (B, 3, 3) of places from the middle."""
    height, width = pictures.shape[1:3]
    own = about_middle(matrices, (height, width))
    return Changed(warp(pictures, own, border), tuple(Projective(one) for one in own))


def _identities(count: int) -> Array:
    return np.tile(np.eye(3), (count, 1, 1))


GEOMETRY: tuple[Axis, ...] = geometry_axes()
"""The axes of geometry for answers about the whole picture."""

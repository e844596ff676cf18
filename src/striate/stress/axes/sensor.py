"""What a camera and its files do: noise, blur, compression and resolution, each in a physical unit."""

from __future__ import annotations

import numpy as np

from striate.features.opencv import cv2_module
from striate.stress.changes import Axis, Changed, Material
from striate.stress.corruptions.blur import gaussian_taps
from striate.stress.corruptions.chance import generators
from striate.stress.corruptions.digital import jpeg
from striate.types import Array, PictureArray

__all__ = ["SENSOR", "blurred", "compressed", "noisy", "rescaled"]


def noisy(pictures: PictureArray, std: float, seeds: Array) -> PictureArray:
    """Normal noise on every value, of standard deviation `std` in grey levels (0 … 255), rounded."""
    found = np.empty_like(pictures)
    for picture, one, into in zip(pictures, generators(seeds, "noise"), found, strict=True):
        noise = one.standard_normal(picture.shape, np.float32)
        noise *= std
        noise += picture
        into[:] = np.rint(np.clip(noise, 0.0, 255.0, out=noise))
    return found


def blurred(pictures: PictureArray, sigma: float) -> PictureArray:
    """A Gaussian of `sigma` pixels, cut off at 4 sigma; edges repeat."""
    cv2 = cv2_module()
    taps = gaussian_taps(sigma)
    found = np.empty_like(pictures)
    for picture, into in zip(pictures, found, strict=True):
        smooth = cv2.sepFilter2D(
            picture, cv2.CV_32F, taps, taps, None, (-1, -1), 0.0, cv2.BORDER_REPLICATE
        )
        into[:] = np.rint(smooth)
    return found


def compressed(pictures: PictureArray, quality: float) -> PictureArray:
    """After JPEG of `quality` 1 … 100, chroma at half resolution."""
    found = np.empty_like(pictures)
    for picture, into in zip(pictures, found, strict=True):
        into[:] = jpeg(picture, round(quality))
    return found


def rescaled(pictures: PictureArray, scale: float) -> PictureArray:
    """Seen from afar: shrunk to `scale` of each side by areas, and enlarged again bilinearly."""
    cv2 = cv2_module()
    height, width = pictures.shape[1:3]
    small_wh = max(1, round(width * scale)), max(1, round(height * scale))
    found = np.empty_like(pictures)
    for picture, into in zip(pictures, found, strict=True):
        small = cv2.resize(picture, small_wh, interpolation=cv2.INTER_AREA)
        into[:] = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return found


def _noisy(pictures: PictureArray, level: float, material: Material) -> Changed:
    return Changed(noisy(pictures, level, material.seeds))


def _blurred(pictures: PictureArray, level: float, material: Material) -> Changed:
    return Changed(blurred(pictures, level))


def _compressed(pictures: PictureArray, level: float, material: Material) -> Changed:
    return Changed(compressed(pictures, level))


def _rescaled(pictures: PictureArray, level: float, material: Material) -> Changed:
    return Changed(rescaled(pictures, level))


SENSOR: tuple[Axis, ...] = (
    Axis("noise", "Noise", "noise", "grey levels (std)", (5, 10, 20, 40, 80), _noisy, "normal noise"),
    Axis("blur", "Blur", "blur", "px (sigma)", (0.5, 1, 1.5, 2.5, 4), _blurred, "Gaussian blur"),
    Axis(
        "jpeg", "JPEG", "digital", "quality", (80, 50, 25, 10, 5), _compressed, "libjpeg, chroma 4:2:0"
    ),
    Axis(
        "resolution",
        "Resolution",
        "digital",
        "of each side",
        (0.75, 0.5, 0.35, 0.25, 0.125),
        _rescaled,
        "area, then bilinear",
    ),
)
"""Mild to harsh, each in its own unit."""

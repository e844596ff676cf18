"""Light: exposure, gamma, colour of the light, shade across the picture, and night.

Exposure, colour, shade and night act on linear light: sRGB is undone first (IEC 61966-2-1) and done
again last, as a camera's would be. Highlights clip, and shadows fall into the 256 steps that there are.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from striate.stress.changes import Axis, Changed, Material
from striate.stress.corruptions.chance import generators
from striate.types import Array, PictureArray

__all__ = ["LIGHT", "exposed", "light_gains", "night", "shaded", "under_light_of"]

Field = NDArray[np.float32]

_FULL_WELL = 4000.0  # electrons of a white pixel in daylight: a phone's sensor
_READ_NOISE = 3.0  # electrons
_DAYLIGHT_K = 6504.0
_STEPS = 4096

# linear sRGB from CIE XYZ, D65 (IEC 61966-2-1)
_RGB_FROM_XYZ = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)
_LUMINANCE = np.array([0.2126729, 0.7151522, 0.0721750])


def exposed(pictures: PictureArray, stops: float) -> PictureArray:
    """Light multiplied by 2^stops: below 0 too dark, above 0 too bright. Uint8 (B, h, w, 3), new."""
    return _through(pictures, _coded(_linear() * 2.0**stops))


def bent(pictures: PictureArray, gamma: float) -> PictureArray:
    """x^gamma of the coded values: above 1 the middle greys darken, below 1 they lighten."""
    values = 255.0 * (np.arange(256) / 255.0) ** gamma
    return _through(pictures, np.rint(values).astype(np.uint8))


def light_gains(kelvin: float) -> Array:
    """What a black body of `kelvin` (1667 … 25000) does to linear R, G, B of a camera set to 6504 K.

    Its chromaticity on the Planckian locus (Kim et al. 2002, cubic splines) as linear sRGB, over that
    of 6504 K; luminance of white is kept. Float64 (3,).

    >>> light_gains(2856).round(2).tolist()
    [1.78, 0.85, 0.23]
    """
    gains = _planckian_rgb(kelvin) / _planckian_rgb(_DAYLIGHT_K)
    found: Array = gains / (gains @ _LUMINANCE)
    return found


def under_light_of(pictures: PictureArray, kelvin: float) -> PictureArray:
    """As a camera that is set to daylight takes them under a black body of `kelvin`."""
    found = np.empty_like(pictures)
    for channel, gain in enumerate(light_gains(kelvin)):
        found[..., channel] = _coded(_linear() * gain)[pictures[..., channel]]
    return found


def shaded(pictures: PictureArray, stops: float, seeds: Array) -> PictureArray:
    """A shadow that falls from one side, `stops` darker, its edge soft and near the middle.

    Direction, place and softness of the edge come from the picture's seed; half of the picture, more or
    less, lies in the shade.
    """
    height, width = pictures.shape[1:3]
    found = np.empty_like(pictures)
    linear, back = _linear().astype(np.float32), _fine_coded()
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    across, down = (columns + 0.5) / width - 0.5, (rows + 0.5) / height - 0.5
    for picture, one, into in zip(pictures, generators(seeds, "shade"), found, strict=True):
        angle, place, softness = one.uniform((0, -0.15, 0.05), (2 * np.pi, 0.15, 0.5))
        along = across * np.float32(np.cos(angle)) + down * np.float32(np.sin(angle)) - np.float32(place)
        into_shade = np.clip(along / np.float32(softness) + np.float32(0.5), 0.0, 1.0)
        into_shade *= into_shade * (
            np.float32(3.0) - np.float32(2.0) * into_shade
        )  # smooth at both ends
        light = linear[picture] * np.exp2(-np.float32(stops) * into_shade)[..., None]
        into[:] = back[(light * np.float32(_STEPS - 1)).astype(np.int32)]
    return found


def night(pictures: PictureArray, stops: float, seeds: Array) -> PictureArray:
    """`stops` less light, half of which the camera's gain wins back, with the noise that this brings.

    A white pixel catches 4000·2^-stops electrons: Poisson noise of light (by its normal limit), and a
    normal read noise of 3 electrons. Source of the model: EMVA standard 1288.
    """
    caught = (_linear() * _FULL_WELL * 2.0**-stops).astype(np.float32)
    noise = np.sqrt(caught + np.float32(_READ_NOISE**2))
    gain = np.float32(2.0 ** (stops / 2.0) / _FULL_WELL * (_STEPS - 1))
    found, back = np.empty_like(pictures), _fine_coded()
    for picture, one, into in zip(pictures, generators(seeds, "night"), found, strict=True):
        light = one.standard_normal(picture.shape, np.float32)
        light *= noise[picture]
        light += caught[picture]
        light *= gain
        into[:] = back[np.clip(light, 0.0, _STEPS - 1.0).astype(np.int32)]
    return found


@cache
def _linear() -> Array:
    """Linear light 0 … 1 of the 256 values."""
    coded = np.arange(256) / 255.0
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def _coded(light: Array) -> NDArray[np.uint8]:
    """Linear light as values 0 … 255; what is brighter than white is white."""
    light = np.clip(light, 0.0, 1.0)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1.0 / 2.4) - 0.055)
    return np.rint(255.0 * coded).astype(np.uint8)


@cache
def _fine_coded() -> NDArray[np.uint8]:
    """Values for 4096 equal steps of linear light, each at its middle."""
    return _coded((np.arange(_STEPS) + 0.5) / _STEPS)


def _through(pictures: PictureArray, table: NDArray[np.uint8]) -> PictureArray:
    found: PictureArray = table[pictures]
    return found


def _planckian_rgb(kelvin: float) -> Array:
    assert 1667 <= kelvin <= 25000, kelvin
    t = 1000.0 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    xyz = np.array([x / y, 1.0, (1.0 - x - y) / y])
    found: Array = np.maximum(_RGB_FROM_XYZ @ xyz, 0.0)
    return found


def _under_exposed(pictures: PictureArray, level: float, material: Material) -> Changed:
    return Changed(exposed(pictures, -level))


def _over_exposed(pictures: PictureArray, level: float, material: Material) -> Changed:
    return Changed(exposed(pictures, level))


def _bent(pictures: PictureArray, level: float, material: Material) -> Changed:
    return Changed(bent(pictures, level))


def _under_light(pictures: PictureArray, level: float, material: Material) -> Changed:
    return Changed(under_light_of(pictures, level))


def _shaded(pictures: PictureArray, level: float, material: Material) -> Changed:
    return Changed(shaded(pictures, level, material.seeds))


def _night(pictures: PictureArray, level: float, material: Material) -> Changed:
    return Changed(night(pictures, level, material.seeds))


_SRGB = "linear light by IEC 61966-2-1"
_PLANCK = "black body by Kim et al. 2002, a camera set to 6504 K"

LIGHT: tuple[Axis, ...] = (
    Axis("underexposure", "Underexposure", "light", "stops", (1, 2, 3, 4, 5), _under_exposed, _SRGB),
    Axis("overexposure", "Overexposure", "light", "stops", (0.5, 1, 1.5, 2, 3), _over_exposed, _SRGB),
    Axis("gamma-dark", "Gamma, darker", "light", "exponent", (1.25, 1.5, 2, 3, 4), _bent, "x^gamma"),
    Axis(
        "gamma-light",
        "Gamma, lighter",
        "light",
        "exponent",
        (0.8, 0.65, 0.5, 0.35, 0.25),
        _bent,
        "x^gamma",
    ),
    Axis(
        "warm-light", "Warm light", "light", "K", (5000, 4000, 3200, 2600, 2000), _under_light, _PLANCK
    ),
    Axis(
        "cold-light",
        "Cold light",
        "light",
        "K",
        (7500, 9000, 11000, 15000, 25000),
        _under_light,
        _PLANCK,
    ),
    Axis("shade", "Shade across the picture", "light", "stops", (1, 2, 3, 4, 5), _shaded, _SRGB),
    Axis("night", "Night", "light", "stops less light", (3, 5, 6, 7, 8), _night, "EMVA 1288; " + _SRGB),
)
"""Mild to harsh, each in its own unit."""

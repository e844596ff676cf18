"""The corruptions as axes of the stress card; their levels are the severities 1 … 5."""

from __future__ import annotations

from collections.abc import Mapping

from striate.stress.changes import Axis, Changed, Family, Material
from striate.stress.corruptions.apply import corrupt, corrupt_elastically
from striate.stress.corruptions.elastic import carriers
from striate.stress.corruptions.tables import (
    COMMON,
    EXTRA,
    PARAMETERS,
    CorruptionName,
    Parameters,
    ParameterSet,
)
from striate.types import PictureArray

__all__ = ["CORRUPTIONS", "EXTRA_CORRUPTIONS", "described_severities"]

_SOURCE = "Hendrycks & Dietterich 2019; constants of ImageNet-C, Tiny-ImageNet-C or CIFAR-10-C by size"

_FAMILIES: Mapping[CorruptionName, Family] = {
    "gaussian_noise": "noise",
    "shot_noise": "noise",
    "impulse_noise": "noise",
    "speckle_noise": "noise",
    "defocus_blur": "blur",
    "glass_blur": "blur",
    "motion_blur": "blur",
    "zoom_blur": "blur",
    "gaussian_blur": "blur",
    "snow": "weather",
    "frost": "weather",
    "fog": "weather",
    "brightness": "weather",
    "spatter": "weather",
    "contrast": "digital",
    "elastic_transform": "digital",
    "pixelate": "digital",
    "jpeg_compression": "digital",
    "saturate": "digital",
}

_TITLES: Mapping[CorruptionName, str] = {"jpeg_compression": "JPEG compression"}

_MAIN: Mapping[CorruptionName, tuple[str, int]] = {
    "gaussian_noise": ("standard deviation (white is 1)", 0),
    "shot_noise": ("photons of a white pixel", 0),
    "impulse_noise": ("share of values hit", 0),
    "speckle_noise": ("standard deviation, in proportion", 0),
    "defocus_blur": ("radius of the disc, px", 0),
    "glass_blur": ("pixels moved by up to, px", 1),
    "motion_blur": ("sigma of the trail, px", 1),
    "zoom_blur": ("zoom below", 0),
    "gaussian_blur": ("sigma, px", 0),
    "snow": ("mean of the noise that flakes are made of", 0),
    "frost": ("weight of the ice", 1),
    "fog": ("thickness of the veil (white is 1)", 0),
    "spatter": ("threshold of a drop", 3),
    "brightness": ("raised by (white is 1)", 0),
    "contrast": ("contrast left", 0),
    "saturate": ("saturation times", 0),
    "pixelate": ("scale between", 0),
    "jpeg_compression": ("quality", 0),
    "elastic_transform": ("shift, of the side", 0),
}
"""What the main constant of each means, and which of its parameters it is."""


def described_severities(name: CorruptionName, which: ParameterSet) -> tuple[str, tuple[float, ...]]:
    """What the main constant of a corruption means, and its value at severities 1 … 5.

    >>> described_severities("jpeg_compression", "imagenet")
    ('quality', (25, 18, 15, 10, 7))
    """
    meaning, place = _MAIN[name]
    values: tuple[Parameters, ...] = PARAMETERS[which][name]
    return meaning, tuple(one[place] for one in values)


def _axis(name: CorruptionName) -> Axis:
    def change(pictures: PictureArray, level: float, material: Material) -> Changed:
        # one thread: whoever measures has a worker for each core already
        severity, seeds = round(level), material.seeds
        if name == "elastic_transform":
            changed, found = corrupt_elastically(pictures, severity, seeds, threads=1)
            return Changed(changed, carriers(found))
        return Changed(corrupt(pictures, name, severity, seeds, threads=1))

    title = _TITLES.get(name, name.replace("_", " ").capitalize())
    return Axis(name, title, _FAMILIES[name], "severity", (1.0, 2.0, 3.0, 4.0, 5.0), change, _SOURCE)


CORRUPTIONS: tuple[Axis, ...] = tuple(_axis(name) for name in COMMON)
"""The fifteen of the benchmark, in its order."""

EXTRA_CORRUPTIONS: tuple[Axis, ...] = tuple(_axis(name) for name in EXTRA)
"""Four more."""

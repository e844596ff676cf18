"""What a severity means: the constants of ImageNet-C, Tiny-ImageNet-C and CIFAR-10-C, and which to use.

Source: D. Hendrycks, T. Dietterich, "Benchmarking neural network robustness to common corruptions and
perturbations", ICLR 2019, and the code that made its data sets (make_imagenet_c.py,
make_tinyimagenet_c.py, make_cifar_c.py). Two corruptions of the photo set follow the later package
`imagecorruptions` (Michaelis et al. 2019), which extends them to any size: `elastic_transform`, whose
constants there are fractions of the picture, and `pixelate`, which enlarges by repeating pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias, get_args

from striate.types import SizeHW

__all__ = [
    "COMMON",
    "EXTRA",
    "NAMES",
    "PARAMETERS",
    "CorruptionName",
    "ParameterSet",
    "Parameters",
    "parameter_set_of",
]

CommonName: TypeAlias = Literal[
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "frost",
    "fog",
    "brightness",
    "contrast",
    "elastic_transform",
    "pixelate",
    "jpeg_compression",
]
ExtraName: TypeAlias = Literal["speckle_noise", "gaussian_blur", "spatter", "saturate"]
CorruptionName: TypeAlias = CommonName | ExtraName

COMMON: tuple[CorruptionName, ...] = get_args(CommonName)
"""The fifteen of the benchmark, over which mCE is a mean."""

EXTRA: tuple[CorruptionName, ...] = get_args(ExtraName)
"""Four more, kept for tuning, so that the fifteen stay unseen."""

NAMES: tuple[CorruptionName, ...] = (*COMMON, *EXTRA)

ParameterSet: TypeAlias = Literal["imagenet", "tiny-imagenet", "cifar"]
"""Made for squares of 224, 64 and 32 pixels."""

Parameters: TypeAlias = tuple[float, ...]
Five: TypeAlias = tuple[Parameters, Parameters, Parameters, Parameters, Parameters]

_SIDES: Mapping[ParameterSet, int] = {"cifar": 32, "tiny-imagenet": 64, "imagenet": 224}


def parameter_set_of(size_hw: SizeHW) -> ParameterSet:
    """The set made for the size nearest in ratio: by √(h·w), with limits at 45.3 and 119.7 pixels."""
    side = math.sqrt(size_hw[0] * size_hw[1])
    return min(_SIDES, key=lambda name: abs(math.log(side / _SIDES[name])))


def _one(a: float, b: float, c: float, d: float, e: float) -> Five:
    return ((a,), (b,), (c,), (d,), (e,))


class _BySet(NamedTuple):
    """The constants of one corruption in each data set."""

    imagenet: Five
    tiny: Five
    cifar: Five


_ZOOMS: Five = ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01))
_BRIGHTER, _FLATTER = _one(0.1, 0.2, 0.3, 0.4, 0.5), _one(0.4, 0.3, 0.2, 0.1, 0.05)


def _snow(a: float, b: float, c: float, d: float, e: float) -> Five:
    """On small pictures: only how much of the picture stays differs between the two sets."""
    return (
        (0.1, 0.2, 1, 0.6, 8, 3, a),
        (0.1, 0.2, 1, 0.5, 10, 4, b),
        (0.15, 0.3, 1.75, 0.55, 10, 4, c),
        (0.25, 0.3, 2.25, 0.6, 12, 6, d),
        (0.3, 0.3, 1.25, 0.65, 14, 12, e),
    )


_CONSTANTS: Mapping[CorruptionName, _BySet] = {
    "gaussian_noise": _BySet(
        _one(0.08, 0.12, 0.18, 0.26, 0.38),
        _one(0.04, 0.08, 0.12, 0.15, 0.18),
        _one(0.04, 0.06, 0.08, 0.09, 0.10),
    ),
    "shot_noise": _BySet(
        _one(60, 25, 12, 5, 3), _one(250, 100, 50, 30, 15), _one(500, 250, 100, 75, 50)
    ),
    "impulse_noise": _BySet(
        _one(0.03, 0.06, 0.09, 0.17, 0.27),
        _one(0.01, 0.02, 0.05, 0.08, 0.14),
        _one(0.01, 0.02, 0.03, 0.05, 0.07),
    ),
    "speckle_noise": _BySet(
        _one(0.15, 0.2, 0.35, 0.45, 0.6),
        _one(0.15, 0.2, 0.25, 0.3, 0.35),
        _one(0.06, 0.1, 0.12, 0.16, 0.2),
    ),
    "gaussian_blur": _BySet(
        _one(1, 2, 3, 4, 6), _one(0.5, 0.75, 1, 1.25, 1.5), _one(0.4, 0.6, 0.7, 0.8, 1)
    ),
    "glass_blur": _BySet(
        ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
        ((0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)),
        ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
    ),
    "defocus_blur": _BySet(
        ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        ((0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1)),
        ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
    ),
    "motion_blur": _BySet(
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        ((10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)),
        ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
    ),
    "zoom_blur": _BySet(
        ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)), _ZOOMS, _ZOOMS
    ),
    "fog": _BySet(
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
        ((0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75)),
        ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
    ),
    "frost": _BySet(
        ((1, 0.4, 1), (0.8, 0.6, 1), (0.7, 0.7, 1), (0.65, 0.7, 1), (0.6, 0.75, 1)),
        ((1, 0.3, 0.3), (0.9, 0.4, 0.3), (0.8, 0.45, 0.3), (0.75, 0.5, 0.3), (0.7, 0.55, 0.3)),
        ((1, 0.2, 0.2), (1, 0.3, 0.2), (0.9, 0.4, 0.2), (0.85, 0.4, 0.2), (0.75, 0.45, 0.2)),
    ),
    "snow": _BySet(
        (
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
        _snow(0.8, 0.8, 0.7, 0.65, 0.6),
        _snow(0.95, 0.9, 0.9, 0.85, 0.8),
    ),
    "spatter": _BySet(
        (
            (0.65, 0.3, 4, 0.69, 0.6, 0),
            (0.65, 0.3, 3, 0.68, 0.6, 0),
            (0.65, 0.3, 2, 0.68, 0.5, 0),
            (0.65, 0.3, 1, 0.65, 1.5, 1),
            (0.67, 0.4, 1, 0.65, 1.5, 1),
        ),
        (
            (0.62, 0.1, 0.7, 0.7, 0.6, 0),
            (0.65, 0.1, 0.8, 0.7, 0.6, 0),
            (0.65, 0.3, 1, 0.69, 0.6, 0),
            (0.65, 0.1, 0.7, 0.68, 0.6, 1),
            (0.65, 0.1, 0.5, 0.67, 0.6, 1),
        ),
        (
            (0.62, 0.1, 0.7, 0.7, 0.5, 0),
            (0.65, 0.1, 0.8, 0.7, 0.5, 0),
            (0.65, 0.3, 1, 0.69, 0.5, 0),
            (0.65, 0.1, 0.7, 0.69, 0.6, 1),
            (0.65, 0.1, 0.5, 0.68, 0.6, 1),
        ),
    ),
    "brightness": _BySet(_BRIGHTER, _BRIGHTER, _one(0.05, 0.1, 0.15, 0.2, 0.3)),
    "contrast": _BySet(_FLATTER, _FLATTER, _one(0.75, 0.5, 0.4, 0.3, 0.15)),
    "saturate": _BySet(
        ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
        ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (30, 0.2)),
        ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
    ),
    "jpeg_compression": _BySet(
        _one(25, 18, 15, 10, 7), _one(65, 58, 50, 40, 25), _one(80, 65, 58, 50, 40)
    ),
    "pixelate": _BySet(
        _one(0.6, 0.5, 0.4, 0.3, 0.25), _one(0.9, 0.8, 0.7, 0.6, 0.5), _one(0.95, 0.9, 0.85, 0.75, 0.65)
    ),
    # (shift, smoothness, affine): in pixels, and for photos as fractions of the sides
    "elastic_transform": _BySet(
        (
            (12.5 * 0.005, 0.01, 0),
            (16.25 * 0.005, 0.01, 0),
            (21.25 * 0.005, 0.01, 0),
            (25.0 * 0.005, 0.01, 0),
            (30.0 * 0.005, 0.01, 0),
        ),
        ((0, 0, 0.08), (0.05, 0.3, 0.06), (0.1, 0.08, 0.06), (0.1, 0.03, 0.03), (0.16, 0.03, 0.02)),
        ((0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)),
    ),
}

PARAMETERS: Mapping[ParameterSet, Mapping[CorruptionName, Five]] = {
    "imagenet": {name: one.imagenet for name, one in _CONSTANTS.items()},
    "tiny-imagenet": {name: one.tiny for name, one in _CONSTANTS.items()},
    "cifar": {name: one.cifar for name, one in _CONSTANTS.items()},
}
"""The constants of each corruption at severities 1 … 5, as its function takes them."""

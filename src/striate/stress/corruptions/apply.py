"""`corrupt`: any corruption on any batch, in pieces that fit the cache, on all processors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from striate.cores import usable_cores
from striate.errors import UnknownNameError, UsageError
from striate.stress.corruptions import blur, digital, noise, weather
from striate.stress.corruptions.chance import Chance, generators
from striate.stress.corruptions.elastic import Deformation, deform, deformations
from striate.stress.corruptions.tables import (
    NAMES,
    PARAMETERS,
    CorruptionName,
    Parameters,
    ParameterSet,
    parameter_set_of,
)
from striate.types import Array, PictureArray, SizeHW

__all__ = ["corrupt", "corrupt_elastically", "elastic_deformations"]

_PIECE = 1 << 18  # values of a piece: its float32 working copies stay within the second-level cache
_MOST_THREADS = 8

_Function = Callable[[PictureArray, Parameters, Chance], PictureArray]

_FUNCTIONS: Mapping[CorruptionName, _Function] = {
    "gaussian_noise": noise.gaussian_noise,
    "shot_noise": noise.shot_noise,
    "impulse_noise": noise.impulse_noise,
    "speckle_noise": noise.speckle_noise,
    "gaussian_blur": blur.gaussian_blur,
    "defocus_blur": blur.defocus_blur,
    "glass_blur": blur.glass_blur,
    "motion_blur": blur.motion_blur,
    "zoom_blur": blur.zoom_blur,
    "snow": weather.snow,
    "frost": weather.frost,
    "fog": weather.fog,
    "spatter": weather.spatter,
    "brightness": digital.brightness,
    "contrast": digital.contrast,
    "saturate": digital.saturate,
    "pixelate": digital.pixelate,
    "jpeg_compression": digital.jpeg_compression,
}


def corrupt(
    pictures: PictureArray,
    name: CorruptionName,
    severity: int,
    seeds: Array,
    *,
    parameters: ParameterSet | None = None,
    threads: int | None = None,
) -> PictureArray:
    """`pictures` uint8 (B, h, w, 3) of any size, corrupted; new, of the same shape.

    `severity` 1 … 5. `seeds` int64 (B,): one a picture, the only source of chance: the same seed gives
    the same noise pattern at every severity, and the batch changes nothing. `parameters`: whose
    constants; by default those of the size nearest to √(h·w) among 32 (CIFAR-10-C), 64
    (Tiny-ImageNet-C) and 224 pixels (ImageNet-C). `threads`: at most; by default one for each core that
    this process may run on, up to 8. They change nothing but the time. Raises `UsageError` for what
    cannot be.
    """
    which = _checked(pictures, name, severity, seeds, parameters)
    if name == "elastic_transform":
        return _elastic(pictures, severity, seeds, which, threads)
    constants, function = PARAMETERS[which][name][severity - 1], _FUNCTIONS[name]
    return _in_pieces(
        lambda some, some_seeds: function(some, constants, generators(some_seeds, name)),
        pictures,
        seeds,
        threads,
    )


def corrupt_elastically(
    pictures: PictureArray, severity: int, seeds: Array, *, threads: int | None = None
) -> tuple[PictureArray, list[Deformation]]:
    """`corrupt(…, "elastic_transform", …)`, and what it did to places: each drawn once."""
    which = _checked(pictures, "elastic_transform", severity, seeds, None)
    size_hw = pictures.shape[1], pictures.shape[2]
    found = elastic_deformations(size_hw, severity, seeds, parameters=which)

    def change(some: PictureArray, rows: Array) -> PictureArray:
        return deform(some, [found[row] for row in rows])

    return _in_pieces(change, pictures, np.arange(len(pictures)), threads), found


def elastic_deformations(
    size_hw: SizeHW, severity: int, seeds: Array, *, parameters: ParameterSet | None = None
) -> list[Deformation]:
    """What `corrupt(…, "elastic_transform", …)` does to places, one a seed."""
    which = parameters or parameter_set_of(size_hw)
    constants = PARAMETERS[which]["elastic_transform"][severity - 1]
    return deformations(size_hw, constants, which, generators(seeds, "elastic_transform"))


def _elastic(
    pictures: PictureArray, severity: int, seeds: Array, which: ParameterSet, threads: int | None
) -> PictureArray:
    """Deformations are drawn a piece at a time: of many pictures at once they are much memory."""
    size_hw = pictures.shape[1], pictures.shape[2]

    def change(some: PictureArray, some_seeds: Array) -> PictureArray:
        return deform(some, elastic_deformations(size_hw, severity, some_seeds, parameters=which))

    return _in_pieces(change, pictures, seeds, threads)


def _in_pieces(
    change: Callable[[PictureArray, Array], PictureArray],
    pictures: PictureArray,
    each_has: Array,
    threads: int | None,
) -> PictureArray:
    """`change` on a few pictures at a time, side by side: NumPy and OpenCV let go of the lock.

    `each_has` (B,): what it is given beside each picture, such as its seed.
    """
    found = np.empty_like(pictures)
    each = max(1, _PIECE // pictures[0].size) if len(pictures) else 1
    starts = range(0, len(pictures), each)

    def one(start: int) -> None:
        piece = slice(start, start + each)
        found[piece] = change(np.ascontiguousarray(pictures[piece]), each_has[piece])

    side_by_side = min(len(starts) - 1, threads or min(usable_cores(), _MOST_THREADS))
    alone = starts[:1] if side_by_side > 1 else starts  # the first fills the tables that others share
    for start in alone:
        one(start)
    if side_by_side > 1:
        with ThreadPoolExecutor(side_by_side) as pool:
            list(pool.map(one, starts[1:]))
    return found


def _checked(
    pictures: PictureArray,
    name: CorruptionName,
    severity: int,
    seeds: Array,
    parameters: ParameterSet | None,
) -> ParameterSet:
    if name not in NAMES:
        raise UnknownNameError("corruption", name, NAMES)
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] != 3:
        raise UsageError(
            f"pictures are {pictures.dtype} {pictures.shape}", expected="uint8 (B, h, w, 3), RGB"
        )
    if 0 in pictures.shape[1:]:
        raise UsageError(f"pictures of {pictures.shape[1:3]} pixels", expected="at least 1 × 1")
    if severity not in range(1, 6):
        raise UsageError(f"severity {severity}", expected="a whole number from 1 to 5")
    if np.shape(seeds) != pictures.shape[:1]:
        raise UsageError(
            f"{len(pictures)} pictures, seeds of shape {np.shape(seeds)}", expected="one seed a picture"
        )
    if parameters is not None and parameters not in PARAMETERS:
        raise UnknownNameError("parameter set", parameters, PARAMETERS)
    return parameters or parameter_set_of((pictures.shape[1], pictures.shape[2]))

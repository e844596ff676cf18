"""The one resize, used in training and in use, and the three ways to make a picture fit a network.

Coordinates are continuous: (0, 0) is the top-left corner of the picture, the centre of its first
pixel is (0.5, 0.5), its far corner is (H, W).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from PIL import Image

from striate.errors import UnknownNameError
from striate.types import Array, Picture, Prepared, SizeHW, check_picture

__all__ = ["PAD_GREY", "Fit", "Resample", "fit", "resize"]

Resample: TypeAlias = Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]
Fit: TypeAlias = Literal["crop", "pad", "squash"]

FILTERS: dict[str, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

PAD_GREY = 127
"""The grey around a padded picture: the middle of the range, so it carries the least signal."""

REDUCING_GAP = 3.0
"""Over six times smaller, whole blocks of pixels are averaged first: three times faster on 12
megapixels, and within the rounding of the plain filter on photographs (Pillow's own advice)."""

Box: TypeAlias = tuple[float, float, float, float]


def resize(picture: Picture, size_hw: SizeHW, *, how: Resample = "bilinear") -> Picture:
    """`picture`, uint8 (H, W, 3), as uint8 (h, w, 3), antialiased with every filter but "nearest".

    The picture itself, not a copy, where the size is already right. A `ValueError` for a size below
    1 × 1, an `UnknownNameError` for an unknown filter.
    """
    check_picture(picture)
    if picture.shape[:2] == tuple(size_hw) and how in FILTERS:
        return picture
    return _resized(picture, size_hw, how, None)


def fit(
    picture: Picture, size_hw: SizeHW, *, how: Fit = "crop", resample: Resample = "bilinear"
) -> Prepared:
    """`picture`, uint8 (H, W, 3), made `size_hw`, and where its points went.

    "crop" covers the size and cuts the longer side equally at both ends; "pad" shows the whole
    picture, centred on grey 127; "squash" stretches it. Aspect is kept by "crop" exactly and by "pad"
    to within half a pixel. `Prepared.scale_yx` and `offset_yx` are exact for what was drawn.
    """
    if how not in FITS:
        raise UnknownNameError("way to fit", how, FITS)
    _check_size(size_hw)
    check_picture(picture)
    return FITS[how](picture, size_hw, resample)


def _squash(picture: Picture, size_hw: SizeHW, resample: Resample) -> Prepared:
    stored = _size(picture)
    scale_yx = (size_hw[0] / stored[0], size_hw[1] / stored[1])
    return Prepared(resize(picture, size_hw, how=resample), stored, scale_yx, (0.0, 0.0))


def _crop(picture: Picture, size_hw: SizeHW, resample: Resample) -> Prepared:
    stored = _size(picture)
    scale = max(size_hw[0] / stored[0], size_hw[1] / stored[1])
    kept = [min(out / scale, float(side)) for out, side in zip(size_hw, stored, strict=True)]
    top, left = ((side - keep) / 2 for keep, side in zip(kept, stored, strict=True))
    box = (left, top, min(left + kept[1], stored[1]), min(top + kept[0], stored[0]))
    pixels = picture if stored == size_hw else _resized(picture, size_hw, resample, box)
    return Prepared(pixels, stored, (scale, scale), (-top * scale, -left * scale))


def _pad(picture: Picture, size_hw: SizeHW, resample: Resample) -> Prepared:
    stored = _size(picture)
    scale = min(size_hw[0] / stored[0], size_hw[1] / stored[1])
    inner = (max(1, round(stored[0] * scale)), max(1, round(stored[1] * scale)))
    top, left = (size_hw[0] - inner[0]) // 2, (size_hw[1] - inner[1]) // 2
    small = resize(picture, inner, how=resample)
    scale_yx = (inner[0] / stored[0], inner[1] / stored[1])
    if inner == size_hw:
        return Prepared(small, stored, scale_yx, (0.0, 0.0))
    pixels = np.full((*size_hw, 3), PAD_GREY, np.uint8)
    pixels[top : top + inner[0], left : left + inner[1]] = small
    return Prepared(pixels, stored, scale_yx, (float(top), float(left)))


FITS = {"crop": _crop, "pad": _pad, "squash": _squash}


def _resized(picture: Picture, size_hw: SizeHW, how: Resample, box: Box | None) -> Picture:
    if how not in FILTERS:
        raise UnknownNameError("resize filter", how, FILTERS)
    _check_size(size_hw)
    gap = None if how == "nearest" else REDUCING_GAP
    image = Image.fromarray(picture).resize(size_hw[::-1], FILTERS[how], box=box, reducing_gap=gap)
    found: Array = np.frombuffer(image.tobytes(), np.uint8)
    return found.reshape(*size_hw, 3).copy()  # (h, w, 3); a copy, to be writable


def _check_size(size_hw: SizeHW) -> None:
    if min(size_hw) < 1:
        raise ValueError(f"size_hw is {size_hw}; expected height and width of at least 1 pixel")


def _size(picture: Picture) -> SizeHW:
    return int(picture.shape[0]), int(picture.shape[1])

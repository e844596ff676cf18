"""Brightness, contrast, saturation, large pixels and JPEG."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from striate.errors import MachineError
from striate.features.opencv import cv2_module
from striate.stress.corruptions.chance import Chance
from striate.stress.corruptions.finish import floored
from striate.stress.corruptions.tables import Parameters
from striate.types import Picture, PictureArray

__all__ = ["brightness", "contrast", "jpeg", "jpeg_compression", "pixelate", "saturate"]

_WHOLE = 1e-6  # a quotient just below a whole number is that number


def brightness(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """The V of HSV raised, hue and saturation kept. Parameters: by how much (white is 1)."""
    table = _brighter(parameters[0])
    highest = _highest(pictures).astype(np.uint16)
    places = (highest << np.uint16(8))[..., None] | pictures
    found: PictureArray = table[places]
    return found


def contrast(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """Values drawn towards the mean of their channel. Parameters: what is left of the difference."""
    cv2 = cv2_module()
    share = parameters[0]
    area = pictures.shape[1] * pictures.shape[2]
    found = np.empty_like(pictures)
    values = np.arange(256, dtype=np.float64)
    for picture, into in zip(pictures, found, strict=True):
        means = np.array(cv2.sumElems(picture)[:3]) / area
        table = ((values[:, None] - means) * share + means + _WHOLE).astype(np.uint8)
        cv2.LUT(picture, table[None], into)
    return found


def saturate(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """The S of HSV scaled and raised. Parameters: by what, and by how much. A grey counts as red."""
    scale, raised = parameters
    highest, lowest = _highest(pictures), _lowest(pictures)
    gain, rest = _saturations(scale, raised)
    places = (highest.astype(np.uint16) << np.uint16(8)) | lowest
    top = highest.astype(np.float32)[..., None]
    values = top - (top - pictures) * gain[places][..., None]
    grey = highest == lowest
    if raised and grey.any():
        values[grey, 1:] = rest[highest[grey]][:, None]
    return floored(values)


def pixelate(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """Shrunk by areas and enlarged again by repeating pixels. Parameters: the scale between."""
    from PIL import Image

    height, width = pictures.shape[1:3]
    small = (max(1, int(width * parameters[0])), max(1, int(height * parameters[0])))
    found = np.empty_like(pictures)
    for picture, into in zip(pictures, found, strict=True):
        shrunk = Image.fromarray(picture).resize(small, Image.Resampling.BOX)
        into[:] = shrunk.resize((width, height), Image.Resampling.NEAREST)
    return found


def jpeg_compression(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """Written as JPEG and read again, colours at half resolution. Parameters: quality, 1 … 100."""
    return np.stack([jpeg(picture, int(parameters[0])) for picture in pictures])


def jpeg(picture: Picture, quality: int) -> Picture:
    """`picture` after JPEG of `quality` 1 … 100 (libjpeg's scale), chroma 4:2:0."""
    cv2 = cv2_module()
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    done, coded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise MachineError(
            f"OpenCV could not write a picture of {picture.shape[1]} × {picture.shape[0]} as JPEG",
            expected="an OpenCV built with JPEG, and sides of at most 65500 pixels",
        )
    found: Picture = cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return found


def _highest(pictures: PictureArray) -> PictureArray:
    return np.maximum(np.maximum(pictures[..., 0], pictures[..., 1]), pictures[..., 2])


def _lowest(pictures: PictureArray) -> PictureArray:
    return np.minimum(np.minimum(pictures[..., 0], pictures[..., 1]), pictures[..., 2])


@cache
def _brighter(raised: float) -> NDArray[np.uint8]:
    """For 256·V + x: what becomes of a channel x of a colour whose highest is V. Uint8 (65536,)."""
    highest = np.arange(256.0)[:, None]
    wanted = np.minimum(highest + 255.0 * raised, 255.0)
    channel = np.arange(256.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(highest > 0, channel * wanted / highest, wanted)
    return (np.minimum(found, 255.0) + _WHOLE).astype(np.uint8).reshape(-1)


@cache
def _saturations(scale: float, raised: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(new by old saturation for 256·V + lowest; the lower channels of a grey V)."""
    highest, lowest = np.arange(256.0)[:, None], np.arange(256.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        old = (highest - lowest) / highest
        gain = np.clip(old * scale + raised, 0.0, 1.0) / old
    gain[~np.isfinite(gain)] = 0.0
    rest = highest[:, 0] * (1.0 - min(max(raised, 0.0), 1.0))
    return gain.astype(np.float32).reshape(-1), rest.astype(np.float32)

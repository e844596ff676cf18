"""What is needed of every picture to compare it with all others: a small grey thumb, a hash, a size."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.cores import usable_cores
from striate.data.dataset import Origin, Record
from striate.data.origins import FileOrigin
from striate.errors import PictureError
from striate.pictures.read import probe, read
from striate.pictures.resize import Resample, resize
from striate.types import Array, Picture, SizeHW

__all__ = ["THUMB", "Signature", "sign", "thumb_of"]

THUMB = 32
DECODE_HW: SizeHW = (64, 64)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as in JPEG
CHUNK = 64


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """One picture as `sign` saw it.

    `thumb`: uint8 (32, 32), grey. `content`: sha256 of what is stored. `size_hw`: the upright picture,
    pixels. `stored_as`: format and mode, such as "JPEG L"; "array" for embedded sets. `frames`: pictures
    in an animation.
    """

    thumb: Array
    content: str
    size_hw: SizeHW
    stored_as: str
    frames: int


def sign(
    records: Sequence[Record[Any]], *, on_progress: Callable[[int], None] | None = None
) -> list[Signature | PictureError]:
    """A signature a record, decoded at reduced size; the error in place of one that cannot be read.

    `on_progress` is told how many are done.
    """
    found: list[Signature | PictureError] = []
    chunks = [records[i : i + CHUNK] for i in range(0, len(records), CHUNK)]
    with ThreadPoolExecutor(usable_cores(), "striate-sign") as pool:
        for part in pool.map(_sign_chunk, chunks):
            found += part
            if on_progress is not None:
                on_progress(len(found))
    return found


def _sign_chunk(records: Sequence[Record[Any]]) -> list[Signature | PictureError]:
    return list(_signed(records))


def _signed(records: Sequence[Record[Any]]) -> Iterator[Signature | PictureError]:
    for record in records:
        try:
            yield _signature(record.origin)
        except PictureError as error:
            yield error


def _signature(origin: Origin) -> Signature:
    if not isinstance(origin, FileOrigin):
        picture = origin.read()
        size_hw = (picture.shape[0], picture.shape[1])
        return Signature(thumb_of(picture), origin.content_hash(), size_hw, "array", 1)
    data = origin.stored()
    info = probe(data, name=origin.path)
    thumb = thumb_of(read(data, at_least_hw=DECODE_HW, name=origin.path))
    stored_as = f"{info.format} {info.mode}"
    return Signature(thumb, hashlib.sha256(data).hexdigest(), info.size_hw, stored_as, info.frames)


def thumb_of(picture: Picture) -> Array:
    """`picture` as uint8 (32, 32), grey: the mean over each cell, interpolated where it is smaller."""
    how: Resample = "box" if min(picture.shape[:2]) >= THUMB else "bilinear"
    grey: Array = np.rint(resize(picture, (THUMB, THUMB), how=how) @ LUMA)
    return grey.astype(np.uint8)

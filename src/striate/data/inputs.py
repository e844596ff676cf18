"""The size and kind of a network's input, from what the training pictures look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator

from striate.data.dataset import Record
from striate.errors import PictureError
from striate.types import SizeHW

__all__ = [
    "Columns",
    "Fit",
    "Glance",
    "SizeText",
    "choose_fit",
    "choose_size",
    "columns_from_text",
    "glance",
    "size_from_text",
    "text_from_size",
]

Fit = Literal["crop", "pad", "squash"]
"""The ways of `striate.pictures.resize`, spelt here so that settings load without Pillow."""

_DENSE = ("pixels-linear", "pixels-mlp", "deck-cnn")
"""Networks whose first dense layer grows with the area of the picture."""
_OWN = ("auto", "small-cnn", *_DENSE)
"""Networks that take any size, however small; all others were designed for 224 px."""
_SMALL, _MIDDLE, _LARGE = 64, 128, 224
_GREY_TOLERANCE = 2  # levels by which JPEG may tint a grey pixel


def text_from_size(value: object) -> object:
    """`64`, `"64"`, `"48x64"` or `(48, 64)` as canonical text; a `ValueError` for anything else.

    >>> text_from_size(64), text_from_size("48 x 64"), text_from_size((48, 64))
    ('64', '48x64', '48x64')
    """
    if value is None:
        return None
    sides = value if isinstance(value, list | tuple) else re.split(r"\s*[x×,]\s*", str(value).strip())
    numbers = [int(str(side)) for side in sides if re.fullmatch(r"\d{1,5}", str(side))]
    if (
        len(numbers) != len(sides)
        or len(sides) not in (1, 2)
        or not all(1 <= n <= 4096 for n in numbers)
    ):
        raise ValueError("pixels: one number for a square, or HEIGHTxWIDTH such as 48x64, 1 to 4096")
    return "x".join(str(number) for number in numbers)


def size_from_text(text: str) -> SizeHW:
    """Height and width that `text_from_size` wrote.

    >>> size_from_text("64"), size_from_text("48x64")
    ((64, 64), (48, 64))
    """
    sides = [int(side) for side in text.split("x")]
    return sides[0], sides[-1]


def columns_from_text(value: object) -> object:
    """`"yaw, pitch"` or `["yaw", "pitch"]` as a tuple of column names.

    >>> columns_from_text("yaw, pitch")
    ('yaw', 'pitch')
    """
    if value is None:
        return ()
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        return value  # for validation to refuse
    return tuple(name.strip() for part in parts for name in part.split(",") if name.strip())


SizeText = Annotated[str | None, BeforeValidator(text_from_size)]
Columns = Annotated[tuple[str, ...], BeforeValidator(columns_from_text)]


@dataclass(frozen=True, slots=True)
class Glance:
    """What a sample of pictures looks like.

    `sizes_hw`: one a picture, pixels, exact up to 128 and not below 129 beyond; `grey`: none has
    a colour.
    """

    sizes_hw: tuple[SizeHW, ...]
    grey: bool


def glance(records: Sequence[Record[Any]], *, most: int = 100) -> Glance:
    """Look at up to `most` pictures, spread evenly over `records`; unreadable ones are passed over."""
    rows = np.unique(np.linspace(0, len(records) - 1, min(most, len(records))).round().astype(int))
    sizes: list[SizeHW] = []
    grey = True
    for row in rows:
        try:
            picture = records[row].origin.read((_MIDDLE + 1, _MIDDLE + 1))
        except PictureError:
            continue  # reported where all pictures are read
        sizes.append((picture.shape[0], picture.shape[1]))
        if grey:
            grey = int(np.ptp(picture, axis=2).max()) <= _GREY_TOLERANCE
    return Glance(tuple(sizes), grey and bool(sizes))


def choose_size(model: str, sizes_hw: Sequence[SizeHW]) -> SizeHW:
    """Height and width of the input of `model` for pictures of `sizes_hw`.

    Networks of our own, and hand-made features, take small pictures (median sides up to 64) as they
    are, not square if the pictures are not. Larger ones become a square: 64 px where the first layer is
    dense, else 128 but never more than the median shorter side. Other networks get the 224 px they were
    designed for.

    >>> choose_size("small-cnn", [(28, 28)] * 9), choose_size("small-cnn", [(480, 640)])
    ((28, 28), (128, 128))
    >>> choose_size("resnet152", [(28, 28)])
    (224, 224)
    """
    name = model.replace("_", "-")
    hand_made = "+" in name
    if name not in _OWN and not hand_made:
        return _LARGE, _LARGE
    # pixels+svm has a weight for every pixel too
    largest = _SMALL if name in _DENSE or name.startswith("pixels+") else _MIDDLE
    if not sizes_hw:
        return largest, largest
    height, width = (round(float(side)) for side in np.median(np.asarray(sizes_hw), axis=0))
    if max(height, width) <= _SMALL:
        return height, width
    side = int(np.clip(min(height, width), _SMALL, largest))
    return side, side


def choose_fit(sizes_hw: Sequence[SizeHW], size_hw: SizeHW) -> Fit:
    """How pictures are brought to `size_hw`: "crop", or "pad" if that would lose half of most.

    >>> choose_fit([(480, 640)], (128, 128)), choose_fit([(200, 900)], (128, 128))
    ('crop', 'pad')
    """
    if not sizes_hw:
        return "crop"
    aspects = np.asarray([width / height for height, width in sizes_hw]) / (size_hw[1] / size_hw[0])
    kept = np.median(np.minimum(aspects, 1 / aspects))
    return "crop" if kept > 0.5 else "pad"

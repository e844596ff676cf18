"""The nouns that every floor shares. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "SPLITS",
    "Array",
    "Picture",
    "PictureArray",
    "Prepared",
    "Problem",
    "SizeHW",
    "Split",
    "check_picture",
]

Array: TypeAlias = NDArray[Any]
PictureArray: TypeAlias = NDArray[np.uint8]
Picture: TypeAlias = NDArray[np.uint8]
"""A picture at rest: uint8 (H, W, 3), RGB, sRGB, EXIF orientation already applied."""

SizeHW: TypeAlias = tuple[int, int]
"""Height and width, in this order, in pixels."""

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A network input, and how to undo what was done to the picture.

    `pixels`: uint8 (h, w, 3) RGB, the array that enters the graph.
    `size_hw`: height and width of the original picture, pixels.
    `scale_yx`, `offset_yx`: a point (y, x) of the original lies at
    `(y * scale_yx[0] + offset_yx[0], x * scale_yx[1] + offset_yx[1])` of the input.
    """

    pixels: PictureArray
    size_hw: SizeHW
    scale_yx: tuple[float, float] = (1.0, 1.0)
    offset_yx: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a data set: what, where, why it matters, and how to mend it.

    `severity`: "error" must be mended or left out, "warning" hurts the result, "note" is for
    information. `kind` is a short fixed word for machines ("unreadable", "exact-duplicate", …).
    `key` names the record or file (relative), `others` the further ones concerned.
    """

    kind: str
    severity: Literal["error", "warning", "note"]
    key: str
    reason: str
    repair: str
    line: int | None = None
    others: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        found: dict[str, object] = {
            "kind": self.kind,
            "severity": self.severity,
            "file": self.key,
            "reason": self.reason,
            "repair": self.repair,
        }
        if self.line is not None:
            found["line"] = self.line
        if self.others:
            found["others"] = list(self.others)
        return found


def check_picture(picture: Array, *, name: str = "picture") -> Picture:
    """`picture` itself if it is uint8 (H, W, 3) with H, W >= 1; otherwise a `TypeError`/`ValueError`.

    Use at public entrances only; inside, the type is the promise.
    """
    if not isinstance(picture, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array uint8 (H, W, 3), got {type(picture).__name__}")
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise ValueError(
            f"{name}: expected uint8 (H, W, 3) with H, W >= 1, got {picture.dtype} {picture.shape}; "
            "pictures.read() returns this form for any file"
        )
    return picture


Metrics: TypeAlias = Mapping[str, Any]
"""What a meter computes: JSON-ready names to numbers, lists and nested mappings."""

"""Key points: find them with any detector, describe them with any descriptor.

Pictures with a longer side than 1600 pixels are looked at scaled down to it (`plane.WORK_SIDE`); what
is found is always in the original picture's pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from striate.errors import UnknownNameError
from striate.features.blobs import dog, log
from striate.features.corners import harris, shi_tomasi
from striate.features.describing import DESCRIPTORS, describe, is_binary
from striate.features.native import akaze, brisk, fast, kaze, orb, sift
from striate.features.points import Keypoints
from striate.features.regions import mser_points
from striate.types import Picture

__all__ = ["DESCRIPTORS", "DETECTORS", "Keypoints", "describe", "detect", "is_binary"]

DETECTORS: Mapping[str, Callable[[Picture], Keypoints]] = {
    "sift": sift,
    "dog": dog,
    "log": log,
    "harris": harris,
    "shi-tomasi": shi_tomasi,
    "mser": mser_points,
    "orb": orb,
    "akaze": akaze,
    "kaze": kaze,
    "fast": fast,
    "brisk": brisk,
}
"""Name → what finds key points of that kind in a picture."""


def detect(picture: Picture, kind: str, *, limit: int | None = None) -> Keypoints:
    """The key points of `kind` in `picture`, uint8 (H, W, 3), strongest first, at most `limit`.

    `kind`: one of `DETECTORS`. Empty for a picture without contrast, or too small to hold any.
    """
    if kind not in DETECTORS:
        raise UnknownNameError("key point detector", kind, DETECTORS)
    found = DETECTORS[kind](picture)
    return found.strongest(len(found) if limit is None else limit)

"""Haar cascades: boxes around upright faces and the like, in milliseconds (Viola and Jones, CVPR 2001).

A window is slid over the picture at all sizes. In each, differences of brightness between rectangles
are looked at, few at first: most windows are given up after two or three. What was learnt is one pose
in even light: a face turned by 30°, or seen from the side, is missed by the frontal cascade.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from striate.errors import MachineError, UnknownNameError
from striate.features.opencv import cv2_module
from striate.features.plane import plane_of
from striate.types import Array, Picture, check_picture

__all__ = ["CASCADES", "Cascade", "Objects", "detect_objects"]


@dataclass(frozen=True, slots=True)
class Cascade:
    """`file`: in OpenCV's folder. `least_share`: the smallest window that is looked at, of the picture's
    shorter side. `neighbours`: windows at one place that must agree. `mirrored`: it knows one side only,
    so the mirrored picture is searched too."""

    file: str
    least_share: float = 1 / 12
    neighbours: int = 4
    mirrored: bool = False


CASCADES: Mapping[str, Cascade] = {
    "frontal-face": Cascade("haarcascade_frontalface_default.xml"),
    "frontal-face-alt": Cascade("haarcascade_frontalface_alt2.xml"),
    "profile-face": Cascade("haarcascade_profileface.xml", mirrored=True),
    "eye": Cascade("haarcascade_eye.xml", 1 / 24, 5),
    "eye-with-glasses": Cascade("haarcascade_eye_tree_eyeglasses.xml", 1 / 24, 5),
    "cat-face": Cascade("haarcascade_frontalcatface_extended.xml"),
    "full-body": Cascade("haarcascade_fullbody.xml"),
    "upper-body": Cascade("haarcascade_upperbody.xml"),
    "lower-body": Cascade("haarcascade_lowerbody.xml"),
    "plate": Cascade("haarcascade_russian_plate_number.xml", 1 / 16),
}
"""Name → cascade. `frontal-face-alt` misses more faces and invents fewer; plates are Russian ones, and
others of their proportions. OpenCV's smile is left out: on a whole picture it finds smiles in gravel."""

SIDE, LARGEST_SIDE = 640, 1600
"""The longest side, pixels, that is looked at; where small things are asked for it grows up to 1600."""

STEP = 1.2
"""Each window is this much larger than the one before. On 101 faces of LFPW, with 4 neighbours, this
finds 97 %, in half the time of OpenCV's 1.1, which finds 95 % with 5 neighbours."""


@dataclass(frozen=True, slots=True)
class Objects:
    """What a cascade found in a picture, surest first.

    `boxes_xyxy`: float32 (N, 4), absolute pixels of the original picture. `scores`: float32 (N,), the
    margin of the last stage: any number, no probability, comparable within one cascade only.
    """

    boxes_xyxy: Array
    scores: Array
    cascade: str

    def __post_init__(self) -> None:
        count = len(self.boxes_xyxy)
        for name, shape in (("boxes_xyxy", (count, 4)), ("scores", (count,))):
            given: Array = getattr(self, name)
            if given.dtype != np.float32 or given.shape != shape:
                raise ValueError(f"{name} is {given.dtype} {given.shape}; expected float32 {shape}")

    @classmethod
    def empty(cls, cascade: str) -> Self:
        """Nothing."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), cascade)

    def __len__(self) -> int:
        return len(self.boxes_xyxy)

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "cascade": self.cascade,
            "count": len(self),
            "boxes_xyxy": np.round(self.boxes_xyxy.astype(float), 1).tolist(),
            "scores": np.round(self.scores.astype(float), 3).tolist(),
        }


def detect_objects(
    picture: Picture,
    cascade: str = "frontal-face",
    *,
    neighbours: int | None = None,
    least_share: float | None = None,
) -> Objects:
    """The objects of `cascade` in `picture`, uint8 (H, W, 3), surest first.

    `cascade`: one of `CASCADES`. `neighbours`: windows at one place that must agree; more give fewer
    false boxes, and fewer true ones. `least_share`: the smallest window, of the picture's shorter side;
    1/12 finds a portrait, 1/40 a school class in a large picture, several times slower. None takes the
    cascade's own. Nothing smaller than the window that the cascade was learnt on (20 × 20 pixels for
    most) is found, in the picture scaled down to 1600 at most.
    """
    if cascade not in CASCADES:
        raise UnknownNameError("cascade", cascade, CASCADES)
    chosen = CASCADES[cascade]
    agree = chosen.neighbours if neighbours is None else neighbours
    share = chosen.least_share if least_share is None else least_share
    if agree < 1 or not 0 < share <= 1:
        raise ValueError(
            f"neighbours is {agree}, least_share {share}; expected 1 or more, and above 0, at most 1"
        )
    classifier = _load(chosen.file)
    wide, tall = classifier.getOriginalWindowSize()
    height, width = check_picture(picture).shape[:2]
    side = max(wide, tall) / share * max(height, width) / min(height, width)
    plane = plane_of(picture, longest=round(min(max(SIDE, side), LARGEST_SIDE)))
    levels = plane.levels
    if plane.flat or levels.shape[0] < tall or levels.shape[1] < wide:
        return Objects.empty(cascade)
    least = round(min(levels.shape) * share)
    boxes, scores = _windows(classifier, levels, agree, least)
    if chosen.mirrored:
        mirrored, more = _windows(classifier, np.ascontiguousarray(levels[:, ::-1]), agree, least)
        mirrored[:, 0] = levels.shape[1] - mirrored[:, 0] - mirrored[:, 2]
        boxes, scores = np.concatenate([boxes, mirrored]), np.concatenate([scores, more])
    boxes, scores = _distinct(boxes, scores)
    scale = np.array([*plane.scale_yx[::-1], *plane.scale_yx[::-1]])
    ends = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) / scale
    return Objects(ends.astype(np.float32), scores.astype(np.float32), cascade)


def _load(file: str) -> Any:
    """A cascade from OpenCV's own folder, read as text: its reader fails on some folder names."""
    cv2 = cv2_module()
    path = Path(cv2.data.haarcascades) / file
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise MachineError(
            f"OpenCV lies here without its cascade {file}",
            remedy="install opencv-contrib-python-headless 4 anew; version 5 ships none",
        ) from error
    storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    classifier = cv2.CascadeClassifier()
    read = classifier.read(storage.getFirstTopLevelNode())
    storage.release()
    assert read, f"{file} is not a cascade"
    return classifier


def _windows(classifier: Any, levels: Array, neighbours: int, least: int) -> tuple[Array, Array]:
    """Boxes (N, 4) as x, y, width, height, and scores (N,)."""
    boxes, _, weights = classifier.detectMultiScale3(
        levels,
        scaleFactor=STEP,
        minNeighbors=neighbours,
        minSize=(least, least),
        outputRejectLevels=True,
    )
    return np.array(boxes, np.float64).reshape(-1, 4), np.array(weights, np.float64).ravel()


def _distinct(boxes: Array, scores: Array) -> tuple[Array, Array]:
    """Surest first, without boxes of which more than half lies in, or is, a surer one."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    for row in order.tolist():
        x, y, w, h = boxes[row]
        mine = boxes[kept]
        over_x = np.minimum(mine[:, 0] + mine[:, 2], x + w) - np.maximum(mine[:, 0], x)
        over_y = np.minimum(mine[:, 1] + mine[:, 3], y + h) - np.maximum(mine[:, 1], y)
        shared = np.maximum(over_x, 0) * np.maximum(over_y, 0)
        if not (shared > 0.5 * np.minimum(mine[:, 2] * mine[:, 3], w * h)).any():
            kept.append(row)
    return boxes[kept], scores[kept]

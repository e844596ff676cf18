"""What a proposal method answers for one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from striate.types import Array

__all__ = ["METHODS", "Method", "Proposals"]

Method = Literal["selective-search", "selective-search-quality", "edge-boxes", "grid"]

METHODS: dict[Method, str] = {
    "selective-search": "regions merged by colour, texture, size and fit, 8 ways (Uijlings et al. 2013)",
    "selective-search-quality": "the same, 80 ways: more boxes, ten times the time",
    "edge-boxes": "windows that hold whole contours (Zitnick & Dollár 2014)",
    "grid": "sliding windows of all sizes and shapes: the baseline",
}
"""Name → what it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """Boxes that may hold an object, of whatever class, best first.

    `boxes_xyxy`: float32 (N, 4), left, top, right, bottom in pixels of the original picture. `scores`:
    float32 (N,), falling; they compare boxes of one picture and one method, and nothing else. `found`:
    how many there were before all but the best were left out.
    """

    boxes_xyxy: Array
    scores: Array
    found: int

    def __post_init__(self) -> None:
        count = len(self.scores)
        for name, array, shape in (
            ("boxes_xyxy", self.boxes_xyxy, (count, 4)),
            ("scores", self.scores, (count,)),
        ):
            if array.dtype != np.float32 or array.shape != shape:
                raise ValueError(f"{name}: expected float32 {shape}, got {array.dtype} {array.shape}")
        if (np.diff(self.scores) > 0).any():
            raise ValueError("scores must fall: best first")

    def __len__(self) -> int:
        return len(self.scores)

    def best(self, count: int) -> Proposals:
        """The first `count`."""
        return Proposals(self.boxes_xyxy[:count], self.scores[:count], self.found)

    def to_dict(self) -> dict[str, object]:
        """JSON-ready: edges to a hundredth of a pixel."""
        return {
            "found": self.found,
            "boxes_xyxy": np.round(self.boxes_xyxy.astype(np.float64), 2).tolist(),
            "scores": np.round(self.scores.astype(np.float64), 6).tolist(),
        }

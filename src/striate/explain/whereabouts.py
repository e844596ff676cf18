"""Where in a picture heat lies, in words: the ninth that has most of it, or the part of an object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.types import Array

__all__ = ["NamedArea", "area_words", "heat_within", "region_words"]

_ROWS, _COLUMNS = ("upper", "middle", "lower"), ("left", "centre", "right")
_SPREAD = 0.2


def region_words(heat: Array) -> str:
    """`heat` (H, W), 0 or more, NaN where nothing is known: "upper left (41 % of the heat)".

    >>> field = np.zeros((6, 9)); field[:2, :3] = 1
    >>> region_words(field)
    'upper left (100 % of the heat)'
    """
    known = np.nan_to_num(np.asarray(heat, np.float64))
    total = float(known.sum())
    if not total > 0:
        return "nowhere"
    edges = [[round(at * side / 3) for at in range(4)] for side in known.shape]
    shares = np.asarray(
        [
            [
                known[edges[0][y] : edges[0][y + 1], edges[1][x] : edges[1][x + 1]].sum() / total
                for x in range(3)
            ]
            for y in range(3)
        ]
    )
    y, x = np.unravel_index(int(shares.argmax()), shares.shape)
    if shares.max() < _SPREAD:
        return "spread over the picture"
    words = {(1, 1): "the middle"}.get((int(y), int(x)), f"{_ROWS[y]} {_COLUMNS[x]}")
    return f"{words} ({100 * shares.max():.0f} % of the heat)"


@dataclass(frozen=True, slots=True)
class NamedArea:
    """A part of an object, or an object: xyxy in pixels of the picture. `within`: whose part it is."""

    name: str
    box_xyxy: tuple[float, float, float, float]
    within: str = ""

    def shrunk(self, times: float) -> NamedArea:
        """The same in a picture that is so many times smaller."""
        left, top, right, bottom = self.box_xyxy
        box = (left / times, top / times, right / times, bottom / times)
        return NamedArea(self.name, box, self.within)

    @property
    def words(self) -> str:
        """The part and its object."""
        return f"{self.name} of the {self.within}" if self.within else self.name


def heat_within(heat: Array, area: NamedArea) -> tuple[float, float]:
    """The share of the heat within an area, and that share over the share of the picture it takes."""
    known = np.nan_to_num(np.asarray(heat, np.float64))
    left, top, right, bottom = area.box_xyxy
    height, width = known.shape
    rows = slice(max(0, int(top)), min(height, max(int(top) + 1, round(bottom))))
    columns = slice(max(0, int(left)), min(width, max(int(left) + 1, round(right))))
    total, inside = float(known.sum()), known[rows, columns]
    if not total > 0 or not inside.size:
        return 0.0, 0.0
    share = float(inside.sum()) / total
    return share, share / (inside.size / known.size)


def area_words(heat: Array, areas: Sequence[NamedArea]) -> str:
    """The area that is hottest for its size, of those that hold a twentieth of the heat; "" if none."""
    held = [(*heat_within(heat, area), area) for area in areas]
    held = [one for one in held if one[0] >= 0.05 and one[1] > 1.5]
    if not held:
        return ""
    share, times, area = max(held, key=lambda one: one[1])
    return f"{area.words} ({100 * share:.0f} % of the heat, {times:.1f} times its share of the picture)"

"""Ridges: thin lines lighter or darker than both their sides, such as wires, veins and cracks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from striate.errors import UnknownNameError
from striate.features.opencv import cv2_module
from striate.features.plane import plane_of
from striate.types import Array, Picture

__all__ = ["RIDGE_FILTERS", "Polarity", "RidgeFilter", "Ridges", "ridges"]

RidgeFilter: TypeAlias = Literal["sato", "meijering", "frangi"]
RIDGE_FILTERS: Mapping[RidgeFilter, str] = {
    "sato": "Sato and others 1998: even along a line, the least disturbed by spots",
    "meijering": "Meijering and others 2004: made for neurites, answers to faint lines",
    "frangi": "Frangi and others 1998: made for vessels, weak where lines cross",
}

Polarity: TypeAlias = Literal["light", "dark", "both"]

WORK_SIDE = 1000
"""The longest side, pixels, that is looked at: lines are found at fixed widths."""

SIGMAS = (1.0, 1.5, 2.0, 3.0)
"""Half widths of the lines that are looked for, pixels at working size."""

TEXTURE = 0.02
"""Strength below which a line is nobody's line; a white one of matching width on black has 0.4."""


@dataclass(frozen=True, slots=True)
class Ridges:
    """`strength`: float32 (H, W), 0 and more, in the picture's own size; 0 off any ridge. `filter`:
    which measure. `polarity`: light lines, dark ones, or the stronger of both."""

    strength: Array = field(repr=False)
    filter: RidgeFilter
    polarity: Polarity

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        strong = self.strength > max(TEXTURE, float(self.strength.max()) / 4)
        return {
            "filter": self.filter,
            "polarity": self.polarity,
            "strongest": round(float(self.strength.max()), 5),
            "mean": round(float(self.strength.mean()), 6),
            "share_strong": round(float(strong.mean()), 6),
        }


def ridges(
    picture: Picture,
    *,
    filter: RidgeFilter = "sato",  # noqa: A002
    polarity: Polarity = "both",
) -> Ridges:
    """How much of a ridge each pixel of `picture`, uint8 (H, W, 3), lies on.

    `filter`: see `RIDGE_FILTERS`; the numbers of one cannot be compared with those of another.
    Lines of one to six pixels width, at a working size of 1000 pixels, are looked for.
    """
    if filter not in RIDGE_FILTERS:
        raise UnknownNameError("ridge filter", filter, RIDGE_FILTERS)
    if polarity not in ("light", "dark", "both"):
        raise UnknownNameError("polarity", polarity, ("light", "dark", "both"))
    plane = plane_of(picture, longest=WORK_SIDE)
    size_hw = picture.shape[:2]
    if plane.flat:
        return Ridges(np.zeros(size_hw, np.float32), filter, polarity)
    image = plane.levels.astype(np.float32) / 255
    wanted = {"light": (False,), "dark": (True,), "both": (False, True)}[polarity]
    strength = np.max([_filtered(image, filter, dark=dark) for dark in wanted], axis=0)
    cv2 = cv2_module()
    full = cv2.resize(strength.astype(np.float32), size_hw[::-1], interpolation=cv2.INTER_LINEAR)
    return Ridges(full, filter, polarity)


def _filtered(image: Array, name: RidgeFilter, *, dark: bool) -> Array:
    from skimage import filters

    measure: Any = {"sato": filters.sato, "meijering": filters.meijering, "frangi": filters.frangi}[name]
    found: Array = measure(image, sigmas=SIGMAS, black_ridges=dark, mode="reflect")
    if name == "frangi":  # scikit-image's answers to light and dark alike; Sato's tells which it is
        found = np.where(_filtered(image, "sato", dark=dark) > 0, found, 0)
    return found

"""A regressor's answer, drawn on a copy of the picture."""

from __future__ import annotations

from striate.pictures.draw import label_band
from striate.tasks.regress.types import Regression
from striate.types import Picture

__all__ = ["render_regression"]

_WITH_INTERVALS = 2
"""Beyond so many targets the caption has room for the values alone."""


def render_regression(picture: Picture, prediction: Regression) -> Picture:
    """`picture` with the numbers beneath it, few ones with their intervals; uint8 (H', W', 3)."""
    if len(prediction.names) <= _WITH_INTERVALS:
        return label_band(picture, prediction.text())
    values = (f"{name} {value.partition(' (')[0]}" for name, value in prediction.rows())
    return label_band(picture, ", ".join(values))

"""What a regressor answers for one picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from striate.types import Array, Picture

__all__ = ["Regression"]


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """Numbers for one picture, each with an interval.

    `values`, `lows`, `highs`: float64 (K,), in the targets' own units. Angles are degrees in
    (−180, 180]; their interval holds the value and may reach beyond ±180: [170, 190] is the sector
    from 170 up to −170. Before calibration there is no interval: `lows` and `highs` are NaN.

    >>> ends = np.array([10.0]), np.array([14.0])
    >>> Regression(("yaw",), np.array([12.0]), *ends, is_angle=(True,)).text()
    'yaw 12.0° (10.0° to 14.0°)'
    """

    names: tuple[str, ...]
    values: Array
    lows: Array
    highs: Array
    is_angle: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.names),)
        for part in (self.values, self.lows, self.highs):
            if part.shape != shape or part.dtype != np.float64:
                raise ValueError(f"expected float64 {shape}, got {part.dtype} {part.shape}")
        if not np.isfinite(self.values).all():
            raise ValueError("values must be finite")
        # NaN compares false: an interval that is absent is in no disorder
        if ((self.lows > self.values) | (self.highs < self.values)).any():
            raise ValueError("an interval must hold its value")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: values and intervals by name; an interval is None before calibration."""
        ends = zip(self.lows.tolist(), self.highs.tolist(), strict=True)
        intervals = [None if math.isnan(low) else [_shown(low), _shown(high)] for low, high in ends]
        values = [_shown(value) for value in self.values.tolist()]
        return {
            "values": dict(zip(self.names, values, strict=True)),
            "intervals": dict(zip(self.names, intervals, strict=True)),
        }

    def text(self, separator: str = ", ") -> str:
        """The answer in words: names, values, and intervals where there are."""
        return separator.join(f"{name} {value}" for name, value in self.rows())

    def rows(self) -> list[tuple[str, str]]:
        """Each target's name, and its value with the interval as text."""
        found = []
        for k, name in enumerate(self.names):
            unit = "°" if k < len(self.is_angle) and self.is_angle[k] else ""
            ends = (float(self.values[k]), float(self.lows[k]), float(self.highs[k]))
            found.append((name, _in_words(*ends, unit)))
        return found

    def plot(self, picture: Picture) -> Picture:
        """`picture` with this answer drawn on it."""
        from striate.tasks.regress.render import render_regression

        return render_regression(picture, self)

    def _repr_html_(self) -> str:
        """A small table for notebooks; nothing is fetched."""
        rows = "".join(
            f'<tr><td style="text-align:right">{escape(name)}</td><td><b>{escape(value)}</b></td></tr>'
            for name, value in self.rows()
        )
        return f'<table style="font-family:sans-serif;font-size:13px">{rows}</table>'


def _shown(value: float) -> float:
    """`value` with the seven digits that float32 has."""
    return float(f"{value:.7g}")


def _in_words(value: float, low: float, high: float, unit: str) -> str:
    """A value and its interval with the decimals that the width of the interval makes sense of."""
    half = (high - low) / 2
    if not half > 0:
        return f"{value:.4g}{unit}"
    places = min(max(1 - math.floor(math.log10(half)), 0), 9)
    return f"{value:.{places}f}{unit} ({low:.{places}f}{unit} to {high:.{places}f}{unit})"

"""What one pass over the pictures came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from striate.types import Array

__all__ = ["Judged", "Measure"]


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A number, and what it is in each resample, float64 (R,); NaN where it is undefined.

    `pictures`: of a mean over pictures, how many there are; else 0. `bounds`: what one picture can
    contribute. `is_share`: each picture contributes 0 or 1.
    """

    value: float
    draws: Array
    pictures: int = 0
    bounds: tuple[float, float] = (0.0, 1.0)
    is_share: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The headline of a pass, further measures by name, and marks a picture.

    `marks` float32 (N,): the more the better (right or wrong; minus the error; F1). `sureness` float32
    (N,), 0 … 1: how sure the answer was; zeros where the task does not tell.
    """

    headline: Measure
    marks: Array
    sureness: Array
    more: Mapping[str, Measure] = field(default_factory=dict)

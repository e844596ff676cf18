"""Numbers as JSON can hold them: Python floats, and None for what is undefined."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from striate.types import Array

__all__ = ["percent", "plain", "plain_list", "plain_pair"]


def plain(value: float) -> float | None:
    """A Python float; None for NaN and infinity, which JSON has no word for.

    >>> plain(0.5), plain(float("nan"))
    (0.5, None)
    """
    number = float(value)
    return number if math.isfinite(number) else None


def plain_list(values: Iterable[float] | Array) -> list[float | None]:
    """`plain` of each value."""
    return [plain(value) for value in values]


def plain_pair(interval: tuple[float, float]) -> list[float] | None:
    """An interval as [low, high]; None if either end is undefined."""
    low, high = plain(interval[0]), plain(interval[1])
    return None if low is None or high is None else [low, high]


def percent(share: float | None, interval: Sequence[float] | None = None) -> str:
    """A share as a person reads it: never 100 or 0 unless it is; "–" for an undefined one.

    >>> percent(0.9324), percent(0.9324, [0.91, 0.951]), percent(None)
    ('93.2 %', '93.2 % (91.0 to 95.1)', '–')
    >>> percent(0.99999), percent(1.0), percent(0.0001)
    ('>99.9 %', '100.0 %', '<0.1 %')
    """
    if share is None:
        return "–"
    ends = "" if interval is None else f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"
    if 0.9995 <= share < 1:
        return f">99.9 %{ends}"
    if 0 < share < 0.0005:
        return f"<0.1 %{ends}"
    return f"{100 * share:.1f} %{ends}"

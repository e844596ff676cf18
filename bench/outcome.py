"""What a benchmark finds: rows with a goal each, and the raw figures behind them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Direction = Literal["at least", "at most"]


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound, for the ratio of a row where it is "×", else for our own figure."""

    direction: Direction
    value: float
    unit: str = "×"

    def is_met_by(self, figure: float) -> bool:
        return figure >= self.value if self.direction == "at least" else figure <= self.value

    def __str__(self) -> str:
        sign = "≥" if self.direction == "at least" else "≤"
        return f"{sign} {shown(self.value, self.unit)}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: our figure, the peer's, what one is to the other, and the goal.

    `ratio` is written so that the goal reads naturally ("8× faster", "1.05× the time"); None where the
    goal is for our figure itself. `fault` says why a row cannot count although its figure looks good.
    """

    what: str
    ours: float
    unit: str
    goal: Goal | None = None
    peer: float | None = None
    peer_name: str = ""
    ratio: float | None = None
    fault: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the goal is met; None for a row that is only for comparison."""
        if self.goal is None:
            return None
        figure = self.ours if self.ratio is None else self.ratio
        return not self.fault and self.goal.is_met_by(figure)

    def to_dict(self) -> dict[str, Any]:
        goal = None if self.goal is None else asdict(self.goal)
        return {**asdict(self), "goal": goal, "reached": self.reached}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Row:
        goal = None if saved["goal"] is None else Goal(**saved["goal"])
        known = {key: value for key, value in saved.items() if key not in ("goal", "reached")}
        return cls(**known, goal=goal)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows for the table, and everything else that belongs into the result file."""

    rows: Sequence[Row]
    details: Mapping[str, Any] = field(default_factory=dict)


def shown(value: float, unit: str) -> str:
    """A figure as a person reads it: three digits, its unit.

    >>> shown(0.0123, "s"), shown(1234.5, "pictures/s"), shown(8.04, "×"), shown(0.8512, "%")
    ('12.3 ms', '1234 pictures/s', '8.04×', '85.12 %')
    """
    if unit == "%":
        return f"{100 * value:.2f} %"
    if unit == "s" and abs(value) < 1 and value:
        return f"{1000 * value:.3g} ms"
    if not unit or unit == "×":
        text = f"{value:.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.3g}"
        return f"{text}{unit}"
    return f"{value:.0f} {unit}" if abs(value) >= 100 else f"{value:.3g} {unit}"


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Raw figures with their median and extremes, for the result file."""
    kept = [round(value, 6) for value in values]
    return {
        "median": round(statistics.median(values), 6),
        "lowest": min(kept),
        "highest": max(kept),
        "raw": kept,
    }

"""The course of training as curves: loss, validation metric and learning rate, from metric rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from striate.figures import Curve, Lines, Section

__all__ = ["training_section"]

Row = Mapping[str, Any]
Points = dict[float, float]
"""x to y; a repeated x, which a resumed run may have written, counts once, the last."""


def training_section(rows: Sequence[Row], headline: str = "") -> Section | None:
    """Curves over the epochs of `rows`; None if there is nothing to draw.

    A row of an epoch has `number` (or `epoch`), `loss`, `lr` and `metrics`; rows of single steps have
    `step` and `loss`, and are drawn where no epoch is. `headline`: the metric that is drawn; without
    it, or where it is not there, the first number among the metrics.
    """
    epochs = [row for row in rows if _epoch(row) is not None]
    drawn = epochs or rows
    x_label = "epoch" if epochs else "step"
    figures = [
        figure
        for figure in (
            _loss(drawn, x_label),
            _metric(drawn, x_label, headline),
            _learning_rate(drawn, x_label),
        )
        if figure is not None
    ]
    return Section("How training went", _summary(epochs), figures) if figures else None


def _epoch(row: Row) -> float | None:
    return _number(row.get("number", row.get("epoch")))


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _points(rows: Sequence[Row], x_label: str, *path: str) -> Points:
    """The value at `path` in each row that has it; undefined ones are NaN, a gap in the curve."""
    found: Points = {}
    for index, row in enumerate(rows):
        x = _epoch(row) if x_label == "epoch" else _number(row.get("step", index + 1))
        value: object = row
        for name in path:
            value = value.get(name, row) if isinstance(value, Mapping) else row
        if x is not None and value is not row:
            number = _number(value)
            found[x] = math.nan if number is None else number
    return dict(sorted(found.items()))


def _curve(name: str, points: Points) -> Curve:
    return Curve(name, list(points), list(points.values()))


def _defined(points: Points) -> bool:
    return any(math.isfinite(value) for value in points.values())


def _loss(rows: Sequence[Row], x_label: str) -> Lines | None:
    named = {
        "training": _points(rows, x_label, "loss"),
        "validation": _points(rows, x_label, "metrics", "loss"),
    }
    curves = [_curve(name, points) for name, points in named.items() if _defined(points)]
    if not curves:
        return None
    caption = "What training makes small. It should fall, and flatten towards the end."
    if len(curves) == 2:
        caption += " Where the two part, the model begins to learn the training pictures by heart."
    return Lines("Loss", caption, curves, x_label, "loss")


def _metric(rows: Sequence[Row], x_label: str, headline: str) -> Lines | None:
    measured = [row["metrics"] for row in rows if isinstance(row.get("metrics"), dict)]
    last: dict[str, Any] = measured[-1] if measured else {}
    names = [name for name, value in last.items() if _number(value) is not None and name != "n"]
    if not names:
        return None
    chosen = headline if headline in names else names[0]
    points = _points(rows, x_label, "metrics", chosen)
    if not _defined(points):
        return None
    # a headline may be an alias of the metric that people know by its own name
    alias = chosen.startswith("headline")
    same = [name for name in names if alias and name != chosen and last[name] == last[chosen]]
    title = same[0] if same else chosen
    label = title.replace("_", " ")
    caption = "After each epoch, on validation pictures that are not trained on."
    return Lines(f"Validation {label}", caption, [_curve(label, points)], x_label, label)


def _learning_rate(rows: Sequence[Row], x_label: str) -> Lines | None:
    points = _points(rows, x_label, "lr")
    if not _defined(points):
        return None
    caption = "How large the steps are: rising at first, then falling to settle."
    return Lines("Learning rate", caption, [_curve("learning rate", points)], x_label, "rate")


def _summary(epochs: Sequence[Row]) -> str:
    best = [_epoch(row) for row in epochs if row.get("best")]
    if not epochs:
        return ""
    text = f"{len({_epoch(row) for row in epochs})} epochs."
    return text + (f" The best was epoch {best[-1]:.0f}." if best and best[-1] is not None else "")

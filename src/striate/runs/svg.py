"""Lines, points and large heat maps as inline SVG. Colours come from `report.css`, so that they follow
the reader's light or dark mode; values that are not finite are gaps, never errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.figures import Curve, Lines, Matrix, Scatter
from striate.runs.markup import escape, number
from striate.types import Array

__all__ = ["draw_heat_map", "draw_lines", "draw_scatter", "heat_levels", "hue", "round_ends", "ticks"]

WIDTH, HEIGHT = 460, 290
LEFT, RIGHT, TOP, BOTTOM = 54, 14, 26, 40
_HUES = 6
"""Colours in the style sheet; further curves use them again with dashes."""
_MOST_POINTS = 600
_MOST_DOTS = 2000
_LEVELS = 10
_ENDLESS = 1e300
"""From here on differences overflow; treated as infinite."""
_NOTHING = 1e-300
"""Below this, shares of a difference underflow."""


def hue(index: int) -> str:
    """The classes that colour the curve of that index."""
    return f"hue{index % _HUES + 1}" + (f" dash{(index // _HUES - 1) % 3}" if index >= _HUES else "")


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers from `low` to `high` (low < high), steps of 1, 2 or 5."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999), power * 10)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


def round_ends(values: Sequence[float]) -> tuple[float, float]:
    """Round numbers, low < high, that hold zero and all finite `values`; 0 and 1 for most shares.

    >>> round_ends([0.4, 0.9]), round_ends([-3.0, 12.0]), round_ends([0.0])
    ((0.0, 1.0), (-5.0, 15.0), (0.0, 1.0))
    """
    finite = [float(value) for value in values if _drawable(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    if high - low < _NOTHING or (low == 0 and 0.35 < high <= 1):
        return 0.0, 1.0  # shares are read against the whole
    marks = ticks(low, high, 4)
    step = marks[1] - marks[0]
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return float(f"{first * step:.12g}"), float(f"{last * step:.12g}")


def _drawable(*values: float) -> bool:
    return all(abs(value) < _ENDLESS for value in values)  # NaN is not


def _floats(values: Sequence[float]) -> list[float]:
    """Python floats; None, which metrics read from JSON hold for NaN, is NaN again."""
    found: list[float] = np.asarray(values, dtype=np.float64).tolist()
    return found


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest of the values, widened where they are one."""
    finite = [value for value in values if _drawable(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        pad = abs(low) * 0.1 or 1.0
        return low - pad, high + pad
    return low, high


def _padded(ends: tuple[float, float]) -> tuple[float, float]:
    """A little air above and below; none below zero where no value is."""
    low, high = ends
    air = (high - low) * 0.06
    return (low - air if low < 0 or low - air > 0 else 0.0), high + air


@dataclass(frozen=True, slots=True)
class _Axes:
    """Maps data to the drawing."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        return LEFT + (value - self.x_low) / (self.x_high - self.x_low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def draw(self, x_label: str, y_label: str) -> str:
        """Grid, tick labels and axis names."""
        parts = []
        for value in ticks(self.y_low, self.y_high):
            y = self.y(value)
            parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
            parts.append(f'<text x="{LEFT - 7}" y="{y + 4:.1f}" class="end">{number(value)}</text>')
        base = HEIGHT - BOTTOM
        for value in ticks(self.x_low, self.x_high):
            x = self.x(value)
            parts.append(f'<path class="axis" d="M{x:.1f} {base}v4"/>')
            parts.append(f'<text x="{x:.1f}" y="{base + 18}" class="mid">{number(value)}</text>')
        parts.append(f'<path class="axis" d="M{LEFT} {base}H{WIDTH - RIGHT}"/>')
        at = f'x="{(LEFT + WIDTH - RIGHT) // 2}" y="{HEIGHT - 5}"'
        parts.append(f'<text {at} class="mid name">{escape(x_label)}</text>')
        parts.append(f'<text x="4" y="14" class="name">{escape(y_label)}</text>')
        return "".join(parts)

    def draw_diagonal(self) -> str:
        """The line y = x as far as it lies within."""
        low, high = max(self.x_low, self.y_low), min(self.x_high, self.y_high)
        if low >= high:
            return ""
        ends = f"M{self.x(low):.1f} {self.y(low):.1f}L{self.x(high):.1f} {self.y(high):.1f}"
        return f'<path class="ideal" d="{ends}"/>'


def _picture(title: str, told: str, body: str, *, height: int = HEIGHT) -> str:
    label = escape(f"{title}. {told}")
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{body}</svg>'


# -- lines ------------------------------------------------------------------------------------


def draw_lines(figure: Lines) -> str:
    """Curves with their bands; "" if there is nothing finite to draw."""
    curves = [_thinned(curve) for curve in figure.curves]
    xs = [x for curve in curves for x in curve.x]
    ys = [y for curve in curves for part in (curve.y, curve.low, curve.high) for y in part or ()]
    if not any(_drawable(x, y) for curve in curves for x, y in zip(curve.x, curve.y, strict=True)):
        return ""
    axes = _Axes(*_span(xs), *(_span(figure.y_range) if figure.y_range else _padded(_span(ys))))
    body = axes.draw(figure.x_label, figure.y_label)
    if figure.diagonal:
        body += axes.draw_diagonal()
    drawn = "".join(_draw_curve(curve, axes, index) for index, curve in enumerate(curves))
    told = "; ".join(_told(curve) for curve in figure.curves)
    if not figure.y_range:
        return _picture(figure.title, told, body + drawn)
    # what lies beyond the range is cut off by a drawing within the drawing
    inner_width, inner_height = WIDTH - LEFT - RIGHT + 12, HEIGHT - TOP - BOTTOM + 12
    place = (
        f'aria-hidden="true" x="{LEFT - 6}" y="{TOP - 6}" width="{inner_width}" height="{inner_height}"'
    )
    view = f'viewBox="{LEFT - 6} {TOP - 6} {inner_width} {inner_height}"'
    return _picture(figure.title, told, f"{body}<svg {place} {view}>{drawn}</svg>")


def _thinned(curve: Curve) -> Curve:
    """At most so many points: of each stretch the lowest and the highest, so that no spike is lost."""
    count = len(curve.x)
    if count <= _MOST_POINTS:
        return _picked(curve, range(count))
    y = np.asarray(curve.y, dtype=np.float64)
    chosen: list[int] = []
    for stretch in np.array_split(np.arange(count), _MOST_POINTS // 2):
        known = stretch[np.isfinite(y[stretch])]
        if len(known):
            chosen += sorted({int(known[np.argmin(y[known])]), int(known[np.argmax(y[known])])})
    return _picked(curve, [0, *chosen, count - 1])


def _picked(curve: Curve, pick: Sequence[int]) -> Curve:
    def at(values: Sequence[float]) -> list[float]:
        return _floats([values[index] for index in pick])

    low = None if curve.low is None else at(curve.low)
    high = None if curve.high is None else at(curve.high)
    return Curve(curve.name, at(curve.x), at(curve.y), low, high)


def _runs(curve: Curve, axes: _Axes) -> list[list[tuple[float, float]]]:
    """The stretches of a curve between its gaps, in drawing units."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(curve.x, curve.y, strict=True):
        if _drawable(x, y):
            runs[-1].append((axes.x(x), axes.y(y)))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _draw_curve(curve: Curve, axes: _Axes, index: int) -> str:
    kind = hue(index)
    parts = [_draw_band(curve, axes, kind)]
    runs = _runs(curve, axes)
    parts += [f'<path class="line {kind}" d="{_path(run)}"/>' for run in runs if len(run) > 1]
    if sum(len(run) for run in runs) <= 40:
        dots = [point for run in runs for point in run]
    else:
        dots = [run[0] for run in runs if len(run) == 1]
    parts += [f'<circle class="dot {kind}" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>' for x, y in dots]
    return "".join(parts)


def _draw_band(curve: Curve, axes: _Axes, kind: str) -> str:
    if curve.low is None or curve.high is None:
        return ""
    rows = [row for row in zip(curve.x, curve.low, curve.high, strict=True) if _drawable(*row)]
    if len(rows) < 2:
        return ""
    there = [(axes.x(x), axes.y(high)) for x, _, high in rows]
    back = [(axes.x(x), axes.y(low)) for x, low, _ in reversed(rows)]
    return f'<path class="band {kind}" d="{_path(there + back)}Z"/>'


def _told(curve: Curve) -> str:
    """A curve in words, for those who do not see it."""
    known = [y for y in _floats(curve.y) if math.isfinite(y)]
    if not known:
        return f"{curve.name}: no values"
    ends = f"{len(known)} points from {number(known[0])} to {number(known[-1])}"
    return f"{curve.name}: {ends}, lowest {number(min(known))}, highest {number(max(known))}"


# -- points -----------------------------------------------------------------------------------


def draw_scatter(figure: Scatter) -> str:
    """Points; "" if none is finite. Of very many, every n-th in the order given."""
    both = zip(_floats(figure.x), _floats(figure.y), strict=True)
    pairs = [(x, y) for x, y in both if _drawable(x, y)]
    if not pairs:
        return ""
    shown = pairs[:: -(-len(pairs) // _MOST_DOTS)]
    x_ends, y_ends = _padded(_span([x for x, _ in pairs])), _padded(_span([y for _, y in pairs]))
    if figure.diagonal:
        x_ends = y_ends = (min(x_ends[0], y_ends[0]), max(x_ends[1], y_ends[1]))
    axes = _Axes(*x_ends, *y_ends)
    body = axes.draw(figure.x_label, figure.y_label)
    if figure.diagonal:
        body += axes.draw_diagonal()
    body += "".join(
        f'<circle class="spot hue1" cx="{axes.x(x):.1f}" cy="{axes.y(y):.1f}" r="3"/>' for x, y in shown
    )
    told = f"{len(pairs)} points" + (f", {len(shown)} of them drawn" if len(shown) < len(pairs) else "")
    return _picture(figure.title, told, body)


# -- heat maps --------------------------------------------------------------------------------


def heat_levels(values: Array) -> Array:
    """Shade of each cell, 0 to 10: its share of its row's sum; what is not finite counts as zero."""
    counts = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    counts = np.maximum(counts, 0.0)
    sums = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0)
    levels: Array = np.ceil(share * _LEVELS - 1e-9).astype(np.int64)  # the least count is seen
    return levels


def draw_heat_map(figure: Matrix, *, most: int = 120) -> str:
    """A matrix with too many rows or columns for numbers: shades only, blocks of cells beyond `most`."""
    values = np.nan_to_num(np.asarray(figure.values, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    square = list(figure.row_names) == list(figure.column_names)
    block = -(-max(values.shape) // most)
    rows, columns = (-(-size // block) for size in values.shape)
    summed = np.zeros((rows * block, columns * block))
    summed[: values.shape[0], : values.shape[1]] = values
    levels = heat_levels(summed.reshape(rows, block, columns, block).sum(axis=(1, 3)))
    side = (WIDTH - LEFT - RIGHT) / columns
    height = round(TOP + side * rows + BOTTOM)
    paths: dict[str, list[str]] = {}
    for row, column in zip(*np.nonzero(levels), strict=True):
        kind = "ok" if not square or row == column else "er"
        cell = f"M{LEFT + column * side:.2f} {TOP + row * side:.2f}h{side:.2f}v{side:.2f}h-{side:.2f}z"
        paths.setdefault(f"{kind}{levels[row, column]}", []).append(cell)
    box = f"M{LEFT} {TOP}h{side * columns:.1f}v{side * rows:.1f}h-{side * columns:.1f}z"
    body = "".join(f'<path class="cell {name}" d="{"".join(cells)}"/>' for name, cells in paths.items())
    body += f'<path class="axis" d="{box}"/>' + _heat_labels(figure, values.shape, block, side)
    told = f"{values.shape[0]} by {values.shape[1]} cells, shaded by their share of the row"
    return _picture(figure.title, told, body, height=height)


def _heat_labels(figure: Matrix, shape: tuple[int, ...], block: int, side: float) -> str:
    parts = []
    low = TOP + side * -(-shape[0] // block)
    for value in ticks(0, shape[0], 6):
        if value < shape[0]:
            y = TOP + (value / block + 0.5) * side + 4
            parts.append(f'<text x="{LEFT - 7}" y="{y:.1f}" class="end">{number(value)}</text>')
    for value in ticks(0, shape[1], 6):
        if value < shape[1]:
            x = LEFT + (value / block + 0.5) * side
            parts.append(f'<text x="{x:.1f}" y="{low + 16:.1f}" class="mid">{number(value)}</text>')
    parts.append(f'<text x="4" y="14" class="name">{escape(figure.row_label)} ↓</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    name = escape(figure.column_label)
    parts.append(f'<text x="{middle:.0f}" y="{low + 34:.0f}" class="mid name">{name} →</text>')
    return "".join(parts)

"""The curves of a stress card as SVG: small multiples with their knees, or a few large ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from striate.runs.markup import escape, number
from striate.runs.svg import ticks
from striate.stress.card import Against, StressCard, ends_words, level_words, three
from striate.stress.card_drawing import draw_verdict
from striate.stress.curves import Estimate, StressCurve
from striate.stress.registry import FAMILIES

__all__ = ["FEW", "draw_curves"]

FEW = 4
"""Up to so many curves stand large in one grid; more stand small, family by family."""
_SMALL = (240, 150)
_LARGE = {1: (540, 300), 2: (480, 260), 3: (320, 200), 4: (480, 260)}
"""By how many there are: about the pixels that a plot has on a wide page, so that letters keep their
size."""
_PHONE = 322
"""Pixels that a large plot has on a telephone."""
_RIGHT, _TOP, _BOTTOM = 8, 8, 24
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where severities and scores lie in a drawing. `marks`: scores with a line, the last on top."""

    width: int
    height: int
    marks: Sequence[float]
    most: int

    @property
    def left(self) -> int:
        return 34 if self.width < 400 else 46

    @property
    def high(self) -> float:
        return self.marks[-1]

    @property
    def right(self) -> int:
        return self.width - _RIGHT

    @property
    def bottom(self) -> int:
        return self.height - _BOTTOM

    def x(self, severity: int) -> float:
        """0 is the clean pass."""
        return round(self.left + 6 + severity / self.most * (self.right - self.left - 12), 1)

    def y(self, value: float) -> float:
        """Cut off at the edges."""
        share = min(max(value / self.high, 0.0), 1.0)
        return round(self.bottom - share * (self.bottom - _TOP), 1)


def draw_curves(card: StressCard) -> str:
    """A plot an axis, all on one scale."""
    marks = _marks(card)
    if len(card.curves) <= FEW:
        return f'<div class="families">{_keys(card)}{_draw_few(card, marks)}</div>'
    parts = [_keys(card)]
    for family, title in FAMILIES.items():
        mine = [one for one in card.curves if one.axis.family == family]
        if mine:
            plots = "".join(_plot(one, card, _frame(_SMALL, marks, one), "h4") for one in mine)
            parts.append(f'<h3>{escape(title)}</h3><div class="plots">{plots}</div>')
    return f'<div class="families">{"".join(parts)}</div>'


def _draw_few(card: StressCard, marks: Sequence[float]) -> str:
    count = len(card.curves)
    size = _LARGE[count]
    plots = []
    for curve in card.curves:
        beside = _levels(curve) if count == 1 else ""
        plots.append(_plot(curve, card, _frame(size, marks, curve), "h3", beside))
    style = f"--columns:{3 if count == 3 else min(count, 2)};--letters:{size[0] / _PHONE:.2f}"
    return f'<div class="plots few" style="{style}">{"".join(plots)}</div>'


def _frame(size: tuple[int, int], marks: Sequence[float], curve: StressCurve) -> Frame:
    return Frame(*size, marks, max(5, *(one.severity for one in curve.levels)))


def _marks(card: StressCard) -> Sequence[float]:
    """Round numbers from 0 to the upper end of every plot: quarters for shares, else as far as is
    needed, at most two and a half times a guess."""
    scorer = card.measured.scorer
    if scorer.more_is_better:
        return _QUARTERS
    ends = [one.score.value for curve in card.curves for one in curve.levels]
    most = max([card.clean.value, *(one for one in ends if math.isfinite(one))], default=1.0)
    guess = scorer.chance if math.isfinite(scorer.chance) and scorer.chance > 0 else most
    return round_marks(max(min(1.05 * max(most, guess), 2.5 * guess), 1e-9))


def round_marks(high: float) -> list[float]:
    """Round numbers from 0, the last no lower than `high`, which is above 0.

    >>> round_marks(1.1), round_marks(47.0)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2], [0.0, 10.0, 20.0, 30.0, 40.0, 50.0])
    """
    step = ticks(0.0, high, 6)[1]
    return [float(f"{at * step:.12g}") for at in range(math.ceil(high / step - 1e-9) + 1)]


def _keys(card: StressCard) -> str:
    keys = [
        ('<path class="band hue1" d="M0 2H28V10H0Z"/><path class="line hue1" d="M0 6H28"/>',
         f"{card.measured.scorer.name}, with its 95 % band"),
        ('<path class="cleanline" d="M0 6H28"/>', "clean"),
        ('<circle class="knee" cx="14" cy="6" r="4.5"/>', "knee"),
    ]  # fmt: skip
    if card.measured.scorer.chance > 0:  # NaN is not
        keys.insert(2, ('<path class="ideal" d="M0 6H28"/>', "chance"))
    if card.against is not None:
        keys.append(('<path class="other" d="M0 6H28"/>', card.against.run))
    rows = "".join(
        f'<li><svg viewBox="0 0 28 12" aria-hidden="true">{mark}</svg><span>{escape(words)}</span></li>'
        for mark, words in keys
    )
    return f'<ul class="keys">{rows}<li>across: severity, 0 as it is</li></ul>'


def _plot(curve: StressCurve, card: StressCard, frame: Frame, heading: str, beside: str = "") -> str:
    axis = curve.axis
    last = curve.levels[-1]
    told = f"at {level_words(last.level, axis.unit)}: {three(last.score.value)}"
    if curve.pictures < card.pictures:
        told += f"; {curve.pictures} of {card.pictures} pictures"
    return (
        f'<div class="plot"><div class="head"><{heading}>{escape(axis.title)}</{heading}>'
        f"{draw_verdict(curve.verdict)}</div>{_svg(curve, card, frame)}<p>{escape(told)}</p>{beside}"
        "</div>"
    )


def _levels(curve: StressCurve) -> str:
    """What was measured at each level, as a table beside a plot that stands alone."""
    first = ("as they are", curve.clean, "")
    found = [
        (level_words(one.level, curve.axis.unit), one.score, _lost(one.loss.value))
        for one in curve.levels
    ]
    rows = "".join(
        f'<tr><th scope="row">{escape(level)}</th><td>{_score(score)}</td><td>{lost}</td></tr>'
        for level, score, lost in (first, *found)
    )
    return (
        '<table class="levels"><thead><tr><th scope="col">level</th><th scope="col">score</th>'
        f'<th scope="col">lost</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _score(found: Estimate) -> str:
    return f"{three(found.value)} <small>{ends_words(found)}</small>"


def _lost(share: float) -> str:
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%".replace("-", "−") if math.isfinite(share) else "–"


# -- one plot ---------------------------------------------------------------------------------


def _svg(curve: StressCurve, card: StressCard, frame: Frame) -> str:
    xs = [frame.x(one) for one in (0, *(level.severity for level in curve.levels))]
    values = [curve.clean, *(one.score for one in curve.levels)]
    across = f"M{frame.left} {{y}}H{frame.right}"
    parts = [_grid(frame), _x_labels(curve, xs, frame)]
    clean = across.format(y=frame.y(curve.clean.value))
    parts.append(f'<path class="cleanline" d="{clean}"/>')
    chance = card.measured.scorer.chance
    if math.isfinite(chance) and 0 < chance <= frame.high:
        parts.append(f'<path class="ideal" d="{across.format(y=frame.y(chance))}"/>')
    parts.append(_band(xs, values, frame))
    if card.against is not None:
        parts.append(_other(curve, card.against, xs, frame))
    points = [
        (x, frame.y(one.value)) for x, one in zip(xs, values, strict=True) if math.isfinite(one.value)
    ]
    parts.append(f'<path class="line hue1" d="M{"L".join(f"{x} {y}" for x, y in points)}"/>')
    parts += [f'<circle class="dot hue1" cx="{x}" cy="{y}" r="2.4"/>' for x, y in points]
    parts.append(_knee(curve, xs, frame))
    told = ", ".join(f"severity {one.severity}: {three(one.score.value)}" for one in curve.levels)
    label = escape(f"{curve.axis.title}. Clean {three(curve.clean.value)}, {told}")
    size = f"0 0 {frame.width} {frame.height}"
    return f'<svg viewBox="{size}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _grid(frame: Frame) -> str:
    """A line a mark; of many every other one is not shown where there is little room."""
    parts = []
    for at, value in enumerate(frame.marks):
        y = frame.y(value)
        kind = ' class="less"' if at % 2 and len(frame.marks) > 4 else ""
        parts.append(
            f'<g{kind}><path class="grid" d="M{frame.left} {y}H{frame.right}"/>'
            f'<text class="end" x="{frame.left - 5}" y="{y + 4}">{number(value, 3)}</text></g>'
        )
    return "".join(parts)


def _x_labels(curve: StressCurve, xs: Sequence[float], frame: Frame) -> str:
    names = ["0", *(str(one.severity) for one in curve.levels)]
    return "".join(
        f'<text class="mid" x="{x}" y="{frame.height - 7}">{name}</text>'
        for x, name in zip(xs, names, strict=True)
    )


def _band(xs: Sequence[float], values: Sequence[Estimate], frame: Frame) -> str:
    rows = [
        (x, one)
        for x, one in zip(xs, values, strict=True)
        if math.isfinite(one.low) and math.isfinite(one.high)
    ]
    if len(rows) < 2:
        return ""
    there = [f"{x} {frame.y(one.high)}" for x, one in rows]
    back = [f"{x} {frame.y(one.low)}" for x, one in reversed(rows)]
    return f'<path class="band hue1" d="M{"L".join(there + back)}Z"/>'


def _other(curve: StressCurve, against: Against, xs: Sequence[float], frame: Frame) -> str:
    found = against.curve(curve.axis.name)
    if found is None:
        return ""
    values = [found.clean.value, *(one.score.value for one in found.levels)]
    points = [
        f"{x} {frame.y(value)}" for x, value in zip(xs, values, strict=False) if math.isfinite(value)
    ]
    return f'<path class="other" d="M{"L".join(points)}"/>'


def _knee(curve: StressCurve, xs: Sequence[float], frame: Frame) -> str:
    knee = curve.knee
    if knee is None:
        return ""
    x = xs[1 + list(curve.levels).index(knee)]
    return (
        f'<path class="kneeline" d="M{x} {_TOP}V{frame.bottom}"/>'
        f'<circle class="knee" cx="{x}" cy="{frame.y(knee.score.value)}" r="4.2"/>'
    )

"""The parts of a stress card as HTML: the table, the small multiples with their knees, the advice."""

from __future__ import annotations

import math
from collections.abc import Sequence

from striate.runs.markup import escape, number
from striate.stress.advice import Advice
from striate.stress.card import (
    Against,
    StressCard,
    ends_words,
    estimate_words,
    level_words,
    range_words,
    three,
)
from striate.stress.curves import Estimate, Level, StressCurve
from striate.stress.knee import Verdict
from striate.stress.registry import FAMILIES

__all__ = ["draw_advice", "draw_families", "draw_summary", "draw_verdict"]

_SIGNS: dict[Verdict, str] = {
    "holds": "●",
    "bends": "◐",
    "breaks": "○",
    "unclear": "?",
    "nothing to lose": "–",
}
"""Told apart without colour, too."""

WIDTH, HEIGHT = 240, 150
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 8, 24


def draw_verdict(verdict: Verdict) -> str:
    """A word in a pill."""
    kind = "nothing" if verdict == "nothing to lose" else verdict
    return f'<span class="verdict {kind}" data-sign="{_SIGNS[verdict]}">{escape(verdict)}</span>'


# -- the table --------------------------------------------------------------------------------


def draw_summary(card: StressCard) -> str:
    """One row an axis, by family: scores at a middle and at the harshest severity, knee, verdict."""
    name = card.measured.scorer.name
    middle, last = shown_severities(card.severities)
    columns = [f"severity {one}" for one in dict.fromkeys((middle, last))]
    head = "".join(f'<th scope="col" class="right">{escape(one)}</th>' for one in columns)
    rows = []
    for family, title in FAMILIES.items():
        mine = [one for one in card.curves if one.axis.family == family]
        if mine:
            rows.append(_family_row(title, 4 + len(columns)))
            rows += [_row(one, dict.fromkeys((middle, last))) for one in mine]
    if card.variation is not None:
        rows.append(_variation_row(card, len(columns)))
    clean = estimate_words(card.clean)
    return (
        '<figure class="wide stress"><div><table>'
        f"<caption>{escape(name[0].upper() + name[1:])}, {clean} on the pictures as they are. Beneath "
        "each score its 95 % interval.</caption>"
        f'<thead><tr><th scope="col">axis</th><th scope="col">levels</th>{head}'
        '<th scope="col" class="knees">knee</th><th scope="col">verdict</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></figure>"
    )


def _family_row(title: str, columns: int) -> str:
    head = f'<th scope="rowgroup" colspan="{columns}">{escape(title)}</th>'
    return f'<tr class="family">{head}</tr>'


def shown_severities(severities: Sequence[int]) -> tuple[int, int]:
    """A middle one, and the last: 3 and 5 of five.

    >>> shown_severities((1, 2, 3, 4, 5)), shown_severities((2,))
    ((3, 5), (2, 2))
    """
    return severities[(len(severities) - 1) // 2], severities[-1]


def _row(curve: StressCurve, severities: dict[int, None]) -> str:
    axis, knee = curve.axis, curve.knee
    cells = "".join(_score_cell(curve.at(one), one) for one in severities)
    where = "none"
    if knee is not None:
        more = "" if axis.unit == "severity" else f"<small>severity {knee.severity}</small>"
        where = f"{escape(level_words(knee.level, axis.unit))}{more}"
    return (
        f'<tr><th scope="row">{escape(axis.title)}<small>{escape(axis.name)}</small></th>'
        f'<td class="unit">{escape(range_words(axis))}</td>{cells}'
        f'<td class="knees" data-label="knee:">{where}</td>'
        f"<td>{draw_verdict(curve.verdict)}</td></tr>"
    )


def _score_cell(level: Level | None, severity: int) -> str:
    label = f'data-label="severity {severity}:"'
    if level is None:
        return f'<td class="right" {label}>–</td>'
    return f'<td class="right" {label}>{_score(level.score)}</td>'


def _score(found: Estimate) -> str:
    return f"{three(found.value)}<small>{ends_words(found)}</small>"


def _variation_row(card: StressCard, columns: int) -> str:
    found = card.variation
    assert found is not None
    worst = found.worst
    real = "worse than luck explains" if found.is_real else "within luck"
    return (
        f"{_family_row('Kinds of pictures within a class', 4 + columns)}"
        f'<tr><th scope="row">Worst kind<small>{escape(worst.group)}, {worst.pictures} pictures'
        "</small></th>"
        '<td class="unit">clusters of the last layer</td>'
        f'<td class="right" colspan="{columns}" data-label="score:">'
        f"{_score(Estimate(worst.score, *worst.interval))}</td><td></td>"
        f"<td>{escape(real)}</td></tr>"
    )


# -- small multiples --------------------------------------------------------------------------


def draw_families(card: StressCard) -> str:
    """A plot an axis, family by family, all on one scale."""
    parts = [_keys(card)]
    high = _top(card)
    for family, title in FAMILIES.items():
        mine = [one for one in card.curves if one.axis.family == family]
        if mine:
            plots = "".join(_plot(one, card, high) for one in mine)
            parts.append(f'<h3>{escape(title)}</h3><div class="plots">{plots}</div>')
    return f'<div class="families">{"".join(parts)}</div>'


def _top(card: StressCard) -> float:
    """The upper end of every plot: 1 for shares, else what is needed, at most twice a guess."""
    scorer = card.measured.scorer
    if scorer.more_is_better:
        return 1.0
    ends = [one.score.value for curve in card.curves for one in curve.levels]
    most = max([card.clean.value, *(one for one in ends if math.isfinite(one))], default=1.0)
    guess = scorer.chance if math.isfinite(scorer.chance) and scorer.chance > 0 else most
    return max(min(1.1 * max(most, guess), 2.5 * guess), 1e-9)


def _keys(card: StressCard) -> str:
    keys = [
        ('<path class="band hue1" d="M0 2H28V10H0Z"/><path class="line hue1" d="M0 6H28"/>',
         f"{card.measured.scorer.name}, with its 95 % band"),
        ('<path class="cleanline" d="M0 6H28"/>', "clean"),
        ('<path class="ideal" d="M0 6H28"/>', "chance"),
        ('<circle class="knee" cx="14" cy="6" r="4.5"/>', "knee"),
    ]  # fmt: skip
    if card.against is not None:
        keys.append(('<path class="other" d="M0 6H28"/>', card.against.run))
    rows = "".join(
        f'<li><svg viewBox="0 0 28 12" aria-hidden="true">{mark}</svg><span>{escape(words)}</span></li>'
        for mark, words in keys
    )
    return f'<ul class="keys">{rows}<li>across: severity, 0 as it is</li></ul>'


def _plot(curve: StressCurve, card: StressCard, high: float) -> str:
    axis = curve.axis
    last = curve.levels[-1]
    told = f"at {level_words(last.level, axis.unit)}: {three(last.score.value)}"
    if curve.pictures < card.pictures:
        told += f"; {curve.pictures} of {card.pictures} pictures"
    return (
        f'<div class="plot"><div class="head"><h4>{escape(axis.title)}</h4>'
        f"{draw_verdict(curve.verdict)}</div>{_svg(curve, card, high)}<p>{escape(told)}</p></div>"
    )


def _svg(curve: StressCurve, card: StressCard, high: float) -> str:
    xs = _places([0, *(one.severity for one in curve.levels)])
    values = [curve.clean, *(one.score for one in curve.levels)]
    parts = [_grid(high), _x_labels(curve, xs)]
    parts.append(f'<path class="cleanline" d="M{LEFT} {_y(curve.clean.value, high)}H{WIDTH - RIGHT}"/>')
    chance = card.measured.scorer.chance
    if math.isfinite(chance) and 0 < chance <= high:
        parts.append(f'<path class="ideal" d="M{LEFT} {_y(chance, high)}H{WIDTH - RIGHT}"/>')
    parts.append(_band(xs, values, high))
    if card.against is not None:
        parts.append(_other(curve, card.against, xs, high))
    points = [
        (x, _y(one.value, high)) for x, one in zip(xs, values, strict=True) if math.isfinite(one.value)
    ]
    parts.append(f'<path class="line hue1" d="M{"L".join(f"{x:.1f} {y}" for x, y in points)}"/>')
    parts += [f'<circle class="dot hue1" cx="{x:.1f}" cy="{y}" r="2.4"/>' for x, y in points]
    parts.append(_knee(curve, xs, high))
    told = ", ".join(f"severity {one.severity}: {three(one.score.value)}" for one in curve.levels)
    label = escape(f"{curve.axis.title}. Clean {three(curve.clean.value)}, {told}")
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _places(severities: Sequence[int]) -> list[float]:
    """x of severities, 0 the clean pass, 5 at the right edge."""
    most = max(5, *severities)
    return [LEFT + 6 + one / most * (WIDTH - LEFT - RIGHT - 12) for one in severities]


def _y(value: float, high: float) -> float:
    """In the drawing; cut off at its edges."""
    share = min(max(value / high, 0.0), 1.0)
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _grid(high: float) -> str:
    parts = []
    for at in (0.0, 0.25, 0.5, 0.75, 1.0):
        y, less = _y(at * high, high), ' class="less"' if at in (0.25, 0.75) else ""
        parts.append(
            f'<g{less}><path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>'
            f'<text class="end" x="{LEFT - 5}" y="{y + 4}">{number(at * high, 2)}</text></g>'
        )
    return "".join(parts)


def _x_labels(curve: StressCurve, xs: Sequence[float]) -> str:
    names = ["0", *(str(one.severity) for one in curve.levels)]
    return "".join(
        f'<text class="mid" x="{x:.1f}" y="{HEIGHT - 7}">{name}</text>'
        for x, name in zip(xs, names, strict=True)
    )


def _band(xs: Sequence[float], values: Sequence[Estimate], high: float) -> str:
    rows = [
        (x, one)
        for x, one in zip(xs, values, strict=True)
        if math.isfinite(one.low) and math.isfinite(one.high)
    ]
    if len(rows) < 2:
        return ""
    there = [f"{x:.1f} {_y(one.high, high)}" for x, one in rows]
    back = [f"{x:.1f} {_y(one.low, high)}" for x, one in reversed(rows)]
    return f'<path class="band hue1" d="M{"L".join(there + back)}Z"/>'


def _other(curve: StressCurve, against: Against, xs: Sequence[float], high: float) -> str:
    found = against.curve(curve.axis.name)
    if found is None:
        return ""
    values = [found.clean.value, *(one.score.value for one in found.levels)]
    points = [f"{x:.1f} {_y(value, high)}" for x, value in zip(xs, values, strict=False)]
    return f'<path class="other" d="M{"L".join(points)}"/>'


def _knee(curve: StressCurve, xs: Sequence[float], high: float) -> str:
    knee = curve.knee
    if knee is None:
        return ""
    x = xs[1 + list(curve.levels).index(knee)]
    return (
        f'<path class="kneeline" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
        f'<circle class="knee" cx="{x:.1f}" cy="{_y(knee.score.value, high)}" r="4.2"/>'
    )


# -- advice -----------------------------------------------------------------------------------


def draw_advice(advice: Sequence[Advice]) -> str:
    """What to try, or what trying it gave."""
    return f'<div class="tips">{"".join(_tip(one) for one in advice)}</div>'


def _tip(one: Advice) -> str:
    if one.gain is None:
        mark = '<span class="tried">not measured</span>'
        told = ""
    else:
        mark = '<span class="tried yes">measured</span>'
        told = f"<p><strong>{escape(one.gain.statement)}</strong></p>"
    had = (
        "<p>The run was trained with this already: more of it, or pictures of this kind.</p>"
        if one.had
        else ""
    )
    command = f"<pre>{escape(one.command)}</pre>" if one.command else ""
    return (
        f'<article class="tip"><h3>{escape(one.words.split(".")[0])}{mark}</h3>'
        f'<p class="why">{escape(one.why)}</p>{_rest(one.words)}{had}{told}{command}</article>'
    )


def _rest(words: str) -> str:
    _, _, rest = words.partition(". ")
    return f"<p>{escape(rest)}</p>" if rest else ""

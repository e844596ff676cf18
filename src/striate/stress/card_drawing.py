"""The parts of a stress card as HTML: the table and the advice."""

from __future__ import annotations

from collections.abc import Sequence

from striate.runs.markup import escape
from striate.stress.advice import Advice
from striate.stress.card import (
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

__all__ = ["draw_advice", "draw_summary", "draw_verdict"]

_SIGNS: dict[Verdict, str] = {
    "holds": "●",
    "bends": "◐",
    "breaks": "○",
    "unclear": "?",
    "nothing to lose": "–",
}
"""Told apart without colour, too."""


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

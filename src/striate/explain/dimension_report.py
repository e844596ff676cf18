"""Intrinsic dimension as sentences and figures."""

from __future__ import annotations

from collections.abc import Mapping

from striate.explain.dimension import Dimension, Estimate
from striate.figures import Bars, Curve, Figure, Lines, Section, Table
from striate.pictures.lettering import spaced

__all__ = ["about", "dimension_section", "dimension_statements", "method_section"]

_HIGH = 15
"""Dimension from which both estimates come out too low."""
_MOVES = 1.2
"""Factor between a quarter of the pictures and all of them from which an estimate still moves."""


def about(value: float) -> str:
    """A dimension for a sentence: no digits that are not known.

    >>> about(13.6), about(1.93)
    ('14', '1.9')
    """
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _ends(found: Estimate) -> str:
    return f"{about(found.low)} to {about(found.high)}"


def dimension_statements(found: Mapping[str, Dimension]) -> list[str]:
    """What was found, by what it was measured on: "pixels", and layers of a run.

    The first: "Your 1 000 pictures of 49 152 numbers vary along about 14 directions (13 to 15)."
    """
    said = []
    for name, one in found.items():
        value = about(one.two_nn.value)
        if name == "pixels":
            said.append(
                f"Your {spaced(one.distinct)} pictures of {spaced(one.numbers)} numbers vary along "
                f"about {value} directions ({_ends(one.two_nn)})."
            )
        else:
            said.append(
                f"Their {spaced(one.numbers)} {name} vary along about {value} ({_ends(one.two_nn)})."
            )
    first = next(iter(found.values()))
    if first.count > first.distinct:
        extra = first.count - first.distinct
        said.append(f"{spaced(extra)} {'copy was' if extra == 1 else 'copies were'} left out.")
    if caution := _caution(found):
        said.append(caution)
    return said


def _caution(found: Mapping[str, Dimension]) -> str:
    """Where the numbers say themselves that they are not to be trusted to the digit."""
    moving = [name for name, one in found.items() if _moves(one)]
    high = [name for name, one in found.items() if one.two_nn.value >= _HIGH and name not in moving]
    parts = []
    if moving:
        one = found[moving[0]]
        (few, early), (many, late) = one.by_count[-3], one.by_count[-1]
        parts.append(
            f"With more pictures the estimate of the {moving[0]} still moves (from {about(early.value)} "
            f"with {spaced(few)} to {about(late.value)} with {spaced(many)}): take its order of size, "
            "not its digits."
        )
    if high:
        parts.append(
            f"Dimensions as high as that of the {high[0]} come out too low: it is at least so many."
        )
    return " ".join(parts)


def _moves(one: Dimension) -> bool:
    if len(one.by_count) < 3:
        return False
    early, late = one.by_count[-3][1].value, one.by_count[-1][1].value
    return max(early, late) > _MOVES * min(early, late)


def dimension_section(found: Mapping[str, Dimension]) -> Section:
    """The estimates side by side, and how they hold with fewer pictures."""
    names = list(found)
    table = Table(
        "In numbers",
        "Two estimates of the same thing. Straight directions: principal components that hold 95 % of "
        "the variance; – where there are too few pictures to tell. A curved sheet needs more of them.",
        ("measured on", "numbers", "pictures", "TwoNN", "95 %", "max. likelihood", "95 % ", "straight"),
        [
            (
                name,
                one.numbers,
                one.distinct,
                f"{one.two_nn.value:.1f}",
                f"{one.two_nn.low:.1f} to {one.two_nn.high:.1f}",
                f"{one.mle.value:.1f}",
                f"{one.mle.low:.1f} to {one.mle.high:.1f}",
                "–" if one.linear is None else str(one.linear),
            )
            for name, one in found.items()
        ],
    )
    figures: list[Figure] = [table]
    if len(names) > 1:
        values = [one.two_nn for one in found.values()]
        figures.append(
            Bars(
                "From pixels to the answer",
                "Directions along which the same pictures vary, by TwoNN.",
                names,
                [round(one.value, 1) for one in values],
                "directions",
                [round(one.low, 1) for one in values],
                [round(one.high, 1) for one in values],
            )
        )
    if any(len(one.by_count) > 1 for one in found.values()):
        figures.append(_by_count(found))
    return Section("Directions", " ".join(dimension_statements(found)), figures)


def _by_count(found: Mapping[str, Dimension]) -> Lines:
    curves = []
    for name, one in found.items():
        counts, estimates = [count for count, _ in one.by_count], [each for _, each in one.by_count]
        low, high = [each.low for each in estimates], [each.high for each in estimates]
        curves.append(Curve(name, counts, [each.value for each in estimates], low, high))
    return Lines(
        "With fewer pictures",
        "TwoNN on parts of the set. A level line means that the estimate can be trusted; a rising one, "
        "that more pictures would show more directions.",
        curves,
        "pictures",
        "directions",
    )


def method_section() -> Section:
    """How it is measured, and what it is not."""
    rows = [
        (
            "TwoNN",
            "Facco, d'Errico, Rodriguez & Laio, Scientific Reports 7 (2017): the ratio of the distances "
            "to the two nearest neighbours follows a law with the dimension as its exponent.",
        ),
        (
            "max. likelihood",
            "Levina & Bickel, NeurIPS 2004: distances to 10 to 20 neighbours, averaged as MacKay & "
            "Ghahramani (2005) correct it.",
        ),
        (
            "intervals",
            "95 %, from random halves of the pictures (delete-d jackknife). They tell how far luck of "
            "the sample may move the estimate, not its bias.",
        ),
        (
            "too low",
            "From about 15 directions on: points grow so rare that neighbours lie at the edge.",
        ),
        (
            "too high",
            "Where pictures lie so dense that noise is what sets neighbours apart; TwoNN more than the "
            "other.",
        ),
        (
            "distance",
            "Euclidean, between pixels 0 to 255 or numbers of a layer. Equal pictures count once.",
        ),
    ]
    return Section("How it is measured", "", [Table("Terms", "", ("what", "how"), rows)])

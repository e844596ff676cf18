"""The test as figures: which detector to take, and what each change does to all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from striate.features.repeatability.changes import CHANGES
from striate.features.repeatability.results import FeatureTest, Measure, mean
from striate.features.repeatability.scores import RATIO, SAME_PX
from striate.figures import Curve, Figure, Gallery, GalleryItem, Lines, Section, Table

__all__ = ["CORNERS", "MEASURES", "headline", "sections"]

CORNERS = ("harris", "shi-tomasi", "fast", "orb", "brisk", "harris-affine")
"""Detectors of corners; the others look for spots and regions."""

_MOST_CURVES = 7
"""On one pair of axes; more cannot be told apart."""

MEASURES: dict[Measure, tuple[str, str]] = {
    "repeatability": (
        "Repeatability",
        "Regions that are found again, one to one, over the smaller of both counts. Only the part that "
        "both pictures show counts.",
    ),
    "chance": (
        "Chance",
        "The repeatability if the second picture's regions, with their sizes, lay anywhere. Detectors "
        "with one fixed size have more of it.",
    ),
    "above_chance": (
        "Above chance",
        "(repeatability − chance) / (1 − chance): 0 for luck, 1 for all found again. Detectors are "
        "ranked by it.",
    ),
    "same_place": (
        "Same place",
        f"The same count with points at most {SAME_PX} pixels apart, whatever their size "
        "(Schmid, Mohr & Bauckhage, IJCV 2000).",
    ),
    "matching": (
        "Matching score",
        "Regions whose nearest SIFT descriptor in the other picture is the right one, over the smaller "
        "of both counts.",
    ),
    "precision": ("Precision", "Of these nearest neighbours, the share that is right."),
    "distinctness": (
        "Distinctness",
        f"Of the regions found again, the share whose descriptor is nearer than {RATIO} of the nearest "
        "from another place: those that Lowe's ratio test (IJCV 2004, 7.1) would accept.",
    ),
}
"""Name and meaning of each measure."""


def headline(test: FeatureTest) -> list[tuple[str, str]]:
    """The leaders, for large print."""
    found = []
    measures: tuple[tuple[str, Measure], ...] = (
        ("most repeatable above chance", "above_chance"),
        ("best matched", "matching"),
        ("most distinct", "distinctness"),
    )
    for words, measure in measures:
        best = test.best(measure)
        found.append((words, "none" if best is None else f"{best[0]} ({best[1]:.2f})"))
    return found


def sections(test: FeatureTest) -> list[Section]:
    """The whole report."""
    return [_short(test), *(_change(test, change) for change in test.changes), _method(test)]


def _short(test: FeatureTest) -> Section:
    ranked = test.summaries()
    columns = ("detector", *(MEASURES[one][0].lower() for one in MEASURES), "points", "ms a picture")
    rows: list[tuple[str | float, ...]] = [
        (
            one.kind,
            *(
                shown(value)
                for value in (
                    one.repeatability,
                    one.chance,
                    one.above_chance,
                    one.same_place,
                    one.matching,
                    one.precision,
                    one.distinctness,
                )
            ),
            round(one.key_points, 0),
            round(one.milliseconds, 1),
        )
        for one in ranked
    ]
    table = Table(
        "All detectors",
        "Means over all changes; each change counts alike, and each strength within it. Points: how "
        "many lay in the shared part. Time: to find them, on this machine.",
        columns,
        rows,
    )
    figures: list[Figure] = [table]
    for measure in ("repeatability", "matching"):
        order = [one.kind for one in ranked]
        grid = [
            (kind, *(shown(test.over_change(kind, c, measure)) for c in test.changes)) for kind in order
        ]
        title = f"{MEASURES[measure][0]} by change"
        figures.append(Table(title, "Means over strengths.", ("detector", *test.changes), grid))
    return Section("In short", "", figures)


def _change(test: FeatureTest, name: str) -> Section:
    change = CHANGES[name]
    items = [GalleryItem(picture, change.shown(level)) for c, level, picture in test.shown if c == name]
    figures: list[Figure] = [Gallery("What was measured", "The first picture.", items)]
    for measure in ("repeatability", "matching"):
        groups = _groups(test.kinds)
        for words, kinds in groups:
            title = MEASURES[measure][0] + (f": {words}" if words else "")
            figures.append(_lines(test, name, measure, kinds, title))
        if len(groups) == 1 and measure == "repeatability":
            figures.append(_lines(test, name, "matching", test.kinds, MEASURES["matching"][0]))
            break
    return Section(change.title, change.about, figures)


def _groups(kinds: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Detectors that share axes."""
    if len(kinds) <= _MOST_CURVES:
        return [("", tuple(kinds))]
    corners = tuple(kind for kind in kinds if kind in CORNERS)
    spots = tuple(kind for kind in kinds if kind not in CORNERS)
    return [(words, one) for words, one in (("spots", spots), ("corners", corners)) if one]


def _lines(test: FeatureTest, change: str, measure: Measure, kinds: Sequence[str], title: str) -> Lines:
    levels = CHANGES[change].levels
    curves = [Curve(kind, levels, test.curve(kind, change, measure)) for kind in kinds]
    if measure == "repeatability":
        chance = [
            mean([test.curve(kind, change, "chance")[at] for kind in kinds]) for at in range(len(levels))
        ]
        curves.append(Curve("chance", levels, chance))
    return Lines(title, "", curves, CHANGES[change].label, "share", y_range=(0.0, 1.0))


def _method(test: FeatureTest) -> Section:
    chosen = test.settings
    terms = Table("What the numbers mean", "", ("measure", "meaning"), list(MEASURES.values()))
    kept = f"the {chosen.limit} strongest of each detector in each picture"
    rows = [
        ("key points", kept),
        (
            "same region",
            f"overlap error below {chosen.overlap:g}, the first one brought to a radius of 30 px",
        ),
        ("picture size", f"at most {chosen.longest} pixels, larger ones are scaled down"),
        ("seed", str(chosen.seed)),
        ("protocol", "Mikolajczyk et al., IJCV 65 (2005); Mikolajczyk & Schmid, PAMI 27 (2005)"),
    ]
    words = (
        "The changes are made, not photographed: they are known to the last digit, and kinder than a "
        "walk around a real scene, which has depth, shadows and a camera's own errors."
    )
    return Section(
        "How it is measured", words, [terms, Table("Terms of this test", "", ("what", "how"), rows)]
    )


def shown(value: float, digits: int = 2) -> str:
    """A number for a column: always so many digits, "n/a" for what is not known."""
    return "n/a" if math.isnan(value) else f"{value:.{digits}f}"

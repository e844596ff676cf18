"""The page of a comparison: which rung is how good, how dear, how large and how fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from striate.figures import Bars, Curve, Figure, Lines, Section, Table
from striate.verbs.comparing.measured import Comparison, RungResult

__all__ = ["enough", "model_sections", "score_text", "size_sections", "title_of"]

_BLUR = 0.05
"""A class that is recognised this much less often than at its best size is blurred."""
_CLASSES = 8


def model_sections(found: Comparison) -> list[Section]:
    """Bars of score, time, size and latency, and all numbers in a table."""
    trained = [one for one in found.rungs if one.score is not None]
    names = [one.name for one in trained]
    figures: list[Figure] = [
        Bars(
            title_of(found.metric),
            f"On {_split(trained)} pictures; the lines are 95 % intervals. {_best(found)}",
            names,
            [float(one.score or 0.0) for one in trained],
            found.metric,
            [one.interval[0] if one.interval else float(one.score or 0) for one in trained],
            [one.interval[1] if one.interval else float(one.score or 0) for one in trained],
        ),
        Bars(
            "Training time",
            "Seconds of the whole command, from reading the pictures to the report.",
            names,
            [one.train_s for one in trained],
            "seconds",
        ),
        Bars("Size", "The model's file.", names, [one.size_mb for one in trained], "MB"),
        Bars(
            "Latency",
            "One picture at a time, already decoded; the median of thirty.",
            names,
            [one.latency_ms for one in trained],
            "ms",
        ),
        _table(found),
    ]
    ladder = any(one.idea for one in found.rungs)
    intro = "Each step adds one idea to the one before." if ladder else ""
    return [Section("Side by side", intro, figures)]


def title_of(metric: str) -> str:
    """A metric's name as a heading.

    >>> title_of("accuracy"), title_of("mae")
    ('Accuracy', 'MAE')
    """
    return metric.upper() if len(metric) <= 4 else metric.capitalize()


def _split(trained: Sequence[RungResult]) -> str:
    return trained[0].split if trained else "held-out"


def _best(found: Comparison) -> str:
    best = found.best
    return f"{best.name} is best." if best else "Nothing was trained."


def _table(found: Comparison) -> Table:
    rows = []
    for one in found.rungs:
        if one.score is None:
            rows.append([one.name, "–", "–", "–", "–", "–", one.reason])
            continue
        weights = "–" if one.parameters is None else f"{one.parameters:,}".replace(",", " ")
        numbers = [weights, f"{one.train_s:.1f}", f"{one.size_mb:.3g}", f"{one.latency_ms:.2f}"]
        rows.append([one.name, score_text(one, found.metric), *numbers, one.idea])
    times = ["training, s", "size, MB", "latency, ms"]
    columns = ["model", found.metric, "parameters", *times, "what it adds"]
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Table("All numbers", "Intervals are at 95 %.", columns, rows)


def score_text(one: RungResult, metric: str) -> str:
    """The score with its interval; shares as per cent."""
    if one.score is None:
        return "–"
    pattern, unit = ("{:.1f} %", 100) if metric in ("accuracy", "map") else ("{:.3g}", 1)
    ends = [pattern.format(unit * end) for end in one.interval or ()]
    return pattern.format(unit * one.score) + (f" ({' to '.join(ends)})" if ends else "")


def size_sections(found: Comparison, sides: Sequence[int]) -> list[Section]:
    """The curve over the size, where each class blurs, and which classes it blurs into."""
    trained = [
        (side, one) for side, one in zip(sides, found.rungs, strict=True) if one.score is not None
    ]
    curve = Curve(
        found.metric,
        [side for side, _ in trained],
        [float(one.score or 0) for _, one in trained],
        [one.interval[0] if one.interval else float(one.score or 0) for _, one in trained],
        [one.interval[1] if one.interval else float(one.score or 0) for _, one in trained],
    )
    figures: list[Figure] = [
        Lines(
            f"{title_of(found.metric)} against resolution",
            "The longer side of the input; the band is the 95 % interval.",
            [curve],
            "pixels",
            found.metric,
        )
    ]
    recalls = _recalls(trained)
    if recalls:
        shown = sorted(recalls, key=lambda name: min(recalls[name].values()))[:_CLASSES]
        figures.append(
            Lines(
                "Each class",
                "How many of its pictures are recognised; those that suffer most come first.",
                [Curve(name, list(recalls[name]), list(recalls[name].values())) for name in shown],
                "pixels",
                "recall",
                y_range=(0.0, 1.0),
            )
        )
        figures.append(_blur_table(trained, recalls))
    return [Section("Resolution", "The same model, trained again at each size.", figures)]


def _recalls(trained: Sequence[tuple[int, RungResult]]) -> dict[str, dict[int, float]]:
    """Class → side → share of its pictures that was recognised."""
    found: dict[str, dict[int, float]] = {}
    for side, one in trained:
        for name, row in _classes(one):
            if row.get("recall") is not None:
                found.setdefault(name, {})[side] = float(row["recall"])
    return found


def _classes(one: RungResult) -> list[tuple[str, Mapping[str, Any]]]:
    per_class = (one.metrics or {}).get("per_class")
    if isinstance(per_class, Mapping):
        return list(per_class.items())
    return [(str(row.get("name", row.get("label"))), row) for row in per_class or ()]


def blur_side(recall: Mapping[int, float]) -> int:
    """The smallest side at which recall comes within 5 points of its best; below it the class blurs.

    >>> blur_side({8: 0.4, 16: 0.81, 32: 0.83, 64: 0.84})
    16
    """
    best = max(recall.values())
    return min(side for side, share in recall.items() if share >= best - _BLUR)


def enough(found: Comparison) -> RungResult | None:
    """The smallest size that is not surely worse than the best: inside the best's interval."""
    best = found.best
    if best is None or best.interval is None or best.score is None:
        return best
    low, high = best.interval
    return next((one for one in found.rungs if one.score is not None and low <= one.score <= high), best)


def _blur_table(
    trained: Sequence[tuple[int, RungResult]], recalls: Mapping[str, Mapping[int, float]]
) -> Table:
    support = {name: str(row.get("support", "–")) for name, row in _classes(trained[-1][1])}
    rows = []
    for name, recall in sorted(recalls.items(), key=lambda item: -blur_side(item[1])):
        needed = blur_side(recall)
        below = [side for side in recall if side < needed]
        at = max(below) if below else needed
        into = _confused_with(dict(trained)[at], name) if below else ""
        rows.append(
            [
                name,
                support.get(name, "–"),
                f"{needed} px",
                f"{100 * max(recall.values()):.0f} %",
                f"{at} px: {100 * recall[at]:.0f} %" if below else "never, at these sizes",
                into,
            ]
        )
    columns = ["class", "pictures", "needs", "recall at best", "blurs at", "is then taken for"]
    return Table(
        "Where classes blur together",
        "The smallest size at which a class comes within 5 points of its best recall; coarse for one "
        "with few pictures.",
        columns,
        rows,
    )


def _confused_with(one: RungResult, name: str) -> str:
    """The class that `name` is most often taken for, from the confusion matrix."""
    metrics = one.metrics or {}
    confusion, names = metrics.get("confusion"), [label for label, _ in _classes(one)]
    if isinstance(confusion, Mapping):
        names, confusion = list(confusion.get("names", names)), confusion.get("counts")
    if not confusion or name not in names:
        return ""
    row = list(confusion[names.index(name)])
    row[names.index(name)] = -1
    most = max(range(len(row)), key=lambda index: row[index])
    return str(names[most]) if row[most] > 0 else ""

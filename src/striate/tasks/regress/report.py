"""What a report shows of a regressor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from striate.figures import Bars, Figure, Gallery, GalleryItem, Scatter, Section, Table
from striate.metrics.plain import percent
from striate.metrics.regression import difference
from striate.task import Evidence
from striate.tasks.regress.config import RegressFacts
from striate.tasks.regress.data import Values, encode
from striate.tasks.regress.types import Regression
from striate.types import Array

__all__ = ["regress_sections", "regress_summary"]

_TARGETS, _PICTURES, _POINTS, _BINS = 6, 24, 2000, 15


def regress_sections(evidence: Evidence[Values, Regression], facts: RegressFacts) -> list[Section]:
    """How near the numbers are, whether the intervals hold, and the worst pictures."""
    if not evidence.predictions:
        return [Section("Results", "No pictures were evaluated.")]
    truth = encode(evidence.dataset.targets, len(facts.names))
    value = np.stack([found.values for found in evidence.predictions])  # (N, K)
    errors = np.stack(
        [difference(truth[:, k], value[:, k], angle=angle) for k, angle in enumerate(facts.is_angle)],
        axis=1,
    )
    return [
        _nearness(evidence.metrics, truth, value, errors, facts),
        _intervals(evidence.metrics, facts),
        Section("Mistakes", "", [_worst(evidence, truth, errors, facts)]),
    ]


def _nearness(
    metrics: Mapping[str, Any], truth: Array, value: Array, errors: Array, facts: RegressFacts
) -> Section:
    intro = " ".join(
        f"{name} is {_number(one['mae'], angle, one['mae_interval'])} off on average; always guessing "
        f"the middle would be {_number(one['baseline_mae'], angle)} off."
        for (name, one), angle in zip(_first(metrics["per_target"]), facts.is_angle, strict=False)
    )
    figures: list[Figure] = []
    for k, name in enumerate(facts.names[:_TARGETS]):
        scatter = _scatter(name, truth[:, k], value[:, k], facts.is_angle[k])
        figures += [scatter, _histogram(name, errors[:, k])]
    return Section("Values", intro, [*figures, _table(metrics["per_target"], facts)])


def _first(per_target: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return list(per_target.items())[:_TARGETS]


def _scatter(name: str, truth: Array, value: Array, angle: bool) -> Scatter:
    wraps = " Opposite corners are near each other: the angle wraps." if angle else ""
    rows = np.unique(np.linspace(0, len(truth) - 1, min(_POINTS, len(truth))).astype(int))
    return Scatter(
        title=f"{name}: true and predicted",
        caption="One point a picture; on the diagonal it is right. A flat cloud means that the "
        f"middle is guessed.{wraps}",
        x=truth[rows].tolist(),
        y=value[rows].tolist(),
        x_label=f"true {name}",
        y_label=f"predicted {name}",
        diagonal=True,
    )


def _histogram(name: str, errors: Array) -> Bars:
    reach = max(float(np.abs(errors).max()), 1e-12)
    counts, edges = np.histogram(errors, bins=_BINS, range=(-reach, reach))
    middles = (edges[:-1] + edges[1:]) / 2
    return Bars(
        title=f"{name}: predicted − true",
        caption="How many pictures are off by how much. A heap beside 0 is a bias.",
        names=[f"{middle:+.3g}" for middle in middles.tolist()],
        values=counts.tolist(),
        x_label="pictures",
    )


def _table(per_target: Mapping[str, Any], facts: RegressFacts) -> Table:
    rows = []
    for (name, one), angle in zip(per_target.items(), facts.is_angle, strict=True):
        keys = ("mae", "median_ae", "rmse", "max_error", "baseline_mae")
        rows.append((name, *(_number(one[key], angle) for key in keys), _number(one["r2"], False)))
    return Table(
        title="Each target in numbers",
        caption="Errors in the target's own unit. R² is the share of the spread that is explained: 1 is "
        "perfect, 0 is guessing the mean, below 0 is worse than that.",
        columns=("target", "mean error", "median", "root mean square", "largest", "guessing", "R²"),
        rows=rows,
    )


def _intervals(metrics: Mapping[str, Any], facts: RegressFacts) -> Section:
    title = "Do the intervals hold?"
    with_interval = [(n, one) for n, one in metrics["per_target"].items() if one["coverage"] is not None]
    if not with_interval:
        return Section(title, "There are none: no validation pictures were left to fit them on.")
    intro = (
        f"Each number comes with an interval that should hold the truth in {percent(facts.coverage)} of "
        f"new pictures; here it does in {percent(metrics['coverage'])}."
    )
    bars = Bars(
        title="Truths within their interval",
        caption=f"Should be {percent(facts.coverage)}; the whiskers are 95 % intervals.",
        names=[name for name, _ in with_interval],
        values=[one["coverage"] for _, one in with_interval],
        low=[one["coverage_interval"][0] for _, one in with_interval],
        high=[one["coverage_interval"][1] for _, one in with_interval],
        x_label="share of pictures",
    )
    return Section(title, intro, [bars])


def _worst(
    evidence: Evidence[Values, Regression], truth: Array, errors: Array, facts: RegressFacts
) -> Gallery:
    """The pictures with the largest error, in standard deviations of the target."""
    off = np.abs(errors) / np.asarray(facts.scale)
    items = []
    for row in np.argsort(-off.max(axis=1), kind="stable")[:_PICTURES].tolist():
        if not off[row].any():
            break
        k = int(off[row].argmax())
        said = evidence.predictions[row].rows()[k][1]
        true = _number(float(truth[row, k]), facts.is_angle[k])
        title = f"{facts.names[k]} is {true}, predicted {said}"
        items.append(GalleryItem(evidence.picture(row), title, evidence.dataset.records[row].key, "bad"))
    return Gallery(
        title="Furthest off",
        caption="Often a wrong truth, or a kind of picture that training never showed.",
        items=items,
        empty="No mistakes.",
    )


def _number(value: float | None, angle: bool, interval: list[float] | None = None) -> str:
    if value is None:
        return "–"
    unit = "°" if angle else ""
    ends = "" if interval is None else f" ({interval[0]:.3g} to {interval[1]:.3g})"
    return f"{value:.4g}{unit}{ends}"


def regress_summary(metrics: Mapping[str, Any], facts: RegressFacts) -> list[tuple[str, str]]:
    """The numbers that a person reads first."""
    angles = all(facts.is_angle)
    lines = [
        ("mean absolute error", _number(metrics["mae"], angles, metrics["mae_interval"])),
        ("guessing the middle", _number(metrics["baseline_mae"], angles)),
        ("R²", _number(metrics["r2"], False)),
        (f"within the {percent(facts.coverage)} interval", percent(metrics["coverage"])),
    ]
    if len(facts.names) > 1:
        for (name, one), angle in zip(_first(metrics["per_target"]), facts.is_angle, strict=False):
            lines.append((f"error of {name}", _number(one["mae"], angle, one["mae_interval"])))
    return [*lines, ("pictures", str(metrics["n"]))]

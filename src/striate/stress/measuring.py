"""One run on its pictures, clean and along every axis: curves, and which pictures fall where."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.stress.changes import Axis
from striate.stress.curves import StressCurve, curve_of
from striate.stress.judged import Judged
from striate.stress.resamples import Resamples
from striate.stress.runner import Engine, Pass, Spent
from striate.stress.scoring import Scorer, scorer_of
from striate.stress.stock import Stock
from striate.types import Array, Picture

__all__ = ["Case", "Measured", "measure_axes", "worst_cases"]

_NO_TIME = "the time budget ended before it"


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A run's clean pass, its curves, and the marks of every pass.

    `stock`: the pictures, with what the answers rest on where an axis asked. `judged`: by (axis name,
    severity). `left_out`: (axis, reason) of what was to be measured and was not. `spent`: seconds of
    all workers; `passes`: picture-passes.
    """

    stock: Stock
    scorer: Scorer
    clean: Judged
    clean_results: list[Any]
    curves: tuple[StressCurve, ...]
    judged: Mapping[tuple[str, int], Judged]
    left_out: tuple[tuple[Axis, str], ...]
    spent: Spent
    passes: int

    def curve(self, name: str) -> StressCurve | None:
        """Of an axis, if it was measured."""
        return next((one for one in self.curves if one.axis.name == name), None)


def measure_axes(
    engine: Engine,
    stock: Stock,
    axes: Sequence[Axis],
    severities: Sequence[int],
    resamples: Resamples,
    *,
    listen: Callable[[int], None] = lambda pictures: None,
    until: float | None = None,
) -> Measured:
    """Measure `engine`'s run on `stock`, clean and along `axes`.

    `listen` hears how many pictures were answered. `until` (`time.monotonic()`): no axis is begun after
    it; those are left out, with the reason.
    """
    engine.settle(stock)
    scorer = scorer_of(engine.task, stock.truths, resamples)
    (first,) = engine.passes(stock, [Pass(None, 0)], listen=listen)
    clean = scorer.judge(first.results, first.truths)
    spent, passes = first.spent, len(stock)
    if any(axis.needs_heat for axis in axes):
        stock = engine.heated(stock, first.results, scorer, listen=listen)
    judged: dict[tuple[str, int], Judged] = {}
    seconds: dict[str, float] = {}
    begun: list[Axis] = []

    def wanted() -> Any:
        for axis in axes:
            if until is not None and time.monotonic() > until:
                return
            begun.append(axis)
            yield from (Pass(axis, severity) for severity in severities)

    for one in engine.passes(stock, wanted(), listen=listen):
        assert one.made.axis is not None
        name = one.made.axis.name
        judged[name, one.made.severity] = scorer.judge(one.results, one.truths)
        seconds[name] = seconds.get(name, 0.0) + one.spent.total
        spent, passes = spent + one.spent, passes + len(stock)
    curves = tuple(_curve(axis, severities, clean, judged, scorer, seconds[axis.name]) for axis in begun)
    late = tuple((axis, _NO_TIME) for axis in axes if axis not in begun)
    return Measured(stock, scorer, clean, first.results, curves, judged, late, spent, passes)


def _curve(
    axis: Axis,
    severities: Sequence[int],
    clean: Judged,
    judged: Mapping[tuple[str, int], Judged],
    scorer: Scorer,
    seconds: float,
) -> StressCurve:
    passes = [(severity, judged[axis.name, severity]) for severity in severities]
    return curve_of(
        axis,
        clean,
        passes,
        scorer.chance,
        more_is_better=scorer.more_is_better,
        fallen=[int(scorer.fallen(clean, found).sum()) for _, found in passes],
        seconds=seconds,
    )


# -- the worst cases --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """A picture that was right, the mildest change that made it wrong, and how sure the wrong answer is.

    `row` of the stock; `before`, `after`: the answers.
    """

    row: int
    axis: Axis
    severity: int
    sureness: float
    before: Any
    after: Any
    pixels: Picture
    """As it was changed."""


def worst_cases(
    engine: Engine, measured: Measured, axis: Axis, *, most: int, spare: set[int]
) -> list[Case]:
    """Pictures that fall at the mildest severity of `axis`, the surest of their wrong answers first.

    `spare`: rows that were shown already; those taken are added.
    """
    stock = measured.stock
    chosen = [one for one in _ranked(measured, axis) if one[0] not in spare][:most]
    cases = []
    for row, severity, sureness in chosen:
        spare.add(row)
        only = slice(row, row + 1)
        pixels = engine.changed(stock, Pass(axis, severity), only).pictures
        (after,), _ = engine.ask(pixels, stock.prepared[only])
        before = measured.clean_results[row]
        cases.append(Case(row, axis, severity, sureness, before, after, pixels[0]))
    return cases


def _ranked(measured: Measured, axis: Axis) -> list[tuple[int, int, float]]:
    """(row, severity, sureness) of all pictures that fall, the worst first."""
    own = {severity: found for (name, severity), found in measured.judged.items() if name == axis.name}
    first: dict[int, tuple[int, float]] = {}
    for severity, found in sorted(own.items()):
        rows = np.flatnonzero(measured.scorer.fallen(measured.clean, found))
        for row in rows.tolist():
            first.setdefault(row, (severity, _worth(measured.clean, found, row)))
    return sorted(
        ((row, severity, worth) for row, (severity, worth) in first.items()),
        key=lambda one: (one[1], -one[2], one[0]),
    )


def _worth(clean: Judged, found: Judged, row: int) -> float:
    """How sure a wrong answer is; where answers are never sure, how far it is worse."""
    sure: Array = found.sureness
    return float(sure[row]) if sure.any() else float(clean.marks[row] - found.marks[row])

"""One run on its pictures, clean and along every axis: curves, and which pictures fall where."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from striate.stress.changes import Axis
from striate.stress.curves import StressCurve, curve_of
from striate.stress.judged import Judged
from striate.stress.resamples import Resamples, resamples_for
from striate.stress.runner import Answered, Engine, Pass, Spent
from striate.stress.scoring import Scorer, scorer_of
from striate.stress.stock import Stock
from striate.task import Task
from striate.types import Array, Picture

__all__ = ["Case", "Measured", "measure_axes", "worst_cases"]

_NO_TIME = "the time budget ended before it"
_NONE = "none of the pictures that were taken can be changed so"


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
    beside: Task[Any, Any] | None = None,
) -> Measured:
    """Measure `engine`'s run on `stock`, clean and along `axes`.

    `listen` hears how many pictures were answered. `until` (`time.monotonic()`): no axis is begun after
    it; those are left out, with the reason. `beside`: see `scorer_of`.
    """
    engine.settle(stock)
    (first,) = engine.passes(stock, [Pass(None, 0)], listen=listen)
    clean = _Clean.of(engine.task, first.results, first.truths, resamples, beside)
    spent, passes = first.spent, len(stock)
    if any(axis.needs_heat for axis in axes):
        stock = engine.heated(stock, first.results, clean.scorer, listen=listen)
    rows = {axis.name: stock.rows_of(axis) for axis in axes}
    judged: dict[tuple[str, int], Judged] = {}
    begun: dict[str, _Along] = {}

    def wanted() -> Iterator[Pass]:
        for axis in axes:
            if until is not None and time.monotonic() > until:
                return
            if own := rows[axis.name]:
                begun[axis.name] = _Along(axis, own, clean.at(own))
                some = own if len(own) < len(stock) else None
                yield from (Pass(axis, severity, some) for severity in severities)

    for one in engine.passes(stock, wanted(), listen=listen):
        assert one.made.axis is not None
        along, severity = begun[one.made.axis.name], one.made.severity
        along.judge(one)
        judged[along.axis.name, severity] = along.among_all(clean.judged, severity)
        spent, passes = spent + one.spent, passes + len(one.results)
    curves = tuple(along.curve() for along in begun.values())
    late = tuple(
        (axis, _NO_TIME if rows[axis.name] else _NONE) for axis in axes if axis.name not in begun
    )
    return Measured(
        stock, clean.scorer, clean.judged, first.results, curves, judged, late, spent, passes
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Clean:
    """Answers to pictures as they are, and what they are worth."""

    task: Task[Any, Any]
    results: list[Any]
    truths: list[Any]
    resamples: Resamples
    scorer: Scorer
    judged: Judged
    beside: Task[Any, Any] | None

    @classmethod
    def of(
        cls,
        task: Task[Any, Any],
        results: list[Any],
        truths: list[Any],
        resamples: Resamples,
        beside: Task[Any, Any] | None,
    ) -> Self:
        scorer = scorer_of(task, truths, resamples, beside)
        return cls(task, results, truths, resamples, scorer, scorer.judge(results, truths), beside)

    def at(self, rows: Sequence[int]) -> _Clean:
        """Those at `rows` alone."""
        if len(rows) == len(self.results):
            return self
        results, truths = ([given[row] for row in rows] for given in (self.results, self.truths))
        own = resamples_for(len(rows), seed=len(rows), most=len(self.resamples))
        return _Clean.of(self.task, results, truths, own, self.beside)


@dataclass(slots=True, eq=False)
class _Along:
    """What an axis came to on the pictures that it changes, those at `rows` of the stock.

    The others stay as they are, and would only water down what it does.
    """

    axis: Axis
    rows: Sequence[int]
    clean: _Clean
    judged: dict[int, Judged] = field(default_factory=dict)
    seconds: float = 0.0

    def judge(self, found: Answered) -> None:
        """One severity."""
        self.judged[found.made.severity] = self.clean.scorer.judge(found.results, found.truths)
        self.seconds += found.spent.total

    def among_all(self, clean: Judged, severity: int) -> Judged:
        """A severity with marks for all pictures, `clean` ones for those that were not changed."""
        found = self.judged[severity]
        if len(self.rows) == len(clean.marks):
            return found
        marks, sureness = clean.marks.copy(), clean.sureness.copy()
        marks[list(self.rows)], sureness[list(self.rows)] = found.marks, found.sureness
        return replace(found, marks=marks, sureness=sureness)

    def curve(self) -> StressCurve:
        """Of all severities, mild to harsh."""
        scorer, clean = self.clean.scorer, self.clean.judged
        return curve_of(
            self.axis,
            clean,
            list(self.judged.items()),
            scorer.chance,
            more_is_better=scorer.more_is_better,
            fallen=[int(scorer.fallen(clean, found).sum()) for found in self.judged.values()],
            seconds=self.seconds,
        )


# -- the worst cases --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """A picture that was right, the mildest change that made it wrong, and how sure the wrong answer is.

    `row` of the stock; `before`, `after`: the answers; `truth`: of the changed picture.
    """

    row: int
    axis: Axis
    severity: int
    sureness: float
    before: Any
    after: Any
    truth: Any
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
        changed = engine.changed(stock, Pass(axis, severity), only)
        (after,), _ = engine.ask(changed.pictures, stock.prepared[only])
        (truth,) = engine.truths(stock, changed, only)
        before = measured.clean_results[row]
        cases.append(Case(row, axis, severity, sureness, before, after, truth, changed.pictures[0]))
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

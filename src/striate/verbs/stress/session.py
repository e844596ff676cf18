"""One stressing of a run: its pictures read, its axes chosen, its time planned, its passes made."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np

from striate.cores import usable_cores
from striate.data.dataset import Dataset, Record
from striate.engine.settings import seconds_from_text
from striate.errors import LabelError, UsageError
from striate.stress.card import Against, LeftOut
from striate.stress.changes import SEVERITIES, Axis
from striate.stress.curves import StressCurve, estimate
from striate.stress.judged import Measure
from striate.stress.measuring import Measured, measure_axes
from striate.stress.objects import MaskFolder, usable_axes
from striate.stress.registry import chosen_axes, uses_masks
from striate.stress.resamples import Resamples, resamples_for
from striate.stress.runner import Engine
from striate.stress.stock import Stock, read_stock
from striate.task import Task
from striate.tasks.regress.config import RegressFacts
from striate.verbs.evaluate import SplitChoice
from striate.verbs.explain.pictures import labelled, some
from striate.verbs.model import FilePath, Model

__all__ = ["Asked", "Session", "Watch", "seconds_of", "severities_of", "silent"]

_LEAST_PICTURES = 50
_OVERRUN = 1.3
"""Of the time budget, after which no axis is begun any more."""
_DETECT_DRAWS, _DRAWS = 200, 1000
_MOVES = (
    "numbers may change when what they are read off is turned, moved or scaled; --truth-stays measures "
    "it as if they did not"
)

_NOT_DRAWN = "only sets that are drawn from seeds can be drawn again: scenes, scenes-3d, scenes-heads"
_NO_SUCH = "these pictures cannot be drawn again with that changed"

Watch: TypeAlias = Callable[[str, int, int], None]
"""Hears (what is being done, how much is done, of how much)."""


def silent(stage: str, done: int, of: int) -> None:
    """Nobody watches."""


def seconds_of(given: float | str) -> float:
    """A duration such as "10m" in seconds; a `UsageError` for anything else."""
    try:
        seconds = float(str(seconds_from_text(given)))
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise UsageError(f"the time budget is {given!r}", expected="a duration such as 90s, 10m or 1.5h")
    return seconds


def severities_of(given: Sequence[int]) -> tuple[int, ...]:
    """Sorted, each once; a `UsageError` for what is none."""
    found = tuple(sorted(set(given)))
    if not found or not set(found) <= set(SEVERITIES):
        raise UsageError(f"severities {list(given)}", expected="some of 1, 2, 3, 4, 5")
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller wants; see `stress_card`."""

    source: FilePath
    split: SplitChoice
    axes: tuple[str, ...]
    severities: tuple[int, ...]
    at_most: int
    budget_s: float | None
    masks: FilePath | None
    truth_stays: bool
    seed: int
    threads: int

    @property
    def workers(self) -> int:
        """Threads that change and answer."""
        return self.threads or usable_cores()

    @property
    def folder(self) -> MaskFolder | None:
        """The masks that were given."""
        return None if self.masks is None else MaskFolder(Path(self.masks))


@dataclass(slots=True, eq=False)
class Session:
    """Everything between the wish and the numbers. `begin` makes it.

    `missing`: axes that cannot be measured with these pictures. `shortened`: why not all pictures are
    taken, in words.
    """

    model: Model
    other: Model | None
    asked: Asked
    listen: Watch
    engine: Engine
    stock: Stock
    axes: tuple[Axis, ...]
    missing: tuple[LeftOut, ...]
    split: str
    shown_root: str
    available: int
    began: float
    whole_of_other: Dataset[Any] | None
    shortened: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def begin(cls, model: Model, other: Model | None, asked: Asked, listen: Watch) -> Self:
        """Read the pictures, choose the axes, and see how many pictures there is time for."""
        began = time.monotonic()
        _check(model, other, asked)
        wished = chosen_axes(asked.axes, placed=model.task.placed)
        whole, split = labelled(model, asked.source, asked.split)
        # refuses other classes before the work
        theirs = None if other is None else _known_to(model, other, asked)
        stock = read_stock(
            model.task,
            some(whole, asked.at_most, asked.seed),
            seed=asked.seed,
            workers=asked.workers,
            folder=asked.folder,
            with_masks=any(uses_masks(axis) for axis in wished),
            listen=lambda done, of: listen("reading pictures", done, of),
        )
        axes, missing = _measurable(model, wished, stock, truth_stays=asked.truth_stays)
        if not axes:
            raise UsageError(
                "none of the axes that were asked for can be measured: "
                + "; ".join(f"{one.axis}: {one.reason}" for one in missing),
                remedy="name others: striate stress --list",
            )
        engine = Engine(model.task, model.graphs(1)["main"], workers=asked.workers)
        engine.settle(stock)
        root, count = whole.shown_root(), len(whole)
        self = cls(
            model, other, asked, listen, engine, stock, axes, missing, split, root, count, began, theirs
        )
        self.seconds["read"] = self.elapsed
        self._shorten()
        return self

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    def _shorten(self) -> None:
        """Take as many of the pictures as the budget allows."""
        budget, stock, seed = self.asked.budget_s, self.stock, self.asked.seed
        if budget is None or not self.axes:
            return
        runs = 1 if self.other is None else 2
        cost = self.engine.probe(stock, self.axes, self.asked.severities)
        each = cost * runs / self.engine.workers
        fits = int(max(budget - self.elapsed, 1.0) / each)
        if fits >= len(stock):
            return
        count = max(fits, _LEAST_PICTURES)
        if count >= len(stock):  # so few are not made fewer
            return
        self.stock = stock.take(
            np.sort(np.random.default_rng(seed).permutation(len(stock))[:count]).tolist()
        )
        self.shortened = (
            f"{count} of {len(stock)} pictures, drawn by seed {seed}: all would have taken about "
            f"{each * len(stock) / 60:.0f} min here, and the time budget is {budget / 60:.3g} min. "
            "The intervals say what that costs."
        )

    @property
    def resamples(self) -> Resamples:
        """Those of every pass."""
        most = _DETECT_DRAWS if self.model.task.name == "detect" else _DRAWS
        return resamples_for(len(self.stock), seed=self.asked.seed, most=most)

    @property
    def _until(self) -> float | None:
        """After this no axis is begun."""
        budget = self.asked.budget_s
        return None if budget is None else self.began + _OVERRUN * budget

    def measure(self) -> Measured:
        """The run along all axes."""
        return self._measured(self.engine, self.stock, "changing pictures", "axes")

    def measure_other(self) -> Measured | None:
        """The second run on the same pictures, changed with the same others, all of which it may see at
        another size; None without one."""
        other, whole, stock, asked = self.other, self.whole_of_other, self.stock, self.asked
        if other is None or whole is None:
            return None
        rows = {record.key: row for row, record in enumerate(whole)}
        strangers = sum(record.key not in rows for record in (*stock.records, *stock.of_others))
        if strangers:
            raise UsageError(
                f"{other.run.name} does not know {strangers} of the pictures",
                expected="a run that knows the same classes",
            )

        def seen(records: Sequence[Record[Any]], folder: MaskFolder | None, *, masked: bool) -> Stock:
            wanted = whole.take([rows[record.key] for record in records])
            return read_stock(
                other.task,
                wanted,
                seed=asked.seed,
                workers=asked.workers,
                folder=folder,
                with_masks=masked,
            )

        own = seen(stock.records, asked.folder, masked=any(uses_masks(axis) for axis in self.axes))
        others = own.others
        if stock.of_others:
            others = seen(stock.of_others, None, masked=False).pixels
        engine = Engine(other.task, other.graphs(1)["main"], workers=asked.workers)
        own = replace(own, seeds=stock.seeds, others=others, of_others=stock.of_others)
        stage = f"the same with {told_apart(self.model, other)[1]}"
        return self._measured(engine, own, stage, "against", self.model.task)

    def _measured(
        self,
        engine: Engine,
        stock: Stock,
        stage: str,
        name: str,
        beside: Task[Any, Any] | None = None,
    ) -> Measured:
        began, done = time.monotonic(), 0
        # heat, if an axis asks for it, counts as one pass
        heat = any(axis.needs_heat for axis in self.axes)
        changed = sum(len(stock.rows_of(axis)) for axis in self.axes)
        total = len(stock) * (1 + heat) + changed * len(self.asked.severities)

        def heard(pictures: int) -> None:
            nonlocal done
            done += pictures
            self.listen(stage, min(done, total), total)

        found = measure_axes(
            engine,
            stock,
            self.axes,
            self.asked.severities,
            self.resamples,
            listen=heard,
            until=self._until,
            beside=beside,
        )
        self.seconds[name] = time.monotonic() - began
        return found

    # -- for the card -------------------------------------------------------------------------

    def left_out(self, measured: Measured) -> tuple[LeftOut, ...]:
        """Axes without a curve, and why."""
        late = (LeftOut(axis.name, axis.title, reason) for axis, reason in measured.left_out)
        return (*self.missing, *late)

    def baseline(self, found: Measured | None) -> tuple[str, Measure, Sequence[StressCurve]] | None:
        """The second run, as mCE takes it."""
        if found is None or self.other is None:
            return None
        return told_apart(self.model, self.other)[1], found.clean.headline, found.curves

    def shown_beside(self, found: Measured | None) -> Against | None:
        """The second run, as the card shows it."""
        if found is None or self.other is None:
            return None
        ours, theirs = told_apart(self.model, self.other)
        return Against(theirs, estimate(found.clean.headline), found.curves, ours)


def told_apart(one: Model, other: Model) -> tuple[str, str]:
    """The names of two runs; where they are one, with as much of their folders as differs."""
    ours, theirs = (model.run.folder.resolve().parts for model in (one, other))
    count = 1
    while ours[-count:] == theirs[-count:]:
        count += 1
    return "/".join(ours[-count:]), "/".join(theirs[-count:])


def _check(model: Model, other: Model | None, asked: Asked) -> None:
    """A `UsageError`, before the work, for what has no meaning for these runs."""
    name, task = model.run.name, model.task.name
    if asked.truth_stays and task != "regress":
        raise UsageError(
            f"{name} is a run of {task}: its truths are moved along, or stay as they are",
            expected="--truth-stays (truth_stays) only with a run that predicts numbers",
            remedy="leave it out",
        )
    if other is None:
        return
    if other.task.name != task:
        raise UsageError(
            f"{other.run.name} is a run of {other.task.name}, {name} of {task}",
            expected="two runs of the same task",
        )
    if other.run.folder.resolve() == model.run.folder.resolve():
        raise UsageError(f"{name} against itself", expected="two different runs")
    if task == "regress" and set(other.names) != set(model.names):
        raise UsageError(
            f"{told_apart(model, other)[1]} predicts {', '.join(other.names)}, not "
            f"{', '.join(model.names)}",
            expected="two runs that predict the same numbers",
        )
    if task == "regress" and _angles(model) != _angles(other):
        raise UsageError(
            "{1} takes other numbers for angles than {0}".format(*told_apart(model, other)),
            expected="two runs whose errors are measured alike",
        )


def _angles(model: Model) -> set[str]:
    """The numbers that come round after 360°."""
    facts = model.task.facts
    assert isinstance(facts, RegressFacts)
    return {name for name, angle in zip(facts.names, facts.is_angle, strict=True) if angle}


def _known_to(model: Model, other: Model, asked: Asked) -> Dataset[Any]:
    """The same pictures in the terms of a second run; a `LabelError` says which of the two it is."""
    try:
        return labelled(other, asked.source, asked.split)[0]
    except LabelError as error:
        raise LabelError(
            f"for {told_apart(model, other)[1]}, to be measured against: {error.what}",
            expected=error.expected,
            remedy="compare with a run of the same classes",
        ) from error


def _measurable(
    model: Model, wished: Sequence[Axis], stock: Stock, *, truth_stays: bool
) -> tuple[tuple[Axis, ...], tuple[LeftOut, ...]]:
    """The axes that these pictures and this task allow, and the others with the reason."""
    axes, missing = usable_axes(wished, stock.known)
    left_out = [LeftOut(axis.name, axis.title, reason) for axis, reason in missing]
    undrawn = [axis for axis in axes if not stock.rows_of(axis)]
    axes = tuple(axis for axis in axes if axis not in undrawn)
    why = _NO_SUCH if stock.can_be_redrawn else _NOT_DRAWN
    left_out += [LeftOut(axis.name, axis.title, why) for axis in undrawn]
    if model.task.name == "regress" and not truth_stays:
        moving = [axis for axis in axes if _moves(axis, stock)]
        axes = tuple(axis for axis in axes if axis not in moving)
        left_out += [LeftOut(axis.name, axis.title, _MOVES) for axis in moving]
    return axes, tuple(left_out)


def _moves(axis: Axis, stock: Stock) -> bool:
    """Whether places lie elsewhere after it."""
    if axis.needs_heat:  # only hides
        return False
    few = slice(0, 1)
    changed = axis.change(np.ascontiguousarray(stock.pixels[few]), axis.levels[-1], stock.material(few))
    return changed.moves is not None

"""What an attack on a trained run leaves, strength by strength."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol, final

import numpy as np

from striate.stress.attacked import ATTACKS, Attacked, AttackExample, AttackLevel
from striate.stress.curves import Estimate, estimate
from striate.stress.judged import Judged, Measure
from striate.stress.resamples import resamples_for
from striate.stress.runner import Engine
from striate.stress.scoring import Scorer, scorer_of
from striate.stress.stock import Stock
from striate.types import Array, Picture, PictureArray, Prepared
from striate.verbs.model import Model
from striate.verbs.stress.findings import seen_in_training
from striate.verbs.stress.session import Watch

__all__ = ["About", "Attacker", "measured", "told"]

_EXAMPLES = 8
_ASKED = 64
"""Pictures that are answered together."""
_GOOD = {
    "classify": "answers that were right",
    "regress": "answers that were better than a guess",
    "detect": "pictures that were answered well",
}
"""What an attack may turn, by task: see `Scorer.fallen`."""


class Attacker(Protocol):
    """One attack on one run."""

    @property
    def patches(self) -> Sequence[tuple[float, Picture]]:
        """Each strength, and the patch that was learnt for it; none of other attacks."""
        ...

    def attacked(self, stock: Stock, strength: float, listen: Callable[[float], None]) -> PictureArray:
        """The pictures of `stock`, changed for the worse by `strength`; `listen` hears which share."""
        ...

    def by_chance(self, stock: Stock, strength: float) -> PictureArray:
        """Changed as much, by chance."""
        ...


@dataclass(frozen=True, slots=True)
class About:
    """What was asked for, for the record."""

    name: str
    steps: int
    target: str | None
    split: str
    available: int
    source: str
    seed: int
    shortened: str


def measured(
    model: Model,
    engine: Engine,
    stock: Stock,
    attacker: Attacker,
    strengths: Sequence[float],
    listen: Watch,
    about: About,
) -> Attacked:
    """The run under attack by each of `strengths`, ascending."""
    course = _Course(model, engine, stock, attacker, about)
    levels = []
    for number, strength in enumerate(strengths, start=1):
        stage = f"attacking by {ATTACKS[about.name].shown(strength)} ({number} of {len(strengths)})"
        listen(stage, 0, len(stock))
        levels.append(course.level(strength, told(listen, stage, len(stock))))
        listen(stage, len(stock), len(stock))
    scorer = course.scorer
    return Attacked(
        run=model.run.name,
        source=about.source,
        split=about.split,
        available=about.available,
        pictures=len(stock),
        name=about.name,
        steps=about.steps,
        target=about.target,
        score_name=scorer.name,
        score_note=scorer.note,
        good=_GOOD[model.task.name],
        more_is_better=scorer.more_is_better,
        chance=scorer.chance,
        clean=estimate(course.clean.headline),
        levels=tuple(levels),
        least=course.least,
        right=course.right,
        examples=tuple(course.examples.values()),
        patches=tuple(attacker.patches),
        problems=stock.problems,
        shortened=about.shortened,
        seen_in_training=seen_in_training(model, stock),
    )


@final
class _Course:
    """Of all that was tried up to a strength the worst counts, picture by picture: a small change lies
    within the bound of a large one. Patches, and aiming at a class, start afresh.

    `least`, `right`, `examples`: see `Attacked`; examples by row.
    """

    def __init__(
        self, model: Model, engine: Engine, stock: Stock, attacker: Attacker, about: About
    ) -> None:
        self._engine, self._stock, self._attacker, self._target = engine, stock, attacker, about.target
        self._carries = about.name != "patch" and about.target is None
        self.scorer = scorer_of(model.task, stock.truths, resamples_for(len(stock), seed=about.seed))
        self._before = _answers(engine, stock.pixels, stock.prepared)
        self.clean = self.scorer.judge(self._before, stock.truths)
        self._worst, self._now, self._marks = stock.pixels.copy(), list(self._before), self.clean.marks
        self.right = _right(self.scorer, self.clean)
        self.least = np.full(len(stock), np.nan)
        self.examples: dict[int, AttackExample] = {}

    def level(self, strength: float, listen: Callable[[float], None]) -> AttackLevel:
        """What is left at `strength`."""
        self._attack(strength, listen)
        scorer, stock = self.scorer, self._stock
        judged = scorer.judge(self._now, stock.truths)
        self._marks = judged.marks
        lost = scorer.fallen(self.clean, judged)
        newly = lost & np.isnan(self.least)
        self.least[newly] = strength
        for row in _spread(np.flatnonzero(newly), _EXAMPLES - len(self.examples)):
            self.examples[row] = self._example(row, strength)
        by_chance = _answers(self._engine, self._attacker.by_chance(stock, strength), stock.prepared)
        control = scorer.judge(by_chance, stock.truths)
        return AttackLevel(
            strength,
            estimate(judged.headline),
            estimate(control.headline),
            _beyond(judged.headline, control.headline, 1 if scorer.more_is_better else -1),
            float(lost.sum() / max(1, self.right)),
            _turned(self._now, stock.truths, self._target),
        )

    def _attack(self, strength: float, listen: Callable[[float], None]) -> None:
        """Attack those that can still become worse, and keep what did."""
        # what is as wrong as can be needs no more; of numbers nothing is
        hopeful = self._marks > (0.0 if self.scorer.more_is_better else -np.inf)
        rows = np.flatnonzero(hopeful) if self._carries else np.arange(len(self._stock))
        if not len(rows):
            return
        part = self._stock.take(rows.tolist())
        tried = self._attacker.attacked(part, strength, listen)
        new = list(self._now)
        for row, answer in zip(rows.tolist(), _answers(self._engine, tried, part.prepared), strict=True):
            new[row] = answer
        marks = self.scorer.judge(new, self._stock.truths).marks
        keep = (marks <= self._marks)[rows] if self._carries else np.ones(len(rows), bool)
        self._worst[rows[keep]] = tried[keep]
        for row in rows[keep].tolist():
            self._now[row] = new[row]

    def _example(self, row: int, strength: float) -> AttackExample:
        return AttackExample(
            self._stock.pixels[row].copy(),
            self._worst[row].copy(),
            strength,
            self.scorer.truth(self._stock.truths[row]),
            self.scorer.words(self._before[row]),
            self.scorer.words(self._now[row]),
        )


def told(listen: Watch, stage: str, pictures: int) -> Callable[[float], None]:
    """Hears the share that is done, and tells it in pictures."""
    return lambda share: listen(stage, round(min(share, 1.0) * pictures), pictures)


def _beyond(found: Measure, control: Measure, sign: int) -> Estimate:
    """How much more the attack takes than chance does, on the same pictures, drawn alike."""
    (low, high), (low_too, high_too) = found.bounds, control.bounds
    most = max(high, high_too) - min(low, low_too)
    value, draws = sign * (control.value - found.value), sign * (control.draws - found.draws)
    return estimate(Measure(value, draws, found.pictures, (-most, most)))


def _answers(engine: Engine, pixels: PictureArray, prepared: Sequence[Prepared]) -> list[Any]:
    """A few pictures at a time, on all cores: raw outputs of many would fill the memory."""
    parts = [slice(at, at + _ASKED) for at in range(0, len(pixels), _ASKED)]

    def ask(rows: slice) -> list[Any]:
        return engine.ask(pixels[rows], prepared[rows])[0]

    with ThreadPoolExecutor(engine.workers, "striate-ask") as pool:
        return [one for part in pool.map(ask, parts) for one in part]


def _spread(rows: Array, most: int) -> list[int]:
    """Up to `most` of `rows`, evenly: pictures of one class often stand together."""
    at = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))
    chosen: list[int] = rows[at].tolist()
    return chosen


def _right(scorer: Scorer, clean: Judged) -> int:
    """How many pictures could be lost: those that a total failure would lose."""
    nothing = replace(
        clean, marks=np.full_like(clean.marks, -np.inf if not scorer.more_is_better else 0)
    )
    return int(scorer.fallen(clean, nothing).sum())


def _turned(results: Sequence[Any], truths: Sequence[Any], target: str | None) -> float | None:
    """Of the pictures that are not of the target's class, the share that is now said to be."""
    if target is None:
        return None
    others = [one for one, truth in zip(results, truths, strict=True) if target not in truth]
    return float(np.mean([target in one.labels for one in others])) if others else 0.0

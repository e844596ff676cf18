"""Attack a trained run: pictures changed so that it answers wrong, and what is left by strength."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from striate.errors import SettingError, UnknownNameError, UsageError
from striate.runs.run import Run
from striate.stress.attacked import ATTACKS, Attacked, AttackExample, AttackLevel
from striate.stress.curves import estimate
from striate.stress.few_pixels import fewest_pixels, random_pixels
from striate.stress.judged import Judged
from striate.stress.resamples import resamples_for
from striate.stress.runner import Engine
from striate.stress.scoring import Scorer, scorer_of
from striate.stress.stock import Stock, read_stock
from striate.types import Array, PictureArray, Prepared
from striate.verbs.evaluate import SplitChoice
from striate.verbs.explain.pictures import labelled, some
from striate.verbs.machine import usable_cores
from striate.verbs.model import FilePath, Model, load

__all__ = ["attack"]

_EXAMPLES = 8
_ASKED = 64
"""Pictures that are answered together."""
_ONE_BY_ONE = ("one-pixel", "patch")
"""Attacks that need to know how wrong a single answer is: of classifiers."""
_STEPS = {"fgsm": 1, "pgd": 20, "pgd-l2": 20, "one-pixel": 25, "patch": 200}


class Attacker(Protocol):
    """One attack on one run."""

    def attacked(self, stock: Stock, strength: float, listen: Callable[[float], None]) -> PictureArray:
        """The pictures of `stock`, changed for the worse by `strength`."""
        ...

    def by_chance(self, stock: Stock, strength: float) -> PictureArray:
        """Changed as much, by chance."""
        ...


def attack(
    run: FilePath | Run,
    source: FilePath,
    name: str = "pgd",
    *,
    strengths: Sequence[float] = (),
    steps: int = 0,
    target: str | None = None,
    split: SplitChoice = "auto",
    at_most: int = 500,
    seed: int = 0,
    threads: int = 0,
    device: str = "cpu",
    listen: Callable[[int, int], None] | None = None,
) -> Attacked:
    """Attack `run` on the pictures of `source` whose truth is known; what is left at each strength.

    `name`: one of `ATTACKS`; "one-pixel" asks the graph alone, and so works on hand-made models; the
    others need torch. `strengths`: in the attack's unit; by default its own. `steps`: along the
    gradient, of learning a patch, or generations; 0 takes the attack's own. `target`: the class that
    answers shall become, rather than any but the truth. `at_most`: of more pictures, so many are drawn
    by `seed`. Attacked pictures are rounded to whole grey levels and answered by the exported graph.

    Errors: `UsageError` for an attack that the task or the run does not bear; those of `evaluate`.
    """
    if name not in ATTACKS:
        raise UnknownNameError("attack", name, ATTACKS)
    model = load(run, threads=threads)
    task = model.task
    if name in _ONE_BY_ONE and task.name != "classify":
        raise UsageError(
            f"{name} attacks classifiers; {model.run.name} was trained to {task.name}",
            expected="fgsm, pgd or pgd-l2 for this run",
        )
    whole, split_name = labelled(model, source, split)
    chosen = some(whole, at_most, seed)
    if name == "patch" and len(chosen) < 2:
        raise UsageError("a patch is learnt on one half of the pictures and tried on the other",
                         expected="two pictures or more")  # fmt: skip
    aimed = _target(model, target)
    workers = threads or usable_cores()
    stock = read_stock(task, chosen, seed=seed, workers=workers, with_masks=False)
    engine = Engine(task, model.graphs(1)["main"], workers=workers)
    given = _checked(name, strengths, stock)
    steps = steps or _STEPS[name]
    attacker, stock = _attacker(model, engine, stock, name, steps=steps, target=aimed, device=device)
    heard = _Heard(listen, len(given))
    return _measured(model, engine, stock, attacker, given, heard, _About(
        name=name, steps=steps, target=target, split=split_name, available=len(whole),
        source=chosen.shown_root(), seed=seed,
    ))  # fmt: skip


def _target(model: Model, target: str | None) -> tuple[str, ...] | None:
    """The truth that answers shall become, in the task's terms."""
    if target is None:
        return None
    if model.task.name != "classify":
        raise UsageError("a target is a class", expected=f"no target for a run that {model.task.name}s")
    if target not in model.names:
        raise UnknownNameError("class", target, model.names)
    return (target,)


def _checked(name: str, strengths: Sequence[float], stock: Stock) -> tuple[float, ...]:
    """In ascending order, each once; by default those that suit the attack and the pictures."""
    kind = ATTACKS[name]
    height, width = stock.pixels.shape[1:3]
    if not strengths:
        if name == "pgd-l2":
            scale = (height * width / 32**2) ** 0.5
            return tuple(float(round(one * scale)) for one in kind.strengths)
        return kind.strengths
    highest = {"one-pixel": height * width, "patch": 60.0, "pgd-l2": 255 * (3 * height * width) ** 0.5}
    most = highest.get(name, 255)
    for one in strengths:
        whole = name in ("fgsm", "pgd", "one-pixel")
        if not 0 < one <= most or (whole and one != int(one)):
            raise SettingError(
                f"strength {one:g} of {name} makes no sense",
                expected=f"{'whole ' * whole}numbers above 0, up to {most:g} ({kind.unit})",
            )
    return tuple(sorted({float(one) for one in strengths}))


@dataclass(slots=True)
class _Heard:
    """Progress over all strengths, in thousandths."""

    listen: Callable[[int, int], None] | None
    strengths: int
    level: int = 0

    def __call__(self, share: float) -> None:
        if self.listen is not None:
            done = (self.level + min(share, 1.0)) / self.strengths
            self.listen(round(1000 * done), 1000)


def _attacker(
    model: Model,
    engine: Engine,
    stock: Stock,
    name: str,
    *,
    steps: int,
    target: tuple[str, ...] | None,
    device: str,
) -> tuple[Attacker, Stock]:
    """The attack, and the pictures that it is measured on."""
    if name == "one-pixel":
        return _Pixels(model, engine, steps, target), stock
    from striate.verbs.stress.gradients import GradientAttack, PatchAttack

    if name == "patch":
        learnt_on = stock.take(range(0, len(stock), 2))
        held = stock.take(range(1, len(stock), 2))
        return PatchAttack(model, learnt_on, steps=steps, target=target, device=device), held
    return GradientAttack(model, name, steps=steps, target=target, device=device), stock


@dataclass(frozen=True, slots=True)
class _Pixels:
    """A few pixels, found by asking."""

    model: Model
    engine: Engine
    generations: int
    target: tuple[str, ...] | None

    def attacked(self, stock: Stock, strength: float, listen: Callable[[float], None]) -> PictureArray:
        truths = [self.target or one for one in stock.truths]
        names = list(self.model.names)
        signs = -1.0 if self.target else 1.0
        wanted = np.zeros((len(stock), len(names)), bool)
        for row, truth in enumerate(truths):
            wanted[row, [names.index(label) for label in truth]] = True

        def harm(pictures: PictureArray, rows: Array) -> Array:
            results, _ = self.engine.ask(pictures, [stock.prepared[row] for row in rows.tolist()])
            sure = np.stack([one.probabilities for one in results]).astype(np.float64)
            own = np.where(wanted[rows], sure, np.inf).min(axis=1)
            other = np.where(wanted[rows], -np.inf, sure).max(axis=1)
            found: Array = signs * (other - own)
            return found

        return fewest_pixels(
            stock.pixels, harm, pixels=int(strength), seeds=stock.seeds, generations=self.generations,
            listen=lambda done: listen(done / self.generations),
        )  # fmt: skip

    def by_chance(self, stock: Stock, strength: float) -> PictureArray:
        return random_pixels(stock.pixels, pixels=int(strength), seeds=stock.seeds)


@dataclass(frozen=True, slots=True)
class _About:
    """What was asked for, for the record."""

    name: str
    steps: int
    target: str | None
    split: str
    available: int
    source: str
    seed: int


def _measured(
    model: Model,
    engine: Engine,
    stock: Stock,
    attacker: Any,
    strengths: Sequence[float],
    heard: _Heard,
    about: _About,
) -> Attacked:
    """Strength by strength. Of all that was tried up to a strength the worst counts, picture by picture:
    a small change lies within the bound of a large one. Patches, and aiming at a class, start afresh."""
    task, truths = model.task, stock.truths
    scorer = scorer_of(task, truths, resamples_for(len(stock), seed=about.seed))
    clean_results = _answers(engine, stock.pixels, stock.prepared)
    clean = scorer.judge(clean_results, truths)
    right = _right(scorer, clean)
    carries = about.name != "patch" and about.target is None
    worst, results, marks = stock.pixels.copy(), list(clean_results), clean.marks
    least = np.full(len(stock), np.nan)
    levels: list[AttackLevel] = []
    found: dict[int, AttackExample] = {}
    for number, strength in enumerate(strengths):
        heard.level = number
        # what is as wrong as can be needs no more; of numbers nothing is
        hopeful = marks > (0.0 if scorer.more_is_better else -np.inf)
        rows = np.flatnonzero(hopeful) if carries else np.arange(len(stock))
        if len(rows):
            part = stock.take(rows.tolist())
            tried = attacker.attacked(part, strength, heard)
            answers = _answers(engine, tried, part.prepared)
            new = list(results)
            for row, answer in zip(rows.tolist(), answers, strict=True):
                new[row] = answer
            new_marks = scorer.judge(new, truths).marks
            keep = (new_marks <= marks)[rows] if carries else np.ones(len(rows), bool)
            worst[rows[keep]] = tried[keep]
            for row in rows[keep].tolist():
                results[row] = new[row]
        judged = scorer.judge(results, truths)
        marks = judged.marks
        lost = scorer.fallen(clean, judged)
        newly = lost & np.isnan(least)
        least[newly] = strength
        for row in _spread(np.flatnonzero(newly), _EXAMPLES - len(found)):
            found[row] = AttackExample(
                stock.pixels[row].copy(), worst[row].copy(), strength, scorer.truth(truths[row]),
                scorer.words(clean_results[row]), scorer.words(results[row]),
            )  # fmt: skip
        by_chance = _answers(engine, attacker.by_chance(stock, strength), stock.prepared)
        control = scorer.judge(by_chance, truths)
        levels.append(AttackLevel(
            strength, estimate(judged.headline), estimate(control.headline),
            float(lost.sum() / max(1, right)), _turned(results, truths, about.target),
        ))  # fmt: skip
        heard(1.0)
    return Attacked(
        run=model.run.name, source=about.source, split=about.split, available=about.available,
        pictures=len(stock), name=about.name, steps=about.steps, target=about.target,
        score_name=scorer.name, score_note=scorer.note, more_is_better=scorer.more_is_better,
        chance=scorer.chance, clean=estimate(clean.headline), levels=tuple(levels), least=least,
        right=right, examples=tuple(found.values()), patches=tuple(getattr(attacker, "patches", ())),
        problems=stock.problems,
    )  # fmt: skip


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

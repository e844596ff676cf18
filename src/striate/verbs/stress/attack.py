"""Attack a trained run: pictures changed so that it answers wrong, and what is left by strength."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic

import numpy as np

from striate.errors import SettingError, UnknownNameError, UsageError
from striate.randomness import checked_seed
from striate.runs.run import Run
from striate.stress.attacked import ATTACKS, Attacked
from striate.stress.few_pixels import fewest_pixels, random_pixels
from striate.stress.runner import Engine
from striate.stress.stock import Stock, read_stock
from striate.types import Array, Picture, PictureArray
from striate.verbs.evaluate import SplitChoice
from striate.verbs.explain.pictures import labelled, some
from striate.verbs.model import FilePath, Model, load
from striate.verbs.stress.attack_levels import About, Attacker, measured, told
from striate.verbs.stress.findings import is_hand_made
from striate.verbs.stress.session import Watch, seconds_of, silent

__all__ = ["attack"]

_ONE_BY_ONE = ("one-pixel", "patch")
"""Attacks that need to know how wrong a single answer is: of classifiers."""
_TRIED, _LEAST = 4, 20
"""Pictures by which the time is told first, and that are taken at least."""
_TRIAL = 0.1
"""Of the time budget, for telling the time better."""
_STEPS = {"fgsm": 1, "pgd": 20, "pgd-l2": 20, "one-pixel": 25, "patch": 200}


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
    time_budget: float | str | None = "10m",
    listen: Watch = silent,
) -> Attacked:
    """Attack `run` on the pictures of `source` whose truth is known; what is left at each strength.

    `name`: one of `ATTACKS`; "one-pixel" asks the graph alone, and so works on hand-made models; the
    others need torch. `strengths`: in the attack's unit; by default its own. `steps`: along the
    gradient, of learning a patch, or generations; 0 takes the attack's own, and fgsm is one. `target`:
    the class that answers shall become, rather than any but the truth. `at_most`: of more pictures, so
    many are drawn by `seed`. `time_budget` (seconds, "10m"; None for no end): where all of them would
    take longer, fewer are taken, never fewer than 20; a patch takes its steps. Attacked pictures are
    rounded to whole grey levels and answered by the exported graph.

    Errors: `UsageError` for an attack that the task or the run does not bear; those of `evaluate`.
    """
    _check(name, steps, device)
    checked_seed(seed)
    budget = None if time_budget is None else seconds_of(time_budget)
    model = load(run, threads=threads)
    task = model.task
    if is_hand_made(model) and name != "one-pixel":
        raise UsageError(
            f"{name} follows gradients, and {model.run.name} is a hand-made model without them",
            expected="one-pixel for this run, which only asks it",
        )
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
    workers = model.threads
    stock = read_stock(
        task,
        chosen,
        seed=seed,
        workers=workers,
        with_masks=False,
        listen=lambda done, of: listen("reading pictures", done, of),
    )
    engine = Engine(task, model.graphs(1)["main"], workers=workers)
    given = _checked(name, strengths, stock)
    steps = steps or _STEPS[name]
    attacker, stock = _attacker(model, engine, stock, name, steps=steps, target=aimed, device=device)
    shortened = ""
    if budget is not None and name != "patch":
        stock, shortened = _affordable(attacker, stock, given, budget, seed, listen)
    return measured(model, engine, stock, attacker, given, listen, About(
        name=name, steps=steps, target=target, split=split_name, available=len(whole),
        source=chosen.shown_root(), seed=seed, shortened=shortened,
    ))  # fmt: skip


def _check(name: str, steps: int, device: str) -> None:
    """Refuse, before anything is read, what no run bears."""
    if name not in ATTACKS:
        raise UnknownNameError("attack", name, ATTACKS)
    if steps < 0:
        raise SettingError(f"{steps} steps make no sense", expected="1 or more, or 0 for the usual ones")
    if name == "fgsm" and steps > 1:
        raise SettingError(f"fgsm is one step, {steps} were asked for", expected="pgd for more steps")
    if name == "one-pixel" and device != "cpu":
        raise UsageError(f"{name} asks the exported graph, which runs on the CPU", expected="no device")


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


def _affordable(
    attacker: Attacker,
    stock: Stock,
    strengths: Sequence[float],
    budget_s: float,
    seed: int,
    listen: Watch,
) -> tuple[Stock, str]:
    """As many of the pictures as there is time for, by what a few take; why not all, in words."""
    if len(stock) <= _LEAST:
        return stock, ""
    few = _TRIED
    while True:
        began = monotonic()
        hear = told(listen, f"timing {few} pictures", few)
        attacker.attacked(stock.take(range(few)), strengths[0], hear)
        took = monotonic() - began
        each = took / few * len(strengths)
        if each * len(stock) <= budget_s:
            return stock, ""
        # many at once are faster, and the first call of a device is slow
        if 4 * took > _TRIAL * budget_s or few == len(stock):
            break
        few = min(4 * few, len(stock))
    count = min(len(stock), max(_LEAST, int(budget_s / each)))
    rows = np.sort(np.random.default_rng(seed).permutation(len(stock))[:count])
    words = (
        f"{count} of {len(stock)} pictures, drawn by seed {seed}, were attacked: all might have taken "
        f"{each * len(stock) / 60:.0f} min here, and the time budget is {budget_s / 60:.3g} min. The "
        "intervals say what that costs."
    )
    return stock.take(rows.tolist()), words


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
    """A few pixels, found by asking: a search a picture, side by side."""

    model: Model
    engine: Engine
    generations: int
    target: tuple[str, ...] | None
    patches: Sequence[tuple[float, Picture]] = ()

    def attacked(self, stock: Stock, strength: float, listen: Callable[[float], None]) -> PictureArray:
        truths = [self.target or one for one in stock.truths]
        names = list(self.model.names)
        signs = -1.0 if self.target else 1.0
        wanted = np.zeros((len(stock), len(names)), bool)
        for row, truth in enumerate(truths):
            wanted[row, [names.index(label) for label in truth]] = True

        def search(row: int) -> PictureArray:
            def harm(pictures: PictureArray, _: Array) -> Array:
                results = self.engine.ask(pictures, [stock.prepared[row]] * len(pictures))[0]
                sure = np.stack([one.probabilities for one in results]).astype(np.float64)
                own = np.where(wanted[row], sure, np.inf).min(axis=1)
                other = np.where(wanted[row], -np.inf, sure).max(axis=1)
                found: Array = signs * (other - own)
                return found

            one = slice(row, row + 1)
            return fewest_pixels(
                stock.pixels[one], harm, pixels=int(strength), seeds=stock.seeds[one],
                generations=self.generations,
            )  # fmt: skip

        found = stock.pixels.copy()
        with ThreadPoolExecutor(self.engine.workers, "striate-search") as pool:
            for row, changed in enumerate(pool.map(search, range(len(stock)))):
                found[row] = changed[0]
                listen((row + 1) / len(stock))
        return found

    def by_chance(self, stock: Stock, strength: float) -> PictureArray:
        return random_pixels(stock.pixels, pixels=int(strength), seeds=stock.seeds)

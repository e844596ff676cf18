"""What each augmentation is worth on your pictures, measured by training with and without it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.engine.events import Event, Note, Stage, Step
from striate.engine.settings import TrainSettings
from striate.errors import Interrupted, StriateError, TrainingError, UnknownNameError, UsageError
from striate.runs.atomic import write_text
from striate.runs.page import write_page
from striate.runs.run import state_of
from striate.types import Array
from striate.verbs.ablating.arms import (
    CANDIDATES,
    FULL,
    NOT_FOR,
    PLAIN,
    Arm,
    file_name,
)
from striate.verbs.ablating.effects import Ablation, Unit, measure_effects, number_of
from striate.verbs.ablating.page import ablation_sections, headline_numbers
from striate.verbs.ablating.planning import (
    PILOT,
    PRESET,
    RUNS,
    SCORES,
    Asked,
    Plan,
    arms_of,
    fit_plan,
    fixed_by,
    forget,
    read_plan,
    save_plan,
)
from striate.verbs.ablating.scoring import held_out_scores, score_names
from striate.verbs.training.request import Request

if TYPE_CHECKING:
    from striate.verbs.model import Model

__all__ = ["CANDIDATES", "FILES", "Ablation", "ablate", "candidates_named"]

FILES = ("ablate.json", "ablate.html")
Train = Callable[..., "Model"]
Measure = Callable[["Model"], Array]


def ablate(
    source: str | Path,
    *,
    out: str | Path,
    task: str = "classify",
    candidates: Mapping[str, Mapping[str, Any]] | None = None,
    against: Mapping[str, Any] | None = None,
    leave_out: bool = True,
    seeds: Sequence[int] = (0, 1, 2),
    time_budget: float | str | None = None,
    measure: Measure | None = None,
    measured: str = "",
    unit: Unit | None = None,
    train: Train | None = None,
    overwrite: bool = False,
    on_event: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Ablation:
    """Train on `source` with each augmentation on and off, and tell what each gains, with an interval.

    `candidates`: name → the settings that switch it on (of `AugmentSettings`, or of training, such as
    `adversarial`); by default those of `CANDIDATES` that suit the task. Each is trained beside
    `against` (settings; by default {"augment": "none", "flip": "none"}) with the same seeds and the same
    number of steps. `leave_out`: also train the preset of the task without each of its parts.
    `measure` (model) → float (N,): a score a picture, higher is better, always of the same N pictures
    (for instance right or wrong under the worst axis of a stress card), called `measured` in words, in
    `unit` (by default a share); else the task's own score on the pictures held out for validation.
    `settings`: of training and task, equal for all.

    `time_budget` (seconds, "20m") covers everything: the number of epochs is derived from it once, by a
    pilot training; without it `epochs` must be among `settings`. Runs are kept in `out`/ablate-runs,
    scores in `out`/ablate-scores: the same call goes on where it was cut off, with a budget of its own.
    One that runs out leaves whole rounds (every arm with one more seed); what is not whole is not
    counted. `overwrite`: remove what an earlier ablation made in `out` and begin anew. Writes
    ablate.json and ablate.html. `train`: what trains, for tests; called as `striate.train`.

    For "fix it": `ablate(data, out=…, candidates={"blur": {"blur": 2.0}}, leave_out=False,
    time_budget=300, measure=lambda model: right_on_worst_axis(model), measured="right under blur 3")` →
    `.effects` (sorted by gain), each with `name`, `gain`, `low`, `high`, `verdict` ("helps", "harms",
    "no measurable effect"), `statement(found.unit)`, `settings`; runs are
    `out`/ablate-runs/with-blur-s0 ….
    """
    asked = Asked(
        source=str(source),
        task=task,
        candidates=_chosen(candidates, task),
        against=dict(against if against is not None else {"augment": "none", "flip": "none"}),
        leave_out=leave_out,
        seeds=tuple(seeds),
        settings={name: value for name, value in settings.items() if value is not None},
    )
    budget = TrainSettings.parse({"time_budget": time_budget}).time_budget
    asked.check(budget, measured if measure else None)
    name, own_unit = (measured, Unit("", True)) if measure else score_names(task)
    runner = _Runner(
        asked,
        folder=Path(out),
        budget=budget,
        measure=measure or held_out_scores(asked.source),
        own_pictures=measure is None,
        measured=name,
        unit=unit or own_unit,
        train=train or _train(),
        tell=on_event or (lambda event: None),
        began=time.monotonic(),
    )
    try:
        found = runner.run(overwrite=overwrite)
    except Interrupted as error:
        raise Interrupted(
            f"stopped after {number_of(runner.done, 'training')}; everything is saved",
            remedy="the same command goes on where it was",
        ) from error
    _write(Path(out), found)
    return found


def _train() -> Train:
    from striate.verbs.train import train

    return train


def _chosen(candidates: Mapping[str, Mapping[str, Any]] | None, task: str) -> dict[str, dict[str, Any]]:
    if candidates is not None:
        return {name: dict(settings) for name, settings in candidates.items()}
    unfit = NOT_FOR.get(task, frozenset())
    return {name: dict(one) for name, one in CANDIDATES.items() if name not in unfit}


@dataclass
class _Runner:
    """Plans, trains round by round, measures."""

    asked: Asked
    folder: Path
    budget: float | None
    measure: Measure
    own_pictures: bool
    measured: str
    unit: Unit
    train: Train
    tell: Callable[[Event], None]
    began: float
    done: int = 0

    def run(self, *, overwrite: bool) -> Ablation:
        plan = self._planned(overwrite=overwrite)
        arms = arms_of(self.asked, plan)
        total = len(arms) * len(plan.seeds)
        self.tell(
            Stage("ablate", f"{total} trainings of {number_of(plan.epochs, 'epoch')} each", total=total)
        )
        scores: dict[tuple[str, int], Array] = {}
        failed: dict[str, str] = {}
        left: list[str] = []
        durations = [plan.seconds]
        for seed in plan.seeds:
            for arm in arms:
                if arm.key in failed:
                    continue
                kept = self._kept(arm, seed)
                if kept is None and self._spent(max(durations[-3:])):
                    left.append(f"{arm.name}, {arm.direction}, seed {seed}: no time was left for it")
                    continue
                start = time.monotonic()
                try:
                    scores[arm.key, seed] = self._scored(arm, seed, plan) if kept is None else kept
                except Interrupted:
                    raise
                except StriateError as error:
                    if not arm.against:
                        raise
                    failed[arm.key] = f"{arm.name}, {arm.direction}: {error.what}"
                    continue
                if kept is None:
                    durations.append(time.monotonic() - start)
                self.done = len(scores)
                self._told(arm, seed, scores)
                self.tell(Step(self.done))
        trained = [arm for arm in arms if arm.key not in failed]
        return self._found(plan, trained, scores, list(failed.values()), left)

    # -- planning -----------------------------------------------------------------------------

    def _planned(self, *, overwrite: bool) -> Plan:
        """What an earlier call has fixed, or a pilot training."""
        if overwrite:
            forget(self.folder)
        kept = read_plan(self.folder, self.asked)
        if kept is not None:
            return kept
        self.folder.mkdir(parents=True, exist_ok=True)
        plan = self._pilot()
        save_plan(self.folder, self.asked, plan)
        return plan

    def _pilot(self) -> Plan:
        """One epoch of the preset: how long things take, what the preset is here, what is fastest."""
        self.tell(Stage("pilot", "one epoch, to see how long a training takes"))
        start = time.monotonic()
        values = {**self.asked.settings, **PRESET, "epochs": 1, "seed": self.asked.seeds[0]}
        model = self.train(
            self.asked.source,
            out=self.folder / RUNS / PILOT,
            task=self.asked.task,
            overwrite=True,
            **values,
        )
        now = time.monotonic()
        fixed, epoch_s, around_s = fixed_by(model.header, now - start)
        return fit_plan(
            self.asked,
            fixed,
            dict(model.header.augment),
            epoch_s=epoch_s,
            around_s=around_s,
            seconds_left=None if self.budget is None else self.budget - (now - self.began),
        )

    # -- training -----------------------------------------------------------------------------

    def _spent(self, next_s: float) -> bool:
        return self.budget is not None and time.monotonic() - self.began + next_s > self.budget

    def _scored(self, arm: Arm, seed: int, plan: Plan) -> Array:
        """Train, unless it is trained, and measure."""
        folder = self.folder / RUNS / arm.file_name(seed)
        if state_of(folder) == "sealed":
            from striate.verbs.model import load

            model = load(folder)
        else:
            common = {**self.asked.settings, **plan.fixed, "epochs": plan.epochs, "seed": seed}
            model = self.train(
                self.asked.source,
                out=folder,
                task=self.asked.task,
                resume=True,
                **{**common, **arm.settings},
            )
        scores = np.asarray(self.measure(model), np.float64)
        if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).all():
            raise UsageError(
                f"the measure gave {scores.shape} scores for {arm.key}",
                expected="a finite number for each picture",
            )
        path = self._score_file(arm, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(scores.tolist()) + "\n")
        return scores

    def _score_file(self, arm: Arm, seed: int) -> Path:
        return self.folder / SCORES / file_name(self.measured) / f"{arm.file_name(seed)}.json"

    def _kept(self, arm: Arm, seed: int) -> Array | None:
        path = self._score_file(arm, seed)
        return np.array(json.loads(path.read_text("utf-8"))) if path.exists() else None

    def _told(self, arm: Arm, seed: int, scores: Mapping[tuple[str, int], Array]) -> None:
        score, what = float(scores[arm.key, seed].mean()), arm.name
        if arm.direction == "left out":
            what = f"preset without {arm.name}"
        text = f"seed {seed}, {what}: {self.unit.level(score)}"
        reference = scores.get((arm.against, seed))
        if reference is not None:
            name = {PLAIN: "plain", FULL: "the preset"}[arm.against]
            text += f" ({self.unit.text(score - float(reference.mean()))} against {name})"
        self.tell(Note(text))

    # -- finding ------------------------------------------------------------------------------

    def _found(
        self,
        plan: Plan,
        arms: list[Arm],
        scores: dict[tuple[str, int], Array],
        failed: list[str],
        left: list[str],
    ) -> Ablation:
        whole = [seed for seed in plan.seeds if all((arm.key, seed) in scores for arm in arms)]
        if not whole:  # not one round is whole: what there is of the first
            whole = [plan.seeds[0]]
            arms = [arm for arm in arms if (arm.key, whole[0]) in scores]
        there = {arm.key for arm in arms}
        compared = [(arm.key, arm.against, arm.direction) for arm in arms if arm.against in there]
        if not compared:
            raise _nothing_compared(failed, left)
        used = {key: one for key, one in scores.items() if key[0] in there and key[1] in whole}
        same = len({len(one) for one in used.values()}) == 1 and self._same_pictures()
        for seed in whole:
            if len({len(used[arm.key, seed]) for arm in arms}) > 1:
                raise UsageError(
                    "the measure gave another number of scores for another model",
                    expected="always the same pictures, in the same order",
                )
        effects = measure_effects(
            used,
            compared,
            whole,
            {arm.key: arm.change for arm in arms},
            {arm.key: arm.name for arm in arms},
            same_pictures=same,
        )
        references = {
            {PLAIN: "plain training", FULL: "the preset"}[arm.key]: float(
                np.mean([used[arm.key, seed].mean() for seed in whole])
            )
            for arm in arms
            if not arm.against
        }
        return Ablation(
            source=self.asked.source,
            task=self.asked.task,
            measured=self.measured,
            unit=self.unit,
            effects=effects,
            references=references,
            seeds=tuple(whole),
            pictures=len(next(iter(used.values()))),
            epochs=plan.epochs,
            trainings=len(used),
            left=(*plan.notes, *failed, *_summed(left)),
            fixed=plan.fixed,
        )

    def _same_pictures(self) -> bool:
        """Whether every seed measures the same pictures: a data set with its own validation split."""
        if not self.own_pictures:
            return True
        request = Request.of(self.asked.source, self.asked.task, self.asked.settings)
        return "validation" in request.new_task().read(self.asked.source).splits


def _nothing_compared(failed: Sequence[str], left: Sequence[str]) -> StriateError:
    """Why there is nothing to compare: what `failed` to train, what was `left` for lack of time."""
    again = "call it again with more time: what is trained is kept"
    if not failed:
        return UsageError("the time budget was too short for a single comparison", remedy=again)
    return TrainingError(
        f"there is nothing to compare, since training failed: {'; '.join(failed)}",
        remedy=f"for the rest the time budget was too short: {again}" if left else "try others",
    )


def _summed(left: list[str]) -> list[str]:
    if len(left) <= 2:
        return left
    return [*left[:1], f"and {len(left) - 1} more trainings, for the same reason"]


def _write(folder: Path, found: Ablation) -> None:
    write_text(folder / FILES[0], json.dumps(found.to_dict(), indent=1) + "\n")
    write_page(
        folder / FILES[1],
        f"What augmentation is worth on {Path(found.source).name}",
        " ".join(found.statements()),
        ablation_sections(found),
        kind="striate data augment --ablate",
        facts=f"{found.measured} · {found.trainings} trainings of "
        f"{number_of(found.epochs, 'epoch')} · {number_of(len(found.seeds), 'seed')}",
        numbers=headline_numbers(found),
        overwrite=True,
    )


def candidates_named(names: Sequence[str], task: str) -> dict[str, dict[str, Any]]:
    """Those of `CANDIDATES` that are named; an unknown name lists the choices."""
    for name in names:
        if name not in CANDIDATES:
            raise UnknownNameError("augmentation", name, CANDIDATES)
    return {name: dict(CANDIDATES[name]) for name in names} or _chosen(None, task)

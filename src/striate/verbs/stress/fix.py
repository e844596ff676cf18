"""`striate stress --fix`: the advice on a card tried, by training with it and without it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from striate.cores import usable_cores
from striate.data.dataset import Dataset, Record
from striate.engine.events import Event
from striate.engine.settings import TrainSettings
from striate.errors import PictureError, UsageError
from striate.nn.augment.settings import AugmentSettings
from striate.stress.advice import Advice, Gain
from striate.stress.changes import SEVERITIES, Axis
from striate.stress.knee import LEAST
from striate.stress.measuring import measure_axes
from striate.stress.objects import MaskFolder
from striate.stress.registry import uses_masks
from striate.stress.resamples import resamples_for
from striate.stress.runner import Engine
from striate.stress.stock import read_stock
from striate.types import Array
from striate.verbs.ablate import ablate
from striate.verbs.ablating.effects import Ablation, Unit
from striate.verbs.model import FilePath, Model
from striate.verbs.stress.card import StressReport
from striate.verbs.stress.findings import is_hand_made, trained_on

__all__ = ["augment_of", "check_fixable", "check_training_pictures", "right_under", "try_advice"]

_MOST_PICTURES = 2000
"""Pictures that each trained model is stressed with."""
_NOT_REPEATED = ("epochs", "time_budget", "seed", "threads", "device", "checkpoint_every")
"""Settings of a run that a small trial does not take over."""
_SAME = 0.99
"""Of the pictures that a run was trained on, so many must be there again."""
_OF_A_POLICY = ("policy", "policy_ops", "policy_magnitude")


def try_advice(
    report: StressReport,
    source: str,
    *,
    out: Path | None = None,
    overwrite: bool = False,
    time_budget: float | str = "5m",
    seeds: Sequence[int] = (0, 1, 2),
    train: Callable[..., Model] | None = None,
    on_event: Callable[[Event], None] | None = None,
    **settings: Any,
) -> StressReport:
    """Train the run's model anew with and without what the card advises against its worst axis.

    `source`: training pictures; those of the run itself are told by content. `out`: where trials are
    kept; by default nowhere. What an interrupted call left there is gone on with; `overwrite` begins
    anew. `time_budget`: for all trainings together. `settings`: of training, for each trial, beside
    those of the run. Of the pictures on the card those that a trial was not trained on are changed along
    the worst axis and answered by it; the gain and its interval are over seeds and pictures. Returns the
    report with that piece of advice measured. Errors: `UsageError` where there is nothing to try, the
    training pictures are not those of the run, or too few pictures are new to the trials.
    """
    model, card = report.model, report.card
    check_fixable(model, source)
    advice = _to_try(report)
    axis = next(one for one in report.axes if one.name == advice.axes[0])
    hashes = [one.origin.content_hash() for one in report.stock.records]
    clean: dict[str, float] = {}

    def measure(trial: Model) -> Array:
        records = _new_to(trial, report.stock.records, hashes)
        marks, before = right_under(
            trial, records, axis, card.severities, seed=card.seed, masks=report.masks
        )
        clean[trial.run.name] = before
        return marks

    with ExitStack() as stack:
        folder = out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="striate-fix-")))
        found = ablate(
            source,
            out=folder,
            task=model.task.name,
            candidates={advice.name: dict(advice.settings)},
            against=augment_of(model.header.augment),
            leave_out=False,
            seeds=seeds,
            time_budget=time_budget,
            measure=measure,
            measured=_measured(report, axis),
            unit=Unit("", share=card.measured.scorer.more_is_better),
            train=train,
            overwrite=overwrite,
            on_event=on_event,
            **{**_settings_of(model), **settings},
        )
    gain = _gain(found, axis, clean, len(report.stock))
    tried = [replace(one, gain=gain) if one.name == advice.name else one for one in card.advice]
    return report.with_advice(tried)


def _measured(report: StressReport, axis: Axis) -> str:
    """What is measured of each trial, in words."""
    asked = report.card.severities
    some = "" if asked == SEVERITIES else f", severities {', '.join(map(str, asked))}"
    return f"{report.card.measured.scorer.name} under {axis.title.lower()}{some}"


def _new_to(trial: Model, records: Sequence[Record[Any]], hashes: Sequence[str]) -> list[Record[Any]]:
    """Those of `records` that the trial was not trained on, by content; of many some, evenly. Where the
    data has no splits each seed holds out others, the same with the advice and without it."""
    trained = trained_on(trial) or set()
    new = [one for one, content in zip(records, hashes, strict=True) if content not in trained]
    if len(new) < LEAST:
        raise UsageError(
            f"of the {len(records)} pictures on the card {len(new)} are new to the trials, which were "
            "trained on the others",
            expected=f"{LEAST} or more: what was trained on does not tell what the advice is worth",
            remedy="measure the card on a test split or on more pictures, and name those that the run "
            "was trained on: --train DATA",
        )
    rows = np.linspace(0, len(new) - 1, min(len(new), _MOST_PICTURES)).round().astype(int)
    return [new[row] for row in rows.tolist()]


def right_under(
    model: Model,
    records: Sequence[Any],
    axis: Axis,
    severities: Sequence[int],
    *,
    seed: int = 0,
    masks: FilePath | None = None,
) -> tuple[Array, float]:
    """The mark of each picture under `axis`, float64 (N,), mean over severities; and the clean mean.

    The more the better: right or wrong, F1, or minus the error. `masks`: as for the card.
    """
    workers = usable_cores()
    given: Dataset[Any] = Dataset(tuple(records), model.names, "", "")
    stock = read_stock(
        model.task,
        model.task.align(given),
        seed=seed,
        workers=workers,
        folder=None if masks is None else MaskFolder(Path(masks)),
        with_masks=uses_masks(axis),
    )
    engine = Engine(model.task, model.graphs(1)["main"], workers=workers)
    few = resamples_for(len(stock), seed=seed, most=1)
    found = measure_axes(engine, stock, [axis], severities, few)
    marks = np.mean([one.marks for one in found.judged.values()], axis=0)
    return np.asarray(marks, np.float64), float(found.clean.marks.mean())


def check_fixable(model: Model, source: str) -> None:
    """A `UsageError` unless the run can be trained anew with and without advice, on `source`. Cheap
    beside a card: to be asked before one is measured."""
    if is_hand_made(model):
        raise UsageError(
            f"{model.run.name} is a hand-made model, which is trained without augmentation",
            expected="a network, or no --fix: the advice on the card stands, unmeasured",
        )
    check_training_pictures(model, source)


def check_training_pictures(model: Model, source: str) -> None:
    """A `UsageError` unless the pictures that the run was trained on are in `source`, by content."""
    needed = trained_on(model, ("train", "validation")) or set()
    given = model.task.read(source if not Path(source).exists() else Path(source))
    there = set()
    for record in given:
        try:
            there.add(record.origin.content_hash())
        except PictureError:
            continue
    missing = sum(one not in there for one in needed)
    if not needed or missing > (1 - _SAME) * len(needed):
        what = f"was trained on {len(needed)} pictures, of which {missing} are not in {source}"
        if not needed:
            what = "does not list the pictures that it was trained on"
        raise UsageError(
            f"{model.run.name} {what}",
            expected="the run's own training pictures, so that with and without can be compared",
            remedy="name them: --train DATA",
        )


def _to_try(report: StressReport) -> Advice:
    """The first piece of advice that is a setting of training."""
    for one in report.card.advice:
        if one.settings:
            return one
    raise UsageError(
        "there is nothing to try: no axis that a setting of training answers bends or breaks",
        remedy="leave out --fix",
    )


def augment_of(trained_with: Mapping[str, Any]) -> dict[str, Any]:
    """How a run's pictures were varied, of its resolved settings: for something to be laid over it.

    Without a policy, its strength of 0 is not kept: a policy on top would do nothing.
    """
    none = trained_with.get("policy", "none") in ("none", None)
    known = [one for one in AugmentSettings.model_fields if not (none and one in _OF_A_POLICY)]
    return {name: trained_with[name] for name in known if name in trained_with}


def _settings_of(model: Model) -> dict[str, Any]:
    """The run's own settings of task and training, where they are not the usual."""
    usual = TrainSettings().model_dump()
    train = {
        name: value
        for name, value in model.header.train.items()
        if name not in _NOT_REPEATED and name in usual and usual[name] != value
    }
    config = {name: value for name, value in model.header.config.items() if value not in ((), [], None)}
    return {**config, **train}


def _gain(found: Ablation, axis: Axis, clean: Mapping[str, float], on_card: int) -> Gain:
    """`on_card`: pictures there."""
    effect, unit = found.effects[0], found.unit
    words = {"helps": "It helps", "harms": "It harms", "no measurable effect": "No measurable effect"}
    fewer = found.pictures < min(on_card, _MOST_PICTURES)
    unseen = ", those on the card that it was not trained on" if fewer else ""
    said = [
        f"{words[effect.verdict]}: {unit.text(effect.gain)} ({unit.text(effect.low)} to "
        f"{unit.text(effect.high)}) under {axis.title.lower()}, over "
        f"{_many(len(found.seeds), 'seed')} of {_many(found.epochs, 'epoch')} and "
        f"{_many(found.pictures, 'picture')}{unseen}."
    ]
    if len(found.seeds) == 1:
        said.append("With one seed the luck of training is not in the interval: do not rely on it.")
    cost = _clean_change(clean)
    if cost is not None:
        said.append(f"On the pictures as they are: {unit.text(cost)}.")
    said.append(f"By seed: {', '.join(unit.text(one) for one in effect.per_seed)}.")
    said += [f"{one[0].upper()}{one[1:]}." for one in found.left]
    return Gain(effect.gain, effect.low, effect.high, len(found.seeds), found.measured, " ".join(said))


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _clean_change(clean: Mapping[str, float]) -> float | None:
    """Mean clean mark with it minus without it, over the seeds that both were measured with just now."""
    plain = {name.rpartition("-")[2]: one for name, one in clean.items() if name.startswith("plain")}
    others = {
        name.rpartition("-")[2]: one for name, one in clean.items() if not name.startswith("plain")
    }
    both = plain.keys() & others.keys()
    return float(np.mean([others[seed] - plain[seed] for seed in both])) if both else None

"""What is made of a stressed run's passes: kinds within classes, worst cases, advice."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from striate.baselines.names import is_baseline
from striate.errors import MissingExtraError
from striate.explain.inside import Inside
from striate.stress.advice import Advice, advise
from striate.stress.card import Shown, severity_words
from striate.stress.measuring import Case, Measured, worst_cases
from striate.stress.runner import Engine
from striate.stress.stock import Stock
from striate.stress.variation import Variation, vary
from striate.types import Array, Picture, Prepared
from striate.verbs.model import FilePath, Model

__all__ = [
    "advice_of",
    "cases_of",
    "is_hand_made",
    "kinds_of",
    "seen_in_training",
    "trained_on",
    "variation_of",
]

_LISTING = "data.json"
_CASES = 12
_KINDS_SHOWN = 8


def trained_on(model: Model, splits: Collection[str] = ("train",)) -> set[str] | None:
    """Content hashes of the pictures of these splits; None where the run does not list its pictures."""
    if _LISTING not in model.run.files:
        return None
    listed = json.loads(model.run.file(_LISTING).read_bytes())["pictures"]
    return {row["sha256"] for row in listed if row["split"] in splits}


def seen_in_training(model: Model, stock: Stock) -> int | None:
    """How many of the pictures the run was trained on; None where it does not tell."""
    known = trained_on(model)
    if known is None:
        return None
    return sum(one.origin.content_hash() in known for one in stock.records)


def is_hand_made(model: Model) -> bool:
    """Whether the run is a hand-made feature with a learner, or hand-made parts."""
    facts = model.header.facts
    return is_baseline(str(facts.get("model", ""))) or facts.get("method") == "parts"


# -- kinds within classes ---------------------------------------------------------------------


def variation_of(
    model: Model, stock: Stock, measured: Measured, seed: int, threads: int
) -> tuple[Variation | None, str]:
    """Clusters within classes, or why there are none."""
    if model.task.name == "detect":
        return None, "a detector's pictures have no one class to vary within"
    try:
        features = _features(model, stock, threads)
    except MissingExtraError as error:
        return None, str(error)
    scorer = measured.scorer
    marks = measured.clean.marks if scorer.more_is_better else -measured.clean.marks
    groups = ["all pictures"] * len(stock)
    if scorer.more_is_better:
        groups = [scorer.truth(one) for one in stock.truths]
    found = vary(
        features,
        groups,
        np.asarray(marks, np.float64),
        [one.key for one in stock.records],
        more_is_better=scorer.more_is_better,
        seed=seed,
    )
    return found, "" if found else "there are too few pictures of each class to tell kinds apart"


def _features(model: Model, stock: Stock, threads: int) -> Array:
    """What the last hidden layer makes of each picture, float32 (N, D)."""
    inside = Inside(model.run.file(model.header.graphs["main"]).read_bytes(), threads=threads)
    layer = inside.features
    parts = []
    for _, values in inside.watch([layer]).each(stock.pixels):
        found = values[layer.name]
        parts.append(found.reshape(len(found), found.shape[1], -1).mean(axis=2))
    return np.concatenate(parts)


def kinds_of(stock: Stock, found: Variation | None) -> Mapping[tuple[str, int], Sequence[Picture]]:
    """Typical pictures of the worst kinds."""
    shown = () if found is None else found.clusters[:_KINDS_SHOWN]
    return {
        (one.group, one.number): [np.array(stock.pixels[row]) for row in one.typical] for one in shown
    }


# -- worst cases ------------------------------------------------------------------------------


def cases_of(engine: Engine, measured: Measured) -> tuple[Shown, ...]:
    """One for each of the axes that lose most, no picture twice."""
    spare: set[int] = set()
    hurt = sorted(measured.curves, key=lambda one: -np.nan_to_num(one.mean_loss))
    return tuple(
        _shown(engine, measured, case)
        for curve in hurt[:_CASES]
        for case in worst_cases(engine, measured, curve.axis, most=1, spare=spare)
    )


def _shown(engine: Engine, measured: Measured, case: Case) -> Shown:
    record, scorer = measured.stock.records[case.row], measured.scorer
    return Shown(
        record.key,
        case.axis.name,
        case.axis.title,
        case.severity,
        severity_words(case.axis, case.severity),
        _drawn(engine, np.array(measured.stock.pixels[case.row])),
        _drawn(engine, case.pixels),
        scorer.truth(case.truth),
        scorer.words(case.before),
        scorer.words(case.after),
    )


def _drawn(engine: Engine, pixels: Picture) -> Picture:
    """Answers about places are drawn on what the network saw; others are told in words."""
    if not engine.task.placed:
        return pixels
    seen = Prepared(pixels, (pixels.shape[0], pixels.shape[1]))
    results, _ = engine.ask(pixels[None], [seen])
    return engine.task.render(pixels, results[0])


# -- advice -----------------------------------------------------------------------------------


def advice_of(model: Model, measured: Measured, source: FilePath) -> list[Advice]:
    """What to try against the axes that lose most."""
    height, width = model.task.input_hw
    facts: dict[str, Any] = model.header.facts
    named = "method" if "method" in facts else "model"
    hand_made = is_hand_made(model)
    return advise(
        measured.curves,
        task=model.task.name,
        augment=model.header.augment,
        side=math.sqrt(height * width),
        start=["striate", "train", os.fspath(source), "--task", model.task.name],
        names={} if hand_made else {named: facts.get(named, "auto")},
        hand_made=hand_made,
    )

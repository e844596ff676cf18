"""A score a picture for each task: what a run does with the pictures that were held out from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import UsageError
from striate.types import Array, Picture
from striate.verbs.ablating.effects import Unit
from striate.verbs.model import Model

__all__ = ["TASK_SCORES", "held_out_scores", "score_names"]

_LISTING = "data.json"

Score = Callable[[Model, Sequence[Any], Sequence[Any]], Array]
"""(model, answers, truths) → float (N,), higher is better."""


def held_out_scores(source: str) -> Callable[[Model], Array]:
    """A measure: the task's score of each picture of `source` that a run held out for validation.

    In the order of their keys, so that runs with equal splits are compared picture by picture.
    """

    def measure(model: Model) -> Array:
        held = _held_out(model, source)

        def read(row: int) -> Picture:
            return held.records[row].origin.read(model.task.read_at_least_hw)

        told = model.stream(range(len(held)), read)
        answers = {row: answer for row, answer, error in told if error is None}
        truths = [held.targets[row] for row in answers]  # what cannot be read, no model can
        return TASK_SCORES[model.task.name][0](model, list(answers.values()), truths)

    return measure


def score_names(task: str) -> tuple[str, Unit]:
    """What the score of a task is called, and its unit."""
    return TASK_SCORES[task][1], TASK_SCORES[task][2]


def _held_out(model: Model, source: str) -> Dataset[Any]:
    listed = json.loads(model.run.file(_LISTING).read_bytes())["pictures"]
    keys = {row["key"] for row in listed if row["split"] == "validation"}
    dataset = model.task.read(source)
    rows = [row for row, record in enumerate(dataset) if record.key in keys]
    if not rows:
        raise UsageError(
            f"nothing of {source} was held out for validation to measure on",
            expected="at least a few pictures of each class",
        )
    rows.sort(key=lambda row: dataset.records[row].key)
    return model.task.align(dataset.take(rows))


def _right(model: Model, answers: Sequence[Any], truths: Sequence[Any]) -> Array:
    """1 where the labels of the answer are those of the truth; between where some are."""
    found = []
    for answer, truth in zip(answers, truths, strict=True):
        told, true = set(answer.labels), set(truth)
        found.append(len(told & true) / max(1, len(told | true)) if told or true else 1.0)
    return np.array(found)


def _near(model: Model, answers: Sequence[Any], truths: Sequence[Any]) -> Array:
    """Minus the error, as a part of the spread of the truths: mean over the numbers."""
    told = np.array([list(answer.values) for answer in answers], np.float64)
    true = np.array(truths, np.float64).reshape(told.shape)
    facts = model.task.facts.model_dump()
    apart = np.abs(told - true)
    turned = np.array(facts["is_angle"], bool)
    apart[:, turned] = np.minimum(apart[:, turned] % 360, 360 - apart[:, turned] % 360)
    scored: Array = -(apart / np.array(facts["scale"], np.float64)).mean(axis=1)
    return scored


def _found(model: Model, answers: Sequence[Any], truths: Sequence[Any]) -> Array:
    """Average precision at IoU 0.5 within each picture, all classes together; 1 for rightly nothing."""
    from striate.metrics.detection.matching import match
    from striate.metrics.detection.precision import interpolated
    from striate.metrics.detection.tables import overlaps
    from striate.tasks.detect.metrics import tables_of

    found = []
    for answer, truth in zip(answers, truths, strict=True):
        told, true = tables_of([answer], [truth], model.names)
        matches = match(told, true, overlaps(told, true, floor=0.5), ious=[0.5], sizes=[(0.0, 1e10)])
        objects = int(matches.objects.sum())
        right, counted = matches.right[0, 0], matches.counted[0, 0]
        if not objects:
            found.append(float(not counted.any() or told.scores[counted].max() < 0.5))
            continue
        order = np.argsort(-told.scores, kind="stable")
        found.append(float(np.mean(interpolated(right[order], counted[order], objects))))
    return np.array(found)


TASK_SCORES: Mapping[str, tuple[Score, str, Unit]] = MappingProxyType(
    {
        "classify": (_right, "right answers on pictures held out", Unit("accuracy")),
        "regress": (
            _near,
            "nearness to the truth on pictures held out (minus the error, in spreads of the truths)",
            Unit("spreads", share=False),
        ),
        "detect": (_found, "average precision within each picture held out, at IoU 0.5", Unit("AP")),
    }
)
"""Of each task: the score, what it is called, its unit."""

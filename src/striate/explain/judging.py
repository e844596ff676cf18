"""What of two answers can be compared, by task: a visible dict, looked at when a run is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.metrics.regression import difference
from striate.task import Result, Task
from striate.types import Array

__all__ = ["JUDGES", "Judge", "judge_of", "label_of"]


@dataclass(frozen=True, slots=True)
class Judge:
    """How answers are held against truths, and against other answers to the same pictures.

    `names`: what is judged: one column each. `quality`: (results, truths) → (N, K); `likeness`: (results,
    earlier results) → (N, K). `shares`: both are shares, the more the better (right, same answer);
    else lengths in the target's unit, the less the better (error, change).
    """

    names: tuple[str, ...]
    quality_name: str
    likeness_name: str
    shares: bool
    quality: Callable[[Sequence[Result], Sequence[Any]], Array]
    likeness: Callable[[Sequence[Result], Sequence[Result]], Array]


def judge_of(task: Task[Any, Any]) -> Judge:
    """The judge of a task; a `UsageError` for one without."""
    if task.name not in JUDGES:
        raise UsageError(
            f"answers of the task {task.name} cannot be compared here",
            expected=f"a run of one of {', '.join(JUDGES)}",
        )
    return JUDGES[task.name](task)


def label_of(result: Result) -> str:
    """The answer in a word: the label, several joined, or "nothing"."""
    found = result.to_dict()
    return " + ".join(found["labels"]) or "nothing" if "labels" in found else str(found["label"])


def _labels(result: Result) -> frozenset[str]:
    found = result.to_dict()
    return frozenset(found.get("labels", [found["label"]]))


def _classes(task: Task[Any, Any]) -> Judge:
    def right(results: Sequence[Result], truths: Sequence[Any]) -> Array:
        return _column([_labels(one) == frozenset(truth) for one, truth in zip(results, truths, strict=True)])

    def same(results: Sequence[Result], before: Sequence[Result]) -> Array:
        return _column([_labels(one) == _labels(other) for one, other in zip(results, before, strict=True)])

    return Judge(("answer",), "accuracy", "same answer as unmoved", True, right, same)


def _numbers(task: Task[Any, Any]) -> Judge:
    facts = task.facts.model_dump()
    names, angles = tuple(facts["names"]), tuple(facts["is_angle"])

    def apart(values: Array, others: Array) -> Array:
        columns = [
            np.abs(difference(others[:, k], values[:, k], angle=angle)) for k, angle in enumerate(angles)
        ]
        return np.stack(columns, axis=1)

    def values(results: Sequence[Result]) -> Array:
        return np.array([[one.to_dict()["values"][name] for name in names] for one in results], np.float64)

    def error(results: Sequence[Result], truths: Sequence[Any]) -> Array:
        return apart(values(results), np.asarray(truths, np.float64))

    def change(results: Sequence[Result], before: Sequence[Result]) -> Array:
        return apart(values(results), values(before))

    return Judge(names, "mean absolute error", "change against unmoved", False, error, change)


def _column(found: Sequence[bool]) -> Array:
    return np.asarray(found, np.float64)[:, None]


JUDGES: Mapping[str, Callable[[Task[Any, Any]], Judge]] = {"classify": _classes, "regress": _numbers}
"""By task name."""

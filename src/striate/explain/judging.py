"""What of two answers can be compared, by task: a visible dict, looked at when a run is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.metrics.regression import difference
from striate.task import Task
from striate.types import Array

__all__ = ["JUDGES", "Judge", "judge_of", "label_of", "sureness_of"]


@dataclass(frozen=True, slots=True)
class Judge:
    """How answers are held against truths, and against other answers to the same pictures.

    `names`: what is judged: one column each. `quality`: (results, truths) → (N, K); `likeness`:
    (results, earlier results) → (N, K). `shares`: both are shares, the more the better (right, same
    answer); else lengths in the target's unit, the less the better (error, change).
    """

    names: tuple[str, ...]
    quality_name: str
    likeness_name: str
    shares: bool
    quality: Callable[[Sequence[Any], Sequence[Any]], Array]
    likeness: Callable[[Sequence[Any], Sequence[Any]], Array]


def judge_of(task: Task[Any, Any]) -> Judge:
    """The judge of a task; a `UsageError` for one without."""
    if task.name not in JUDGES:
        raise UsageError(
            f"answers of the task {task.name} cannot be compared here",
            expected=f"a run of one of {', '.join(JUDGES)}",
        )
    return JUDGES[task.name](task)


def label_of(result: Any) -> str:
    """The answer of a classifier in a word: the label, several joined, or "nothing"."""
    return " + ".join(result.labels) or "nothing"


def sureness_of(result: Any) -> float:
    """How far a classifier's best class stands above chance, 0 to 1; of several labels, its share."""
    score, chance = float(result.score), 1 / max(2, len(result.names))
    return score if result.multi_label else max(0.0, (score - chance) / (1 - chance))


def _classes(task: Task[Any, Any]) -> Judge:
    def right(results: Sequence[Any], truths: Sequence[Any]) -> Array:
        pairs = zip(results, truths, strict=True)
        return _column([set(one.labels) == set(truth) for one, truth in pairs])

    def same(results: Sequence[Any], before: Sequence[Any]) -> Array:
        pairs = zip(results, before, strict=True)
        return _column([set(one.labels) == set(other.labels) for one, other in pairs])

    return Judge(("answer",), "accuracy", "same answer as unmoved", True, right, same)


def _numbers(task: Task[Any, Any]) -> Judge:
    facts = task.facts.model_dump()
    names, angles = tuple(facts["names"]), tuple(facts["is_angle"])

    def apart(values: Array, others: Array) -> Array:
        columns = [
            np.abs(difference(others[:, k], values[:, k], angle=angle)) for k, angle in enumerate(angles)
        ]
        return np.stack(columns, axis=1)

    def values(results: Sequence[Any]) -> Array:
        return np.stack([one.values for one in results])

    def error(results: Sequence[Any], truths: Sequence[Any]) -> Array:
        return apart(values(results), np.asarray(truths, np.float64))

    def change(results: Sequence[Any], before: Sequence[Any]) -> Array:
        return apart(values(results), values(before))

    return Judge(names, "mean absolute error", "change against unmoved", False, error, change)


def _column(found: Sequence[bool]) -> Array:
    return np.asarray(found, np.float64)[:, None]


JUDGES: Mapping[str, Callable[[Task[Any, Any]], Judge]] = {"classify": _classes, "regress": _numbers}
"""By task name."""
